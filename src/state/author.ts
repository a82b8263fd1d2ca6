/** Owns what a chat needs of whoever writes its replies: an engine with what is loaded in it, and whose turn it is. */
import type { Engine } from '../engine/engine';

export interface Author {
  /**
   * `first`: the model that is chosen. `beside`: a second one on an engine of its own, at the same time. `after`: a second
   * one that takes the engine of the first when that has answered.
   */
  readonly turn: 'first' | 'beside' | 'after';
  readonly engine: Pick<Engine, 'generate'>;
  /** Settles when it can write; rejects with an EngineError when it can't. */
  readonly whenReady: () => Promise<void>;
  /** Host and port of a server; null: in this tab. */
  readonly place: string | null;
  /** Title of the model; undefined: replies do not say who wrote them. */
  readonly writer: () => string | undefined;
  /** What it does before its first token, as a sentence; '' where that goes without saying. */
  readonly wait?: () => string;
  /** Its reply has ended. Never rejects. */
  readonly release?: () => Promise<void>;
}

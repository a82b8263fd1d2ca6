/**
 * Owns which engine answers: the tab's, a server's or the browser's own, chosen by what is loaded. One of them holds a model
 * at a time. Owns none; the code of the others comes when one is first chosen.
 */
import type { EngineError } from '../core/errors';
import type { LoadedModel, LoadProgress, LoadRequest } from '../protocol/engine-api';
import type { Engine } from './engine';
import { ForwardingEngine } from './forwarding-engine';

/** Makers of the engines that stand in the tab's place. */
export interface OtherEngines {
  readonly server: () => Promise<Engine>;
  readonly browser: () => Promise<Engine>;
}

export class EngineSwitch extends ForwardingEngine {
  readonly #tab: Engine;
  readonly #makers: OtherEngines;
  readonly #made: Partial<Record<keyof OtherEngines, Engine>> = {};
  #current: Engine;

  constructor(tab: Engine, makers: OtherEngines) {
    super();
    this.#tab = tab;
    this.#makers = makers;
    this.#current = tab;
  }

  protected override get front(): Engine {
    return this.#current;
  }

  override async load(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<LoadedModel> {
    const wanted = await this.#engineFor(request);
    if (wanted !== this.#current) {
      await this.#current.dispose();
      this.#current = wanted;
    }
    return wanted.load(request, onProgress);
  }

  /** The others do not die with the page. */
  override onDeath(listener: (error: EngineError) => void): () => void {
    return this.#tab.onDeath(listener);
  }

  async #engineFor({ server, isBrowserModel }: LoadRequest): Promise<Engine> {
    const other = server !== undefined ? 'server' : isBrowserModel === true ? 'browser' : null;
    if (other === null) return this.#tab;
    return (this.#made[other] ??= await this.#makers[other]());
  }
}

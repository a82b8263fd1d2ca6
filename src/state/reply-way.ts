/** Owns how a reply may be written in other ways than by one call of the model. Names no way. */
import type { ReplyPart } from '../core/chat/reply';
import type { RoleEvent } from '../core/chat/grow-reply';
import type { Engine, Generation } from '../engine/engine';
import type { EngineEvent, GenerateRequest } from '../protocol/engine-api';

/** Takes batches of events in order. */
export type ReplyEvents = (events: readonly (EngineEvent | RoleEvent)[]) => void;

export interface ReplyWay {
  /** Starts one reply on an engine, or goes on with what `begun` has; the same promises as {@link Engine.generate}. */
  generate(
    engine: Pick<Engine, 'generate'>,
    request: GenerateRequest,
    begun: readonly ReplyPart[],
    onEvents: ReplyEvents,
  ): Generation;
}

/** Owns the tap between the chat and the engine: the lab hears every reply, and gives way to it. Changes no reply. */
import type { Engine, Generation } from '../../engine/engine';
import { ForwardingEngine } from '../../engine/forwarding-engine';
import type { EngineEvent, GenerateRequest, GenerateResult } from '../../protocol/engine-api';

/** Who listens. */
export interface LabListener {
  /** Candidates to ask for at each token; 0 while the lab is closed. */
  readonly candidates: number;
  /** Replies are to be written one token at a click. */
  readonly isStepped: boolean;
  /** Replies are to be written with drafts. */
  readonly isDrafting: boolean;
  /** Ends the lab's own job, since the engine does one at a time. */
  beforeReply(): Promise<void>;
  /** `step` lets a reply in step mode read so many tokens more. */
  onReplyStart(request: GenerateRequest, step: (tokens: number) => void): void;
  onEvents(events: readonly EngineEvent[]): void;
  /** Null: it failed. */
  onReplyEnd(stats: GenerateResult['stats'] | null): void;
}

/** The engine as the chat sees it. */
export class TappedEngine extends ForwardingEngine {
  protected override readonly front: Engine;
  listener: LabListener | null = null;

  constructor(engine: Engine) {
    super();
    this.front = engine;
  }

  override generate(
    request: GenerateRequest,
    onEvents: (events: readonly EngineEvent[]) => void,
  ): Generation {
    const { listener } = this;
    if (listener === null) return this.front.generate(request, onEvents);
    let running: Generation | null = null;
    let isStopped = false;
    const run = async (): Promise<GenerateResult> => {
      await listener.beforeReply();
      const asked = {
        ...request,
        candidates: Math.max(request.candidates, listener.candidates),
        isStepped: request.isStepped ?? listener.isStepped,
        ...(listener.isDrafting ? { drafts: true } : {}),
      };
      listener.onReplyStart(asked, (tokens) => running?.step(tokens));
      let ended: GenerateResult['stats'] | null = null;
      try {
        running = this.front.generate(asked, (events) => {
          listener.onEvents(events);
          onEvents(events.filter(({ type }) => type !== 'lab' && type !== 'router'));
        });
        if (isStopped) running.stop();
        const result = await running.done;
        ended = result.stats;
        return result;
      } finally {
        listener.onReplyEnd(ended);
      }
    };
    return {
      id: request.id,
      done: run(),
      stop: () => {
        isStopped = true;
        running?.stop();
      },
      answerNow: () => running?.answerNow(),
      step: (tokens) => running?.step(tokens),
    };
  }
}

/** Owns the batching of a generation's events: numbered, at most one message a frame, none lost at the end. */
import type { EngineEvent, EventBatch } from '../src/protocol/engine-api';

/** One frame at 60 Hz: the page draws no faster. */
const FRAME_MS = 16;

/** The part of a MessagePort that is needed. */
export interface BatchPort {
  postMessage(batch: EventBatch): void;
}

export class EventOutbox {
  readonly #port: BatchPort;
  #events: EngineEvent[] = [];
  #sequence = 0;
  #lastFlush = -Infinity;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #hasSentToken = false;

  constructor(port: BatchPort) {
    this.#port = port;
  }

  /** Sends at once when the last batch is a frame ago, else within a frame; the first token of all never waits. */
  push(event: EngineEvent): void {
    this.#events.push(event);
    if (event.type === 'token' && !this.#hasSentToken) {
      this.#hasSentToken = true;
      this.flush();
      return;
    }
    const wait = this.#lastFlush + FRAME_MS - performance.now();
    if (wait <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), wait);
  }

  /** Sends what is waiting. */
  flush(): void {
    if (this.#events.length > 0) this.#send({});
  }

  /** Sends what is waiting, marked as the end; also when nothing is. */
  close(): void {
    this.#send({ isLast: true });
  }

  #send(mark: { isLast?: true }): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#port.postMessage({ sequence: this.#sequence, events: this.#events, ...mark });
    this.#sequence += 1;
    this.#events = [];
    this.#lastFlush = performance.now();
  }
}

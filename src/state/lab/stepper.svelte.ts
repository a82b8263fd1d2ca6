/**
 * Owns step mode: the reply goes on one token at a click, and what was seen at each token is kept to go back to. Owns no
 * drawing. Loaded when step mode is asked for.
 */
import type { LabTrace, TraceView } from './trace';

/** What step mode needs of the lab. */
export interface StepHost {
  readonly isReplying: boolean;
  stepReply(tokens: number): void;
  showTrace(): void;
}

/** Tokens kept to go back to; with a layer open each holds a state of some 16 KB. */
export const MOST_KEPT = 256;

export class Stepper {
  isOn = $state(false);
  /** What was seen at each token, oldest first. */
  frames = $state.raw<readonly TraceView[]>([]);
  /** Place in `frames` that is looked at; null: the newest. */
  at = $state<number | null>(null);
  /** Tokens of this reply that are no longer kept. */
  left = $state(0);
  /** The reply runs by itself until it is held. */
  isRunning = $state(true);
  readonly #host: StepHost;

  constructor(host: StepHost) {
    this.#host = host;
  }

  /** The place that was gone back to; null: the newest is shown. */
  get shown(): TraceView | null {
    return this.at === null ? null : (this.frames[this.at] ?? null);
  }

  /** The frame that is looked at, and the one before it. */
  get pair(): { readonly now: TraceView; readonly before: TraceView | null } | null {
    const place = this.at ?? this.frames.length - 1;
    const now = this.frames[place];
    return now === undefined ? null : { now, before: this.frames[place - 1] ?? null };
  }

  get canGoBack(): boolean {
    return (this.at ?? this.frames.length - 1) > 0;
  }

  get canGoForward(): boolean {
    return this.at !== null || (this.#host.isReplying && !this.isRunning);
  }

  /** From now on replies wait at each token, the one that runs too. */
  turnOn(): void {
    this.isOn = true;
    if (this.#host.isReplying) this.hold();
  }

  /** The reply runs on, and what was recorded is let go. */
  leave(): void {
    this.isOn = false;
    this.runOn();
    this.frames = [];
    this.left = 0;
    this.#host.showTrace();
  }

  /** A reply begins, in step mode or not. */
  begin(isStepped: boolean): void {
    this.frames = [];
    this.at = null;
    this.left = 0;
    this.isRunning = !isStepped;
  }

  /** A token was written. */
  readonly note = (trace: LabTrace): void => {
    if (!this.isOn) return;
    this.#keep(trace.view());
  };

  /** The reply has ended: what reading its last token did is seen now. */
  end(trace: LabTrace): void {
    const view = trace.view();
    const last = this.frames.at(-1);
    if (this.isOn && last !== undefined && last.last !== view.last) this.#keep(view);
    this.isRunning = true;
  }

  #keep(view: TraceView): void {
    const isFull = this.frames.length >= MOST_KEPT;
    this.frames = [...this.frames.slice(isFull ? 1 : 0), view];
    if (!isFull) return;
    this.left += 1;
    if (this.at !== null) this.at = Math.max(0, this.at - 1);
  }

  /** On: to the next place that was recorded, and from the newest to a new token. */
  forward(): void {
    if (!this.canGoForward) return;
    if (this.at === null) this.#host.stepReply(1);
    else this.goTo(this.at + 1);
  }

  back(): void {
    if (this.canGoBack) this.goTo((this.at ?? this.frames.length - 1) - 1);
  }

  goTo(place: number): void {
    this.at = place >= this.frames.length - 1 ? null : Math.max(0, place);
    this.#host.showTrace();
  }

  hold(): void {
    this.isRunning = false;
    this.#host.stepReply(0);
  }

  runOn(): void {
    this.isRunning = true;
    this.at = null;
    this.#host.stepReply(Infinity);
    this.#host.showTrace();
  }
}

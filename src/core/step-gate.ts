/** Owns when a reply may go on that is written one token at a click: how many tokens it may still read. Pure. */

export class StepGate {
  #left = Infinity;
  #wake: (() => void) | null = null;

  /** False: whoever comes by waits. */
  get isOpen(): boolean {
    return this.#left > 0;
  }

  /** Somebody counts the tokens: each of them is looked at. */
  get isCounting(): boolean {
    return this.#left !== Infinity;
  }

  /** Lets `tokens` more pass; 0 closes the gate, Infinity opens it for good. */
  allow(tokens: number): void {
    this.#left = tokens === 0 ? 0 : (this.isCounting ? this.#left : 0) + tokens;
    if (!this.isOpen) return;
    this.#wake?.();
    this.#wake = null;
  }

  /** Waits until one may pass, and counts it. */
  async pass(): Promise<void> {
    while (!this.isOpen) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#left -= 1;
  }
}

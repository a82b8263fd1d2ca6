/** Pairs the runs of `*`, `_` and `~` of one text, by CommonMark's way with delimiters. Owns no rule of what may open. */
import type { MarkSides } from './answer-rules';
import type { Mark } from './syntax-tree';

export interface Run {
  readonly kind: 'run';
  /** Its place among all runs of the text. */
  readonly index: number;
  readonly mark: string;
  readonly sides: MarkSides;
  readonly length: number;
  /** What is left of it, as text. */
  left: number;
  /** What it closes, in order, before what is left; what it opens behind that, the outermost first. */
  readonly closes: Mark[];
  readonly opens: Mark[];
  previous: Run | null;
  next: Run | null;
}

/** The runs of a text that are not paired yet, in order. */
export class RunStack {
  top: Run | null = null;
  #count = 0;

  push(mark: string, length: number, sides: MarkSides): Run {
    const run: Run = {
      kind: 'run',
      index: this.#count,
      mark,
      sides,
      length,
      left: length,
      closes: [],
      opens: [],
      previous: this.top,
      next: null,
    };
    this.#count += 1;
    if (this.top !== null) this.top.next = run;
    this.top = run;
    return run;
  }

  /** Pairs the runs above `bottom`; those that found no partner and can still open stay for `closeAll`. */
  pair(bottom: Run | null): void {
    /** Up to these no opener was found, by mark, by what the closer may and by its length. */
    const floors = new Map<string, number>();
    let closer = bottom === null ? this.#first() : bottom.next;
    while (closer !== null) {
      if (!closer.sides.canClose) {
        closer = closer.next;
        continue;
      }
      const { canOpen, isBetweenOperands } = closer.sides;
      const key = `${closer.mark}${canOpen ? 1 : 0}${isBetweenOperands ? closer.length : ''}|${closer.length % 3}`;
      const floor = floors.get(key) ?? bottom?.index ?? -1;
      let opener = closer.previous;
      while (opener !== null && opener.index > floor && !fits(opener, closer))
        opener = opener.previous;
      if (opener !== null && opener.index > floor) {
        const length = opener.left >= 2 && closer.left >= 2 ? 2 : 1;
        const mark: Mark = closer.mark === '~' ? 'del' : length === 2 ? 'strong' : 'em';
        opener.opens.unshift(mark);
        closer.closes.push(mark);
        opener.left -= length;
        closer.left -= length;
        opener.next = closer;
        closer.previous = opener;
        if (opener.left === 0) this.#remove(opener);
        if (closer.left === 0) {
          const next: Run | null = closer.next;
          this.#remove(closer);
          closer = next;
        }
      } else {
        floors.set(key, closer.previous?.index ?? floor);
        const next: Run | null = closer.next;
        if (!closer.sides.canOpen) this.#remove(closer);
        closer = next;
      }
    }
  }

  /** Takes away the runs above `bottom`. */
  drop(bottom: Run | null): void {
    this.top = bottom;
    if (bottom !== null) bottom.next = null;
  }

  /** Marks that the runs which stay would open, were their ends written; the innermost first. */
  closeAll(isWorth: (run: Run) => boolean): Mark[] {
    const marks: Mark[] = [];
    for (let run = this.top; run !== null; run = run.previous) {
      if (!run.sides.canOpen || !isWorth(run)) continue;
      while (run.left > 0) {
        const length = run.left >= 2 ? 2 : 1;
        const mark: Mark = run.mark === '~' ? 'del' : length === 2 ? 'strong' : 'em';
        run.opens.unshift(mark);
        run.left -= length;
        marks.push(mark);
      }
    }
    return marks;
  }

  #first(): Run | null {
    let run = this.top;
    while (run !== null && run.previous !== null) run = run.previous;
    return run;
  }

  #remove(run: Run): void {
    if (run.previous !== null) run.previous.next = run.next;
    if (run.next === null) this.top = run.previous;
    else run.next.previous = run.previous;
  }
}

function fits(opener: Run, closer: Run): boolean {
  if (opener.mark !== closer.mark || !opener.sides.canOpen) return false;
  if (opener.mark === '~') return true;
  if (closer.sides.isBetweenOperands && closer.length !== opener.length) return false;
  // CommonMark's rule of three, which keeps `*a**b*` one emphasis.
  const isDouble = opener.sides.canClose || closer.sides.canOpen;
  return (
    !isDouble ||
    (opener.length + closer.length) % 3 !== 0 ||
    (opener.length % 3 === 0 && closer.length % 3 === 0)
  );
}

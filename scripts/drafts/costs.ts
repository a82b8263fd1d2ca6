/** Owns what a run of the backbone costs by the tokens that it reads, what a guess costs, and where drafting pays. */
import type { DraftModule } from '../../workers/draft/draft-module';
import type { ModelSession } from '../../workers/runtime/session';
import type { ModelFolder } from '../eval/load-model';

export interface RunCosts {
  /** Median milliseconds of a run that reads 1, 2, … tokens after a context, all their rows kept. */
  readonly runMs: readonly number[];
  /** The same, as a multiple of one token's. */
  readonly runOfOne: readonly number[];
  /** Median milliseconds of a first guess, which reads one position, and of one more. */
  readonly guessMs: number;
  readonly moreGuessMs: number;
  /** Share of guesses that must come true for a run with so many guesses to cost what plain reading does, 1, 2, … */
  readonly breakEven: readonly (number | null)[];
}

const CONTEXT = 128;
const ROUNDS = 60;
const MOST = 8;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Tokens that a run with `guesses` guesses gives when each comes true with `share`, the first miss ending it. */
function tokensARun(guesses: number, share: number): number {
  let tokens = 1;
  for (let i = 1; i <= guesses; i += 1) tokens += share ** i;
  return tokens;
}

/**
 * The share of guesses that must come true so that a run with `guesses` guesses, which costs `cost` of plain tokens, gives
 * as many tokens; null where not even all would do. The replay of a missed run is left out: it is the best case.
 */
function breakEvenShare(guesses: number, cost: number): number | null {
  if (tokensARun(guesses, 1) < cost) return null;
  let low = 0;
  let high = 1;
  for (let i = 0; i < 40; i += 1) {
    const middle = (low + high) / 2;
    if (tokensARun(guesses, middle) < cost) low = middle;
    else high = middle;
  }
  return high;
}

export async function measureCosts(
  { spec, manifest }: ModelFolder,
  session: ModelSession,
  module: DraftModule,
): Promise<RunCosts> {
  const text = Array.from(
    { length: CONTEXT },
    (_, i) => manifest.goldenIds[i % manifest.goldenIds.length] ?? 0,
  );
  const empty = session.emptyStates();
  const { states } = await session.step(text, empty);
  empty.release();
  const times = Array.from({ length: MOST }, (): number[] => []);
  const guesses: number[] = [];
  const more: number[] = [];
  const hidden = new Float32Array(spec.hiddenSize).fill(0.5);
  try {
    // In turns, so that what else the machine does falls on all alike.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let count = 1; count <= MOST; count += 1) {
        const startedAt = performance.now();
        const step = await session.step(
          text.slice(0, count),
          states,
          ['hidden_states'],
          null,
          count,
        );
        times[count - 1]?.push(performance.now() - startedAt);
        step.states.release();
        for (const probe of step.probes.values()) probe.dispose();
      }
      if (round % CONTEXT === 0) module.reset();
      const before = performance.now();
      const guess = await module.read(hidden, [text[0] ?? 0]);
      const between = performance.now();
      await module.guessOn(guess);
      guesses.push(between - before);
      more.push(performance.now() - between);
    }
  } finally {
    states.release();
    module.reset();
  }
  const round = (value: number): number => Number(value.toFixed(4));
  const runMs = times.map((list) => round(median(list)));
  const one = runMs[0] ?? NaN;
  const [guessMs, moreGuessMs] = [round(median(guesses)), round(median(more))];
  const breakEven = runMs.slice(1).map((ms, i) => {
    const share = breakEvenShare(i + 1, (ms + guessMs + i * moreGuessMs) / one);
    return share === null ? null : round(share);
  });
  return { runMs, runOfOne: runMs.map((ms) => round(ms / one)), guessMs, moreGuessMs, breakEven };
}

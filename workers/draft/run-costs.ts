/** Owns the measuring of what a run costs by the tokens that it reads, and what a guess costs. */
import type { DraftCosts } from '../../src/core/lab/draft-speed';
import type { ModelSession } from '../runtime/session';
import type { Guesser } from './draft-module';

/**
 * Costs of runs of 1 to `most` tokens after `text`. The shapes take turns, and of each the fastest of `rounds` counts: what
 * else the machine does only ever adds time. `wait` is called between rounds.
 */
export async function measureRunCosts(
  session: Pick<ModelSession, 'step' | 'emptyStates'>,
  module: Guesser,
  text: readonly number[],
  hiddenSize: number,
  { most, rounds, wait }: { most: number; rounds: number; wait: () => Promise<void> },
): Promise<DraftCosts> {
  const empty = session.emptyStates();
  const { states } = await session.step(text, empty);
  empty.release();
  const runMs = Array.from({ length: most }, () => Infinity);
  let guessMs = Infinity;
  let moreGuessMs = Infinity;
  const hidden = new Float32Array(hiddenSize).fill(0.5);
  module.reset();
  try {
    for (let round = 0; round < rounds; round += 1) {
      await wait();
      for (let count = 1; count <= most; count += 1) {
        const startedAt = performance.now();
        const step = await session.step(
          text.slice(0, count),
          states,
          ['hidden_states'],
          null,
          count,
        );
        runMs[count - 1] = Math.min(runMs[count - 1] ?? Infinity, performance.now() - startedAt);
        step.states.release();
        for (const probe of step.probes.values()) probe.dispose();
      }
      const before = performance.now();
      const guess = await module.read(hidden, [text[0] ?? 0]);
      const between = performance.now();
      await module.guessOn(guess);
      guessMs = Math.min(guessMs, between - before);
      moreGuessMs = Math.min(moreGuessMs, performance.now() - between);
    }
  } finally {
    states.release();
    module.reset();
  }
  return { runMs, guessMs, moreGuessMs };
}

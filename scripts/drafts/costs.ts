/** Owns the table of what a run costs by its tokens, and where drafting pays, for a report. */
import { breakEvenShare, costOfRun, type DraftCosts } from '../../src/core/lab/draft-speed';
import { measureRunCosts } from '../../workers/draft/run-costs';
import type { DraftModule } from '../../workers/draft/draft-module';
import type { ModelSession } from '../../workers/runtime/session';
import type { ModelFolder } from '../eval/load-model';

export interface RunCosts extends DraftCosts {
  /** Cost of runs with 1, 2, … guesses, the guesses too, as multiples of one token. */
  readonly runWithGuesses: readonly number[];
  /** Share of guesses that must come true for such a run to cost what plain reading does. */
  readonly breakEven: readonly (number | null)[];
}

const CONTEXT = 128;
const ROUNDS = 100;
const MOST = 5;

export async function measureCosts(
  { spec, manifest }: ModelFolder,
  session: ModelSession,
  module: DraftModule,
): Promise<RunCosts> {
  const ids = manifest.goldenIds;
  const text = Array.from({ length: CONTEXT }, (_, i) => ids[i % ids.length] ?? 0);
  const costs = await measureRunCosts(session, module, text, spec.hiddenSize, {
    most: MOST,
    rounds: ROUNDS,
    wait: () => Promise.resolve(),
  });
  const guesses = costs.runMs.slice(1).map((_, i) => i + 1);
  return {
    ...costs,
    runWithGuesses: guesses.map((count) => costOfRun(costs, count)),
    breakEven: guesses.map((count) => breakEvenShare(costs, count)),
  };
}

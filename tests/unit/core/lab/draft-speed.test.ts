import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  breakEvenShare,
  costOfRun,
  draftSpeed,
  tokensARun,
} from '../../../../src/core/lab/draft-speed';

const COSTS = { runMs: [1, 1.2, 1.5, 1.9], guessMs: 0.3, moreGuessMs: 0.2 };

it('gives one token where no guess comes true, and all where all do', () => {
  expect(tokensARun(3, 0)).toBe(1);
  expect(tokensARun(3, 1)).toBe(4);
  expect(tokensARun(2, 0.5)).toBe(1.75);
});

it('costs what was measured, guesses too', () => {
  expect(costOfRun(COSTS, 0)).toBe(1);
  expect(costOfRun(COSTS, 2)).toBeCloseTo(2);
  expect(costOfRun(COSTS, 4)).toBeNaN();
});

it('breaks even where the speed is that of no drafts, or never', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 3, noNaN: true }), { minLength: 3, maxLength: 3 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 3 }),
      (steps, guess, guesses) => {
        const runMs = steps.reduce((ms, step) => [...ms, (ms.at(-1) ?? 0) + step], [1]);
        const costs = { runMs, guessMs: guess, moreGuessMs: guess / 2 };
        const share = breakEvenShare(costs, guesses);
        if (share === null) expect(draftSpeed(costs, guesses, 1)).toBeLessThan(1);
        else if (share > 1e-9) expect(draftSpeed(costs, guesses, share)).toBeCloseTo(1, 6);
        else expect(draftSpeed(costs, guesses, 0)).toBeGreaterThanOrEqual(1 - 1e-6);
      },
    ),
  );
});

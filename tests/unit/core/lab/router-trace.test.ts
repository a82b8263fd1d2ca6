import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  busiestExpert,
  kindPreferences,
  largestLoad,
  RouterTrace,
} from '../../../../src/core/lab/router-trace';
import { kindOfWord, WORD_KINDS } from '../../../../src/core/lab/word-kinds';

const LAYER = 4;

/** A step of tokens, each going to the experts named. */
function step(
  position: number,
  tokens: readonly (readonly [string, readonly number[]])[],
): Parameters<RouterTrace['take']>[0] {
  const chosen = tokens[0]?.[1].length ?? 0;
  return {
    position,
    texts: tokens.map(([text]) => text),
    layers: [
      {
        layer: LAYER,
        chosen,
        experts: tokens.flatMap(([, experts]) => experts),
        weights: tokens.flatMap(([, experts]) => experts.map(() => 1 / chosen)),
      },
    ],
  };
}

describe('kinds of words', () => {
  it.each([
    ['58', 'digits'],
    [' 3.', 'digits'],
    [' Anna', 'names'],
    [' Ben’s', 'names'],
    [' bought', 'verbs'],
    [' Tell', 'verbs'],
    [' The', 'other'],
    [' kite', 'other'],
    ['<|im_end|>', 'other'],
    ['', 'other'],
  ] as const)('%j is one of the %s', (word, kind) => {
    expect(kindOfWord(word)).toBe(kind);
  });
});

describe('what was seen of routers', () => {
  it('counts the pieces of a word with the whole of it', () => {
    const trace = new RouterTrace([{ layer: LAYER, experts: 3 }]);
    trace.take(
      step(3, [
        [' Cl', [0]],
        ['ara', [1]],
        [' has', [2]],
        [' 12', [2]],
      ]),
    );
    trace.take(step(4, [[' kites', [0]]]));
    const { tokens, kinds, loads, recent } = trace.view();
    expect(tokens).toBe(5);
    // The last word may go on yet.
    expect(kinds).toEqual({ digits: 1, names: 2, verbs: 1, other: 0 });
    expect(loads[0]?.counts).toEqual([2, 1, 2]);
    expect(loads[0]?.byKind.names).toEqual([1, 1, 0]);
    expect(recent.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4]);
    expect(recent[1]?.choices.get(LAYER)).toEqual({ experts: [1], weights: [1] });
  });

  it('says who is busiest, how uneven that is, and who prefers what', () => {
    const trace = new RouterTrace([{ layer: LAYER, experts: 2 }]);
    trace.take(
      step(3, [
        [' 1', [1]],
        [' 2', [1]],
        [' sea', [0]],
        [' 3', [1]],
      ]),
    );
    const [load] = trace.view().loads;
    if (load === undefined) throw new Error('no load');
    expect(busiestExpert(load)).toBe(1);
    expect(largestLoad(load.counts)).toBe(1.5);
    const preferences = kindPreferences(load);
    // Digits (the last is not at its end) went to expert 1 alone, which three of four tokens did.
    expect(preferences[WORD_KINDS.length + WORD_KINDS.indexOf('digits')]).toBeCloseTo(4 / 3);
    expect(preferences[WORD_KINDS.indexOf('digits')]).toBe(0);
    expect(preferences[WORD_KINDS.indexOf('verbs')]).toBeNaN();
  });

  it('counts the same whether tokens come one by one or together, and loses none', () => {
    const word = fc.constantFrom(' Anna', 'a', ' 12', '3', ' ran', '.', '\n', ' sea');
    const token = fc.tuple(word, fc.array(fc.nat(4), { minLength: 2, maxLength: 2 }));
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 150 }), (tokens) => {
        const [together, single] = [0, 0].map(
          () => new RouterTrace([{ layer: LAYER, experts: 4 }]),
        );
        together?.take(step(tokens.length - 1, tokens));
        tokens.forEach((one, at) => single?.take(step(at, [one])));
        const view = together?.view();
        expect(view).toEqual(single?.view());
        // Expert 4 is none of this layer's.
        const inside = tokens.flatMap(([, experts]) => experts.filter((expert) => expert < 4));
        expect(view?.loads[0]?.counts.reduce((sum, count) => sum + count, 0)).toBe(inside.length);
        const kinds = WORD_KINDS.reduce((sum, kind) => sum + (view?.kinds[kind] ?? 0), 0);
        expect(kinds).toBeLessThan(tokens.length);
        expect(view?.recent.at(-1)?.position).toBe(tokens.length - 1);
      }),
    );
  });
});

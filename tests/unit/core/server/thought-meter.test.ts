// A limit kept from this side is the limit of the tab: never past its grace, and at a sentence's end where one comes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { graceTokens } from '../../../../src/core/budget/thinking-limit';
import { ThoughtMeter } from '../../../../src/core/server/thought-meter';

function think(limit: number, pieces: readonly { text: string; tokens: number }[]) {
  const meter = new ThoughtMeter(limit);
  let text = '';
  for (const piece of pieces) {
    const step = meter.push(piece.text, piece.tokens);
    text += step.text;
    if (step.cut !== null) return { text, cut: step.cut, used: meter.usedTokens };
  }
  return { text, cut: null, used: meter.usedTokens };
}

const words = (text: string) => text.split(/(?<= )/).map((word) => ({ text: word, tokens: 1 }));

test('a sentence may end within the grace', () => {
  expect(think(3, words('one two three four five. six seven'))).toEqual({
    text: 'one two three four five. ',
    cut: 'soft-limit',
    used: 5,
  });
});

test('without an end the thought is cut at limit and grace', () => {
  const end = 8 + graceTokens(8);
  const { cut, used } = think(
    8,
    Array.from({ length: 99 }, () => ({ text: 'on ', tokens: 1 })),
  );
  expect({ cut, used }).toEqual({ cut: 'hard-limit', used: end });
});

test('a full stop after a digit waits for what follows: a decimal goes on, a sentence ends', () => {
  const begin = [...words('it is about '), { text: '3.', tokens: 1 }];
  expect(
    think(3, [...begin, { text: '14', tokens: 1 }, { text: ' or', tokens: 1 }]).cut,
  ).toBeNull();
  expect(think(3, [...begin, { text: ' So', tokens: 1 }])).toMatchObject({
    text: 'it is about 3.',
    cut: 'soft-limit',
  });
});

test('several tokens in one piece: the end of a sentence inside it is found, and the rest left out', () => {
  expect(think(1, [{ text: 'one two. three four', tokens: 4 }])).toMatchObject({
    text: 'one two.',
    cut: 'soft-limit',
  });
});

test('no limit cuts nothing, and none at all thinks nothing', () => {
  expect(think(0, words('a b'))).toEqual({ text: '', cut: 'hard-limit', used: 0 });
  const meter = new ThoughtMeter('unlimited');
  for (let at = 0; at < 5000; at += 1) expect(meter.push('word. ', 1).cut).toBeNull();
});

test('a thought that goes on keeps what it has used', () => {
  const meter = new ThoughtMeter(4, { tokens: 20, text: 'something' });
  expect(meter.isSpent).toBe(true);
  expect(meter.push('more', 1)).toEqual({ text: '', cut: 'hard-limit' });
});

test('where the other side looks for the end, only the hard limit is kept here', () => {
  const meter = new ThoughtMeter(2, undefined, true);
  const cuts = Array.from({ length: 18 }, () => meter.push('Done. ', 1).cut);
  expect(cuts).toEqual([...Array.from({ length: 17 }, () => null), 'hard-limit']);
});

test('tokens without text are counted against the hard limit too', () => {
  const step = { text: '', tokens: 8 };
  expect(think(1, [step, step, step])).toMatchObject({
    cut: 'hard-limit',
    used: 1 + graceTokens(1),
  });
});

test('never past limit and grace, and what is kept is the beginning of what came', () => {
  const piece = fc.record({
    text: fc.string({ unit: fc.constantFrom('a', ' ', '.', '7', '\n', '😀'), maxLength: 9 }),
    tokens: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.array(piece, { maxLength: 80 }),
      (limit, pieces) => {
        const { text, cut, used } = think(limit, pieces);
        expect(used).toBeLessThanOrEqual(limit + graceTokens(limit));
        expect(
          pieces
            .map((one) => one.text)
            .join('')
            .startsWith(text),
        ).toBe(true);
        if (cut === 'soft-limit') expect(text).toMatch(/[.\n]["'”’)\]*_]*[ \t]*$/);
        if (cut === null) expect(text).toBe(pieces.map((one) => one.text).join(''));
      },
    ),
  );
});

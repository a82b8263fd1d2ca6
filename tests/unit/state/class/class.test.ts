// The classroom: a link that carries a class and nothing else, students' files that may be broken, and their sum.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeClass,
  encodeClass,
  type ClassItem,
  type ClassPlan,
} from '../../../../src/state/class/class-plan';
import {
  readResults,
  resultsJson,
  sumUp,
  type ClassResults,
} from '../../../../src/state/class/class-results';
import { Classroom } from '../../../../src/state/class/classroom.svelte';
import { labAddressOf } from '../../../../src/state/lab/lab-address';

const RECALL: ClassItem = {
  kind: 'experiment',
  link: {
    experiment: 'recall',
    model: 'tidepool',
    settings: { kind: 'list', lengths: [2], depths: [0], keys: 1, seed: 1, operations: [null] },
  },
};
const PLAN: ClassPlan = {
  title: 'Was das Modell behält ≠ ∅',
  items: [
    { kind: 'lesson', lesson: 'the-state' },
    RECALL,
    { kind: 'question', text: 'Why?', choices: ['It forgets', 'It looks up'] },
  ],
};

const words = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((one) => one.trim() !== '');
const itemOf: fc.Arbitrary<ClassItem> = fc.oneof(
  fc.stringMatching(/^[a-z-]{1,20}$/).map((lesson) => ({ kind: 'lesson' as const, lesson })),
  fc.record({
    kind: fc.constant('question' as const),
    text: words,
    choices: fc.array(words, { maxLength: 6 }),
  }),
  fc.constant(RECALL),
);

describe('a class in a link', () => {
  it('comes back as it was, in letters that an address may hold', async () => {
    await fc.assert(
      fc.asyncProperty(
        words,
        fc.array(itemOf, { minLength: 1, maxLength: 8 }),
        async (title, items) => {
          const code = await encodeClass({ title, items });
          expect(labAddressOf(`#class=${code}`)).toEqual({ kind: 'class', code });
          expect(await decodeClass(code)).toEqual({ title, items });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is short enough for a code on a screen', async () => {
    expect((await encodeClass(PLAN)).length).toBeLessThan(500);
  });

  it('that is broken is refused with what is wrong, and nothing of it is followed', async () => {
    const codeOf = async (plan: unknown): Promise<string> => encodeClass(plan as ClassPlan);
    const good = await encodeClass(PLAN);
    for (const [code, why] of [
      [good.slice(0, -5), /cut short/],
      ['%%%', /cut short/],
      ['A'.repeat(20_000), /at most/],
      [await codeOf({ title: '', items: PLAN.items }), /title/],
      [await codeOf({ title: 'x', items: [] }), /entries/],
      [
        await codeOf({ title: 'x', items: [{ kind: 'lesson', lesson: '../../x' }] }),
        /names no lesson/,
      ],
      [await codeOf({ title: 'x', items: [{ kind: 'game' }] }), /neither/],
      [await codeOf({ title: 'x'.repeat(100_000), items: PLAN.items }), /title/],
    ] as const) {
      const found = await decodeClass(code);
      if (!('broken' in found)) throw new Error('a broken class was followed');
      expect(found.broken).toMatch(why);
    }
  });

  it('does not unfold without end', async () => {
    const bomb = await encodeClass({ ...PLAN, title: 'x'.repeat(159_000) });
    expect(bomb.length).toBeLessThan(16_000);
    // One that was made elsewhere may unfold to any size.
    const zeros = new Blob([new Uint8Array(3_000_000)]).stream();
    const packed = new Uint8Array(
      await new Response(zeros.pipeThrough(new CompressionStream('deflate-raw'))).arrayBuffer(),
    );
    const code = btoa(String.fromCharCode(...packed))
      .replaceAll('+', '-')
      .replaceAll('/', '_');
    expect(await decodeClass(code)).toEqual({ broken: 'it unfolds to more than a class can be' });
  });
});

const FILE: ClassResults = {
  classKey: 'k1',
  title: 'Memory',
  items: ['What the state is', 'Why?'],
  student: 'Ada',
  model: 'tidepool',
  device: 'wasm',
  results: [
    { item: 0, predicted: 'It stays', outcome: 'It stayed.', isRight: true },
    { item: 1, predicted: 'It forgets', outcome: '', isRight: null },
  ],
};

describe('students’ files', () => {
  it('are read as they were saved', () => {
    const { broken, ...read } = { broken: null, ...readResults('a.json', resultsJson(FILE)) };
    expect(broken).toBeNull();
    expect(read).toEqual(FILE);
  });

  it('that are broken get a sentence with their name', () => {
    const json = resultsJson(FILE);
    const changed = (change: object): string => JSON.stringify({ ...JSON.parse(json), ...change });
    for (const [text, why] of [
      ['', /no JSON/],
      [json.slice(0, 100), /cut short/],
      ['[]', /not saved by a class/],
      ['null', /missing/],
      [changed({ format: 'other' }), /not saved by a class/],
      [changed({ version: 2 }), /newer version/],
      [changed({ results: [{ item: 7, predicted: '', outcome: '', isRight: null }] }), /no entry/],
      [changed({ results: [{ item: 0, predicted: 3, outcome: '', isRight: null }] }), /prediction/],
      [changed({ student: 'x'.repeat(5000) }), /longer/],
      ['x'.repeat(2_000_000), /too large/],
    ] as const) {
      const found = readResults('b.json', text);
      if (!('broken' in found)) throw new Error(`${text.slice(0, 40)} was read`);
      expect(found.broken).toMatch(why);
      expect(found.broken).toContain('b.json');
    }
  });

  it('come to a sum for each class, whatever their order', () => {
    const other = {
      ...FILE,
      student: '',
      results: [{ item: 0, predicted: 'It grows', outcome: 'It stayed.', isRight: false }],
    };
    const [sum, second] = sumUp([FILE, other, { ...FILE, classKey: 'k2' }]);
    expect(sum?.students).toEqual(['Ada', 'Student 2']);
    expect(sum?.items[0]).toMatchObject({ answered: 2, right: 1 });
    expect(sum?.items[0]?.outcomes).toEqual([{ text: 'It stayed.', count: 2 }]);
    expect(sum?.items[1]).toMatchObject({ answered: 1, right: null });
    expect(second?.students).toEqual(['Ada']);
  });
});

describe('a student’s class', () => {
  const memory = () => {
    const kept = new Map<string, string>();
    return {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
  };

  it('takes what ran for its entry, keeps it over a reload, and no other lesson’s', async () => {
    const storage = memory();
    const code = await encodeClass(PLAN);
    const classroom = new Classroom(storage);
    await classroom.follow(code);
    const note = { predicted: 'It stays', outcome: 'It stayed.', isRight: true } as const;
    classroom.note({ kind: 'lesson', id: 'another', ...note });
    expect(classroom.results).toEqual([]);
    classroom.note({ kind: 'lesson', id: 'the-state', ...note });
    classroom.note({ kind: 'lesson', id: 'the-state', ...note, predicted: 'again' });
    expect(classroom.results).toEqual([{ item: 0, ...note, predicted: 'again' }]);
    // An experiment of that kind which was not opened from the class is nobody's.
    classroom.note({ kind: 'recall', ...note });
    expect(classroom.results.length).toBe(1);
    const again = new Classroom(storage);
    await again.follow(code);
    expect(again.results).toEqual(classroom.results);
  });

  it('says of a broken link what to do', async () => {
    const classroom = new Classroom(null);
    await classroom.follow('abc');
    expect(classroom.plan).toBeNull();
    expect(classroom.problem).toMatch(/can’t be followed: .*scan the code again\./);
  });
});

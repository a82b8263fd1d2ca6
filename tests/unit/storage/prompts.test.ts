// Saved prompts: kept, carried in and out as JSON, and what is wrong in a file named by entry and field.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blanksOf, fillBlanks } from '../../../src/core/prompts/prompt';
import { Prompts } from '../../../src/state/prompts/prompts.svelte';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { PROMPT_LIMITS, PromptStore, readPromptFile } from '../../../src/storage/prompt-store';

async function makePrompts(backing = new MemoryBacking()) {
  let ids = 0;
  const problems: unknown[] = [];
  const prompts = new Prompts({
    store: new PromptStore(backing),
    newId: () => `p${(ids += 1)}`,
    onProblem: (error) => void problems.push(error),
  });
  await prompts.load();
  return { prompts, problems };
}

const file = (prompts: unknown): string =>
  JSON.stringify({ format: 'tidepool-prompts', version: 1, prompts });

test('blanks are filled in, each wherever it stands; what is left blank stays to be seen', () => {
  const text = 'Explain {{ topic }} to {{who}}. Why {{topic}}?';
  expect(blanksOf(text)).toEqual(['topic', 'who']);
  expect(fillBlanks(text, new Map([['topic', ' tides ']]))).toBe(
    'Explain tides to {{who}}. Why tides?',
  );
  expect(fillBlanks('{{a}}', new Map([['a', '$& {{b}}']]))).toBe('$& {{b}}');
  expect(blanksOf('code {{}} and { {x} }')).toEqual([]);
});

test('what is saved is there again, and a file of it is read back whole', async () => {
  const prompt = fc.record({
    kind: fc.constantFrom('system' as const, 'question' as const),
    name: fc.stringMatching(/^\S[^]{0,30}$/),
    text: fc.stringMatching(/^\S[^]{0,80}$/),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(prompt, { maxLength: 5 }), async (all) => {
      const backing = new MemoryBacking();
      const { prompts } = await makePrompts(backing);
      for (const one of all) expect(prompts.put(one)).toBe(true);
      const again = await makePrompts(backing);
      expect(again.prompts.list.map(({ text }) => text)).toEqual(all.map(({ text }) => text));
      expect(readPromptFile(prompts.asFile()).prompts).toEqual(
        prompts.list.map(({ kind, name, text }) => ({ kind, name, text })),
      );
      const other = await makePrompts();
      await other.prompts.takeFile(new Blob([prompts.asFile()]));
      expect(other.prompts.list).toHaveLength(all.length);
      expect(await prompts.takeFile(new Blob([prompts.asFile()]))).toMatchObject({ added: 0 });
    }),
    { numRuns: 20 },
  );
});

test('a bad entry is named with its field, and the rest is read', async () => {
  const { prompts } = await makePrompts();
  const good = { kind: 'question', name: 'Tides', text: 'Why {{what}}?' };
  const read = await prompts.takeFile(
    new Blob([
      file([
        good,
        { ...good, kind: 'poem' },
        { ...good, name: ' ' },
        { kind: 'system', name: 'No text' },
        'x',
        { ...good, name: 'Last' },
      ]),
    ]),
  );
  expect(read.added).toBe(2);
  expect(read.problems).toHaveLength(4);
  expect(read.problems[0]).toMatch(/Prompt 2, field “kind”.*system, question/);
  expect(read.problems[1]).toMatch(/Prompt 3, field “name”/);
  expect(read.problems[2]).toMatch(/Prompt 4, field “text”/);
  expect(read.problems[3]).toMatch(/Prompt 5/);
  expect(prompts.list.map(({ name }) => name)).toEqual(['Tides', 'Last']);
});

test('a file that is none of prompts is refused with what to do', async () => {
  const { prompts } = await makePrompts();
  for (const [text, said] of [
    ['{"format":', /no JSON/],
    ['[]', /tidepool-prompts/],
    [JSON.stringify({ format: 'tidepool-prompts', version: 2, prompts: [] }), /newer version/],
  ] as const) {
    const { added, problems } = await prompts.takeFile(new Blob([text]));
    expect(added).toBe(0);
    expect(problems[0]).toMatch(said);
    expect(problems[0]).toMatch(/Choose a file/);
  }
});

test('no more are kept than can be read, and a deleted one comes back to its place', async () => {
  const { prompts } = await makePrompts();
  const many = Array.from({ length: PROMPT_LIMITS.prompts + 3 }, (_, at) => ({
    kind: 'question',
    name: `n${at}`,
    text: 't',
  }));
  const { added, problems } = await prompts.takeFile(new Blob([file(many)]));
  expect(added).toBe(PROMPT_LIMITS.prompts);
  expect(problems[0]).toMatch(/last 3 were left out/);
  expect(prompts.put({ kind: 'system', name: 'one more', text: 't' })).toBe(false);
  const [, second] = prompts.list;
  if (second === undefined) throw new Error('nothing was added');
  prompts.remove(second.id);
  prompts.restore(second, 1);
  expect(prompts.list[1]?.name).toBe('n1');
});

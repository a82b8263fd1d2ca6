/** Every sentence of the page has its wording in every language, with the same blanks, and no wording is left over. */
import { describe, expect, it } from 'vitest';
import { readAllSource, readSentences } from '../../../scripts/page-sentences.js';
import de from '../../../src/core/language/de.json';
import es from '../../../src/core/language/es.json';
import type { Wording } from '../../../src/core/language/translate';

const HOW = 'Run `node scripts/page-sentences.js` and fill in what it prints.';
const sentences = readSentences();
const source = readAllSource();

function blanksOf(wording: string): string {
  return [...wording.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name)
    .sort()
    .join(', ');
}

/** Sentences whose wording has other blanks. For one there may be none: "one message". */
function unlikeBlanks(key: string, one: string | null, wording: Wording): string[] {
  if (typeof wording === 'string') return blanksOf(wording) === blanksOf(key) ? [] : [key];
  const forOne = new Set([blanksOf(key), blanksOf(one ?? key)]);
  return blanksOf(wording.other) === blanksOf(key) && forOne.has(blanksOf(wording.one))
    ? []
    : [key];
}

it('a sentence that is translated stands where it is translated', () => {
  expect(sentences.page.size).toBeGreaterThan(1000);
  expect(sentences.problems, 'write the sentence itself into t(…)').toEqual([]);
});

describe.each([
  ['de', de],
  ['es', es],
] as const)('%s', (_code, table) => {
  const page: Readonly<Record<string, Wording>> = table.page;
  const said: Readonly<Record<string, string>> = table.said;

  it('has every sentence of the page', () => {
    const missing = [...sentences.page.keys()].filter((key) => page[key] === undefined);
    expect(missing, HOW).toEqual([]);
  });

  it('has every sentence that is said to the page', () => {
    expect(
      [...sentences.said].filter((key) => said[key] === undefined),
      HOW,
    ).toEqual([]);
  });

  it('has a form for one and for many where English has', () => {
    const unlike = [...sentences.page].filter(
      ([key, one]) => (typeof page[key] === 'string') !== (one === null),
    );
    expect(unlike.map(([key]) => key)).toEqual([]);
  });

  it('keeps the blanks', () => {
    const unlike = [
      ...[...sentences.page].flatMap(([key, one]) => unlikeBlanks(key, one, page[key] ?? key)),
      ...Object.entries(said).flatMap(([key, wording]) => unlikeBlanks(key, null, wording)),
    ];
    expect(unlike).toEqual([]);
  });

  it('has no wording that is no longer used', () => {
    expect(
      Object.keys(page).filter((key) => !sentences.page.has(key)),
      HOW,
    ).toEqual([]);
    // Not each of these is thrown as a whole; what stands between its blanks is written somewhere.
    const unwritten = Object.keys(said).filter((key) =>
      key.split(/\{\d+\}/).some((part) => !source.includes(part)),
    );
    expect(
      unwritten.filter((key) => !sentences.said.has(key)),
      HOW,
    ).toEqual([]);
  });
});

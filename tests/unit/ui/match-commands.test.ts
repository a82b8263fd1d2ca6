// What is typed into the list of commands finds what a person means, best first.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchCommands, type Command } from '../../../src/ui/palette/match-commands';

const command = (label: string, group = 'Page', detail?: string): Command => ({
  id: label,
  group,
  label,
  ...(detail === undefined ? {} : { detail }),
  run: () => {},
});
const ALL = [
  command('New chat'),
  command('Settings', 'Page', 'sampling, tools, device'),
  command('Storage'),
  command('Chat with Zoë', 'Chat'),
  command('State lab: Tokens', 'Lab'),
  command('What a token costs', 'Lesson'),
];
const labels = (query: string): string[] => matchCommands(ALL, query, 10).map(({ label }) => label);

test('the beginning of the name comes before the middle, the middle before single letters', () => {
  expect(labels('chat')).toEqual(['Chat with Zoë', 'New chat']);
  expect(labels('st')).toEqual(['Storage', 'State lab: Tokens', 'What a token costs', 'Settings']);
  expect(labels('')).toEqual(ALL.map(({ label }) => label));
});

test('words in any order, without accents, in the second line and in the group', () => {
  expect(labels('lab tok')).toEqual(['State lab: Tokens']);
  expect(labels('zoe')).toEqual(['Chat with Zoë']);
  expect(labels('device')).toEqual(['Settings']);
  expect(labels('lesson')).toEqual(['What a token costs']);
  expect(labels('xyzzy')).toEqual([]);
});

test('whatever is typed: no command twice, none beyond the most, and its own name finds each', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(6), (query, most) => {
      const found = matchCommands(ALL, query, most);
      expect(found.length).toBeLessThanOrEqual(most);
      expect(new Set(found).size).toBe(found.length);
    }),
  );
  for (const { label } of ALL) expect(labels(label)[0]).toBe(label);
});

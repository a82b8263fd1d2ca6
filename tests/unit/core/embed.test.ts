import { describe, expect, test } from 'vitest';
import { readEmbed } from '../../../src/core/embed';

function read(query: string) {
  return readEmbed(new URLSearchParams(query), ['tidepool', 'micro']);
}

describe('the address of an embedded chat', () => {
  test('is one only where it says so', () => {
    expect(read('')).toBeNull();
    expect(read('embed=0&limit=64')).toBeNull();
    expect(read('embed=1')).toEqual({ limit: null, theme: 'system', problems: [] });
  });

  test.each([
    ['off', 0],
    ['0', 0],
    ['64', 64],
    ['unlimited', 'unlimited'],
  ])('limit=%s', (asked, limit) => {
    expect(read(`embed=1&model=micro&theme=dark&limit=${asked}`)).toEqual({
      limit,
      theme: 'dark',
      problems: [],
    });
  });

  test.each(['', '-1', '1.5', '1e3', '9999999', '12345678', 'much'])(
    'limit=%j is said to be none',
    (asked) => {
      const embed = read(`embed=1&limit=${asked}`);
      expect(embed?.limit).toBeNull();
      expect(embed?.problems).toHaveLength(1);
    },
  );

  test('a model that the site does not have is said not to be there, in few words', () => {
    const embed = read(`embed=1&model=${'x'.repeat(500)}&theme=pink`);
    expect(embed?.problems[0]?.length).toBeLessThan(100);
    expect(embed?.theme).toBe('system');
  });
});

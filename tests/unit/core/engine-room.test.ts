import { expect, test } from 'vitest';
import { hasEngineRoom } from '../../../src/core/engine-room';

const GIB = 2 ** 30;

test('one engine may always start; more of them where they fit into half of the memory', () => {
  expect(hasEngineRoom(0, 40 * GIB, 1 * GIB)).toBe(true);
  expect(hasEngineRoom(1, 2 * 2 ** 20, 8 * GIB)).toBe(true);
  expect(hasEngineRoom(1, 2 * 2 ** 20, null)).toBe(true);
  expect(hasEngineRoom(1, 2 * 2 ** 20, 0.5 * GIB)).toBe(false);
  expect(hasEngineRoom(1, 2 * GIB, 8 * GIB)).toBe(false);
  expect(hasEngineRoom(9, 2 * 2 ** 20, 4 * GIB)).toBe(true);
  expect(hasEngineRoom(30, 2 * 2 ** 20, 4 * GIB)).toBe(false);
});

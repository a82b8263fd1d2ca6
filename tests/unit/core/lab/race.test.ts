// What the race's readings say: rows, crossings, and how far made states agree with read ones.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesCrossing,
  madeAgreement,
  raceRows,
  speedCrossing,
  type RaceReading,
} from '../../../../src/core/lab/race';

const CONTEXTS = [128, 512, 2048, 8192, 32_768];

/** Two models whose cost and bytes are straight lines over the context. */
function readings(
  hybrid: { base: number; perToken: number; constant: number; kv: number },
  twin: { base: number; perToken: number; constant: number; kv: number },
): RaceReading[] {
  return CONTEXTS.flatMap((context) =>
    [
      { id: 'h', line: hybrid },
      { id: 't', line: twin },
    ].map(({ id, line }) => {
      const ms = line.base + line.perToken * context;
      return {
        id,
        context,
        states: 'read' as const,
        ms: [ms * 2, ms, ms * 0.9],
        constantBytes: line.constant,
        kvBytes: line.kv * context,
      };
    }),
  );
}

const HYBRID = { base: 1.5, perToken: 0.0001, constant: 400_000, kv: 1024 };
const TWIN = { base: 1, perToken: 0.0006, constant: 0, kv: 3072 };

describe('the race', () => {
  it('has a row for each context with its spread, and the ratios of both models', () => {
    const rows = raceRows(readings(HYBRID, TWIN), 'h', 't');
    expect(rows.map(({ context }) => context)).toEqual(CONTEXTS);
    const [first] = rows;
    expect(first?.hybrid?.ms.median).toBeCloseTo(1.5 + 0.0128);
    expect(first?.speedRatio).toBeCloseTo((1 + 0.0768) / 1.5128);
    expect(first?.bytesRatio).toBeCloseTo((400_000 + 131_072) / (3072 * 128));
  });

  it('finds where the hybrid gets ahead, between the two contexts around it', () => {
    // 1.5 + 0.0001 x = 1 + 0.0006 x at 1,000 tokens.
    const crossing = speedCrossing(raceRows(readings(HYBRID, TWIN), 'h', 't'));
    expect(crossing).toBeGreaterThan(512);
    expect(crossing).toBeLessThan(2048);
  });

  it('counts a lead only from where it is kept, and says when there is none, or always one', () => {
    const rows = raceRows(readings(HYBRID, TWIN), 'h', 't');
    expect(speedCrossing(raceRows(readings({ ...HYBRID, base: 0.5 }, TWIN), 'h', 't'))).toBe(
      'always',
    );
    expect(speedCrossing(raceRows(readings({ ...HYBRID, base: 99 }, TWIN), 'h', 't'))).toBe(
      'never',
    );
    const noisy = rows.map((row) => (row.context === 128 ? { ...row, speedRatio: 1.1 } : row));
    expect(speedCrossing(noisy)).toBeGreaterThan(512);
    expect(speedCrossing([])).toBeNull();
  });

  it('finds the crossing of the bytes to the token', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.integer({ min: 1, max: 9_000 }),
        fc.integer({ min: 1, max: 9_000 }),
        (constant, kv, more) => {
          const rows = raceRows(
            readings({ ...HYBRID, constant, kv }, { ...TWIN, kv: kv + more }),
            'h',
            't',
          );
          const at = bytesCrossing(rows) ?? NaN;
          const hybrid = (tokens: number): number => constant + kv * tokens;
          const twin = (tokens: number): number => (kv + more) * tokens;
          expect(hybrid(at)).toBeLessThanOrEqual(twin(at));
          if (at > 0) expect(hybrid(at - 1)).toBeGreaterThan(twin(at - 1));
        },
      ),
    );
  });

  it('takes what was read before what was made, and tells how far they differ', () => {
    const all = readings(HYBRID, TWIN);
    expect(madeAgreement(all)).toBeNull();
    const made = all
      .filter(({ id, context }) => id === 't' && context === 2048)
      .map((one) => ({ ...one, states: 'made' as const, ms: one.ms.map((ms) => ms * 0.8) }));
    expect(madeAgreement([...made, ...all])).toBeCloseTo(1.25);
    expect(raceRows([...made, ...all], 'h', 't')).toEqual(raceRows(all, 'h', 't'));
  });
});

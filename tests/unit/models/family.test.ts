import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import family from '../../../public/models/family.json';

const ROOT = new URL('../../../', import.meta.url);
const IDS = ['moe', 'latent-moe', 'mtp', 'nvfp4', 'fp8', 'twin', 'minipuzzle'];
const readme = readFileSync(new URL('README.md', ROOT), 'utf8');
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

describe('public/models/family.json', () => {
  it('has each system once, in the form of its contract', () => {
    const ids = family.systems.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(IDS).toContain(id);
  });

  it.each(family.systems)('$id: its figure lies in its interval and can be run again', (system) => {
    const [low = NaN, high = NaN] = system.figure.interval;
    expect(low).toBeLessThanOrEqual(system.figure.value);
    expect(high).toBeGreaterThanOrEqual(system.figure.value);
    expect(system.figure.control).toBe(family.control.accuracy);
    expect(system.command).toMatch(/^(npm run |python -m |model\/runs\/)/);
    expect(system.commit).toMatch(/^[0-9a-f]{7,40}$/);
    expect(typeof system.emulated).toBe('boolean');
  });

  it('is what README says of it', () => {
    for (const { figure } of family.systems) {
      expect(readme).toContain(percent(figure.value));
      expect(readme).toContain(percent(figure.control));
    }
  });

  it('names a control whose own evaluation says the same', () => {
    const evaluation = JSON.parse(
      readFileSync(new URL(`public/models/${family.control.model}/eval.json`, ROOT), 'utf8'),
    ) as { overall: { unlimited: number }; n: number };
    expect(family.control.accuracy).toBe(evaluation.overall.unlimited);
    expect(family.control.problems).toBe(evaluation.n);
    expect(existsSync(new URL(`public/models/${family.control.model}/manifest.json`, ROOT))).toBe(
      true,
    );
  });
});

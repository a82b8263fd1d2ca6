import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import family from '../../../public/models/family.json';

const ROOT = new URL('../../../', import.meta.url);
const IDS = ['moe', 'latent-moe', 'mtp', 'nvfp4', 'fp8', 'twin', 'minipuzzle'];
const readme = readFileSync(new URL('README.md', ROOT), 'utf8');
/** As src/state/lab/family/figure-words.ts writes: accuracies and shares as percent, the rest as numbers. */
const written = (name: string, value: number): string =>
  /^(?:accuracy|share)\b/i.test(name)
    ? `${(100 * value).toFixed(1)} %`
    : String(Number(value.toPrecision(3)));

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
    const { control, against } = system.figure as { control: number; against?: string };
    // What a figure is held against: the shipped model, or a run of its own that is told of below `controls`.
    const known = new Map<string, number>(family.controls.map(({ id, value }) => [id, value]));
    expect(control).toBe(against === undefined ? family.control.accuracy : known.get(against));
    expect(system.command).toMatch(/^(npm run |python -m |model\/runs\/)/);
    expect(system.commit).toMatch(/^[0-9a-f]{7,40}$/);
    expect(typeof system.emulated).toBe('boolean');
  });

  it('is what README says of it', () => {
    for (const { figure } of family.systems) {
      expect(readme).toContain(written(figure.name, figure.value));
      expect(readme).toContain(written(figure.name, figure.control));
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

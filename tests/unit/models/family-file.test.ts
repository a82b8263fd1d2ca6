import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFamilyFile } from '../../../src/models/family-file';
import { EngineError } from '../../../src/core/errors';
import shipped from '../../../public/models/family.json';

const first = shipped.systems.find(({ id }) => id === 'nvfp4');

/** The shipped file with one system in place of all. */
function withSystem(change: Readonly<Record<string, unknown>>): unknown {
  return { ...shipped, systems: [{ ...first, ...change }] };
}

function refusal(json: unknown): string {
  try {
    readFamilyFile(json);
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    return (error as EngineError).message;
  }
  return 'nothing was refused';
}

describe('reading family.json', () => {
  it('reads the file that is shipped, each system with a place to run it again', () => {
    const { control, systems } = readFamilyFile(shipped);
    expect(control.folder).toBe('tidepool');
    expect(control.accuracy?.interval).not.toBeNull();
    expect(control.heldOutLoss?.value).toBeGreaterThan(0);
    expect(systems.map(({ id }) => id)).toEqual(shipped.systems.map(({ id }) => id));
    const nvfp4 = systems.find(({ id }) => id === 'nvfp4');
    expect(nvfp4?.folder).toBe('tidepool-nvfp4');
    expect(nvfp4?.accuracy).toEqual({
      value: nvfp4?.figure.value,
      interval: nvfp4?.figure.interval,
    });
  });

  it('takes what stands beside the contract, as numbers or with intervals', () => {
    const { systems } = readFamilyFile(
      withSystem({
        id: 'moe',
        folder: 'models/tidepool-moe/',
        parameters: 5e6,
        active: 3e6,
        bytes: 3_900_000,
        heldOutLoss: 0.75,
        accuracy: { value: 0.6, interval: [0.5, 0.7] },
      }),
    );
    expect(systems[0]).toMatchObject({
      folder: 'tidepool-moe',
      parameters: 5e6,
      activeParameters: 3e6,
      weightBytes: 3_900_000,
      heldOutLoss: { value: 0.75, interval: null },
      accuracy: { value: 0.6, interval: [0.5, 0.7] },
    });
  });

  it.each([
    [{}, 'control'],
    [{ ...shipped, systems: {} }, 'systems'],
    [withSystem({ id: 'moon' }), 'moon'],
    [withSystem({ figure: { name: 'accuracy', value: 'high' } }), 'value of figure of nvfp4'],
    [
      withSystem({ figure: { name: 'accuracy', value: 1, interval: [2, 1] } }),
      'interval of figure of nvfp4',
    ],
    [withSystem({ command: '' }), 'command of nvfp4'],
    [withSystem({ folder: '../elsewhere' }), 'folder of nvfp4'],
    [withSystem({ bytes: -5 }), 'bytes of nvfp4'],
    [{ ...shipped, systems: [first, first] }, 'twice'],
  ])('refuses a broken file with a sentence that names the field: %#', (json, named) => {
    const message = refusal(json);
    expect(message).toContain('family.json');
    expect(message).toContain(named);
  });

  it('never fails with anything but such a sentence', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (control, systems) => {
        expect(refusal({ control, systems: [systems] })).toContain('family.json');
      }),
    );
  });
});

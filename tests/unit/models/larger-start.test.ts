// When the larger model loads by itself, is offered, or is refused: said cases, and that no combination loads against a wish.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planLarger, type StartFacts } from '../../../src/models/larger-start';

const FREE = { savesData: false, isMetered: false, isSlow: false };

const FACTS: StartFacts = {
  title: 'Lagoon',
  smaller: 'Tidepool',
  isKept: false,
  hasBegun: false,
  choice: null,
  isOwnMachine: false,
  isPhone: false,
  connection: FREE,
  verdict: { fit: 'fits', device: 'wasm', reasons: [] },
  deaths: 0,
  hasEngineRoom: true,
};

function plan(change: Partial<StartFacts>): ReturnType<typeof planLarger> {
  return planLarger({ ...FACTS, ...change });
}

describe('planLarger', () => {
  it('offers it at a first visit, without a word of warning', () => {
    expect(plan({})).toEqual({ kind: 'offer', notes: [] });
  });

  it('loads it by itself where the page comes from this machine', () => {
    expect(plan({ isOwnMachine: true })).toEqual({ kind: 'load' });
  });

  it('loads it where it was chosen and is kept, or its download was cut off', () => {
    expect(plan({ choice: 'larger', isKept: true })).toEqual({ kind: 'load' });
    expect(plan({ choice: 'larger', hasBegun: true })).toEqual({ kind: 'load' });
  });

  it('offers it where it was chosen and the browser has let go of it', () => {
    expect(plan({ choice: 'larger' }).kind).toBe('offer');
  });

  it('stays with the smaller one where that was chosen, on this machine too', () => {
    const chosen = plan({ choice: 'smaller', isKept: true, isOwnMachine: true });
    expect(chosen).toEqual({ kind: 'offer', notes: [] });
  });

  it.each([
    ['savesData', /asks to save data/],
    ['isMetered', /mobile connection/],
    ['isSlow', /connection is slow/],
  ] as const)('fetches nothing by itself when %s, and says why', (name, sentence) => {
    const connection = { ...FREE, [name]: true };
    const held = plan({ connection, isOwnMachine: true });
    expect(held).toMatchObject({ kind: 'offer', notes: [expect.stringMatching(sentence)] });
    expect(plan({ connection, choice: 'larger', hasBegun: true }).kind).toBe('offer');
    // What is kept costs no byte.
    expect(plan({ connection, choice: 'larger', isKept: true })).toEqual({ kind: 'load' });
  });

  it('refuses it where it does not fit, with the reason and what stays', () => {
    const reasons = ['It needs 1.21 GiB of the 1.00 GiB that this browser tells it has.'];
    const refused = plan({ verdict: { fit: 'no', device: 'wasm', reasons }, isOwnMachine: true });
    expect(refused).toEqual({
      kind: 'refuse',
      reason: `Lagoon does not fit here. ${reasons[0] ?? ''} Tidepool stays.`,
    });
  });

  it('refuses it on a phone without WebGPU, and not on one that has it', () => {
    expect(plan({ isPhone: true })).toMatchObject({
      kind: 'refuse',
      reason: expect.stringMatching(/WebGPU.*Tidepool stays/) as string,
    });
    const verdict = { fit: 'fits', device: 'webgpu', reasons: [] } as const;
    expect(plan({ isPhone: true, verdict }).kind).toBe('offer');
  });

  it('does not load by itself after deaths, beside other tabs, or where memory is tight and nobody chose it', () => {
    const own = { isOwnMachine: true } as const;
    expect(plan({ ...own, deaths: 2 })).toMatchObject({
      notes: [expect.stringMatching(/last 2 times/)],
    });
    expect(plan({ ...own, hasEngineRoom: false })).toMatchObject({
      notes: [expect.stringMatching(/Another tab/)],
    });
    const tight = { fit: 'tight', device: 'wasm', reasons: ['Close other tabs first.'] } as const;
    expect(plan({ ...own, verdict: tight })).toEqual({ kind: 'offer', notes: tight.reasons });
    expect(plan({ verdict: tight, choice: 'larger', isKept: true })).toEqual({ kind: 'load' });
  });

  it('never fetches against saved data, a choice, deaths or a verdict, whatever else holds', () => {
    const facts: fc.Arbitrary<StartFacts> = fc.record({
      title: fc.constant('Lagoon'),
      smaller: fc.constant('Tidepool'),
      isKept: fc.boolean(),
      hasBegun: fc.boolean(),
      choice: fc.constantFrom('larger', 'smaller', null),
      isOwnMachine: fc.boolean(),
      isPhone: fc.boolean(),
      connection: fc.record({
        savesData: fc.boolean(),
        isMetered: fc.boolean(),
        isSlow: fc.boolean(),
      }),
      verdict: fc.record({
        fit: fc.constantFrom('fits', 'tight', 'no', 'unknown'),
        device: fc.constantFrom('webgpu', 'wasm'),
        reasons: fc.array(fc.string()),
      }),
      deaths: fc.nat(3),
      hasEngineRoom: fc.boolean(),
    });
    fc.assert(
      fc.property(facts, (one) => {
        const { connection, verdict } = one;
        if (planLarger(one).kind !== 'load') return;
        expect(one.choice).not.toBe('smaller');
        expect(one.deaths).toBe(0);
        expect(verdict.fit).not.toBe('no');
        expect(one.hasEngineRoom).toBe(true);
        if (!one.isKept) expect(Object.values(connection)).not.toContain(true);
        if (one.isPhone) expect(verdict.device).toBe('webgpu');
      }),
    );
  });
});

// The gate of step mode: whoever waits passes when it is let, as often as it is let.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StepGate } from '../../../src/core/step-gate';

/** Goes through the gate for ever; tells how often it has passed. */
function walker(gate: StepGate): () => number {
  let passed = 0;
  void (async () => {
    while (passed < 1000) {
      await gate.pass();
      passed += 1;
    }
  })();
  return () => passed;
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('the gate', () => {
  it('stands open until it is closed', async () => {
    const gate = new StepGate();
    expect(gate.isCounting).toBe(false);
    const passed = walker(gate);
    await settle();
    expect(passed()).toBe(1000);
  });

  it('lets exactly as many pass as were allowed, in whatever portions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }),
        async (portions) => {
          const gate = new StepGate();
          gate.allow(0);
          const passed = walker(gate);
          let sum = 0;
          for (const portion of portions) {
            gate.allow(portion);
            sum += portion;
            await settle();
            expect(passed()).toBe(sum);
            expect(gate.isOpen).toBe(false);
          }
          gate.allow(Infinity);
          await settle();
          expect(passed()).toBe(1000);
        },
      ),
      { numRuns: 30 },
    );
  });
});

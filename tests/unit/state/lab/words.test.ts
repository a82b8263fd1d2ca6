// The lab's pure parts: curves, sentences, links, grids, records; examples with their numbers, and properties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { curveBytes, curveCrossover, memoryCurves } from '../../../../src/core/lab/memory-curves';
import { FLOAT32_WIDTHS, stateBytesAt } from '../../../../src/core/memory/state-memory';
import { FAKE_SPEC } from '../../../../src/engine/fake-engine';
import type { EngineEvent } from '../../../../src/protocol/engine-api';
import { halfLives, rowShares, strongest, transpose } from '../../../../src/state/lab/layer-words';
import {
  curveFacts,
  growthCheck,
  honestSentence,
  horizonSentence,
  liveSentence,
} from '../../../../src/state/lab/memory-words';
import {
  compareSentence,
  FIRST_DRAFT,
  OPERATION_TITLES,
  operationInWords,
  operationOf,
  type OperationKind,
} from '../../../../src/state/lab/operation-words';
import { recallCells, recallSentence } from '../../../../src/state/lab/recall-grid';
import { costContexts, costSentence } from '../../../../src/state/lab/token-words';
import { LabTrace } from '../../../../src/state/lab/trace';

const MEASURED = {
  ssmBytes: stateBytesAt(FAKE_SPEC, 0, FLOAT32_WIDTHS, 'kernel-1').ssm,
  convBytes: stateBytesAt(FAKE_SPEC, 0, FLOAT32_WIDTHS, 'kernel-1').conv,
  bytesPerToken: 1024,
};

describe('memory curves', () => {
  it('hold the running model, its twin and both published models, with the published crossovers', () => {
    const [own, twin, large, small] = memoryCurves(FAKE_SPEC, MEASURED);
    expect(own?.provenance).toBe('measured');
    // 7 attention layers in place of 2, at the same 512 bytes a layer.
    expect(twin?.bytesPerToken).toBe(7 * 512);
    expect(twin?.constantBytes).toBe(0);
    expect(large?.bytesPerToken).toBe(6 * 1024);
    expect(small?.bytesPerToken).toBe(16 * 1024);
    expect(large && curveCrossover(large)).toBe(8035);
    expect(large && curveFacts(large)).toBe(
      '46.0 MiB SSM + 1.08 MiB conv state, 6 KiB of KV cache a token, crossover at 8,035 tokens',
    );
    expect(small && curveFacts(small)).toMatch(
      /^78\.75 MiB SSM .* 16 KiB of KV cache a token, crossover at 5,140 tokens$/,
    );
    // 78.75 MiB to the byte; three figures are written.
    expect(small?.ssmBytes).toBe(78.75 * 2 ** 20);
    expect(large?.ssmBytes).toBe(46 * 2 ** 20);
  });

  it('say on the page where the constant state is the larger one, model by model', () => {
    const sentence = honestSentence(memoryCurves(FAKE_SPEC, MEASURED));
    expect(sentence).toContain('Below the crossover the constant state is the larger one');
    expect(sentence).toContain('8,035 in Nemotron 3 Nano 30B-A3B');
  });

  it('cross where the two parts are level, and nowhere before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e6 }), (a, b) => {
        const curve = {
          name: '',
          provenance: 'measured' as const,
          source: '',
          constantBytes: a,
          ssmBytes: a,
          convBytes: 0,
          bytesPerToken: b,
          maxTokens: 1,
        };
        const meet = curveCrossover(curve) ?? NaN;
        expect(b * meet).toBeGreaterThanOrEqual(a);
        expect(b * (meet - 1)).toBeLessThan(a);
        expect(curveBytes(curve, meet)).toBe(a + b * meet);
      }),
    );
  });

  it('are said truly on both sides of the crossover', () => {
    const point = (tokens: number) => ({
      tokens,
      ssmBytes: 90_000,
      convBytes: 10_000,
      kvBytes: tokens * 1024,
    });
    expect(liveSentence([point(10)], 98)).toContain('the constant state is the larger one');
    expect(liveSentence([point(200)], 98)).toContain('the cache is the larger one');
    expect(liveSentence([], null)).toContain('Nothing has been read');
    const curves = memoryCurves(FAKE_SPEC, MEASURED);
    expect(horizonSentence(curves, 4)).toContain('has not paid off yet');
    expect(horizonSentence(curves, 2 ** 20)).toContain('beyond the 2,048');
  });

  it('check the growth against the config, byte for byte', () => {
    const point = (tokens: number, kvBytes: number) => ({
      tokens,
      ssmBytes: 1,
      convBytes: 1,
      kvBytes,
    });
    expect(growthCheck([point(1, 1024), point(11, 11 * 1024)], FAKE_SPEC)).toMatchObject({
      measured: 1024,
      isExact: true,
    });
    expect(
      growthCheck([point(1, 1024), point(6, 6 * 1024), point(11, 6 * 1024)], FAKE_SPEC)?.isExact,
    ).toBe(false);
    expect(growthCheck([point(1, 1024)], FAKE_SPEC)).toBeNull();
  });
});

describe('layers', () => {
  it('average a head’s decay as what multiplies', () => {
    // Decays 0.25 and 1 keep a quarter over two tokens: half a token on average, so one token halves.
    const lives = halfLives({ rows: 2, columns: 1, values: Float32Array.of(0.25, 1) });
    expect(lives[0]).toBeCloseTo(1, 6);
  });

  it('turn and turn back to the same matrix; shares sum to one in size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        (rows, columns) => {
          const values = Float32Array.from({ length: rows * columns }, (_, at) => at - 3.5);
          const matrix = { rows, columns, values };
          expect(transpose(transpose(matrix))).toEqual(matrix);
          const shares = rowShares(matrix).values;
          for (let row = 0; row < rows; row += 1) {
            const sum = shares
              .slice(row * columns, (row + 1) * columns)
              .reduce((total, value) => total + Math.abs(value), 0);
            expect(sum).toBeCloseTo(1, 5);
          }
        },
      ),
    );
    expect(strongest({ rows: 1, columns: 2, values: Float32Array.of(0, 0) })).toBeNull();
  });
});

describe('operations', () => {
  it('each kind makes an operation and words for it', () => {
    for (const kind of Object.keys(OPERATION_TITLES) as OperationKind[]) {
      const operation = operationOf({ ...FIRST_DRAFT, kind });
      expect(operation.kind).toBe(kind);
      expect(operationInWords(operation).length).toBeGreaterThan(10);
    }
  });

  it('say where two texts part, and that an ended turn says nothing', () => {
    const run = (texts: string[]) => ({
      tokenIds: texts.map((_, at) => at),
      texts,
      text: texts.join(''),
      ended: true,
    });
    const base = { baselineBytes: 1, operatedBytes: 1 };
    expect(
      compareSentence({
        ...base,
        baseline: run([' a', ' b']),
        operated: run([' a', ' c']),
        kl: Float64Array.of(0, 1),
        firstDifference: 1,
      }),
    ).toBe(
      'The two part at token 2: “b” became “c”. The operated model’s predictions are 0.500 nats from the untouched one’s on average.',
    );
    expect(
      compareSentence({
        ...base,
        baseline: run([]),
        operated: run([]),
        kl: new Float64Array(0),
        firstDifference: null,
      }),
    ).toContain('ended its turn');
  });
});

describe('recall', () => {
  it('lays out all cells and compares the prediction with what came out', () => {
    const drop = operationOf({ ...FIRST_DRAFT, kind: 'kv-drop' });
    const cells = recallCells({
      kind: 'list',
      lengths: [2],
      depths: [0, 1],
      keys: 1,
      seed: 1,
      operations: [null, drop],
    });
    expect(cells).toHaveLength(4);
    const done = cells.map((cell) => ({
      ...cell,
      result: {
        context: '',
        contextTokens: 1,
        ms: 1,
        answers: [
          { key: 'a', question: '', expected: '1', answer: '', isRight: cell.operation === null },
        ],
      },
    }));
    const sentence = recallSentence(done, [null, drop], 0.5);
    expect(sentence).toContain('recalled 2 of 2');
    expect(sentence).toContain('0 of 2');
    expect(sentence).toContain('You predicted 50 %; it was 0 %');
  });
});

describe('costs', () => {
  it('measure within the context and claim growth only when it is there', () => {
    expect(costContexts(512, 7)).toEqual([32, 64, 128, 256]);
    const point = (context: number, decodeMs: number) => ({
      context,
      decodeMs,
      decodeRange: [decodeMs, decodeMs] as const,
      prefillMs: 1,
    });
    expect(costSentence([point(32, 10), point(256, 10.5)])).toContain('about the same');
    expect(costSentence([point(32, 10), point(256, 30)])).toContain('3.0 times as much');
  });
});

describe('the trace', () => {
  const token = (text: string): EngineEvent => ({
    type: 'token',
    id: 1,
    text,
    channel: 'answer',
    injected: false,
    ms: 1,
  });

  it('knows what stood before each token, except inside a character', () => {
    const trace = new LabTrace();
    trace.start('a', null);
    trace.take([token('He'), token(''), token('é'), token('!')]);
    expect(trace.view().tokens.map(({ before }) => before?.answer ?? null)).toEqual([
      '',
      'He',
      null,
      'Heé',
    ]);
  });

  it('offers no branch off a reply that goes on behind its tools: they would be lost', () => {
    const trace = new LabTrace();
    trace.start('a', { thought: null, answer: 'So' }, true);
    trace.take([token(' it'), token(' is')]);
    expect(trace.view().tokens.map(({ before }) => before)).toEqual([null, null]);
  });

  it('forgets bytes of a longer context when a shorter one begins', () => {
    const trace = new LabTrace();
    const memory = (tokens: number): EngineEvent => ({
      type: 'memory',
      memory: {
        weightBytes: 1,
        ssmBytes: 1,
        convBytes: 1,
        kvBytes: tokens,
        kvAllocatedBytes: tokens,
        snapshotBytes: 0,
        snapshotCount: 0,
        tokens,
      },
    });
    trace.take([memory(5), memory(6), memory(3), memory(4)]);
    expect(trace.view().memory.map(({ tokens }) => tokens)).toEqual([3, 4]);
  });
});

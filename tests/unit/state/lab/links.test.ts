// Links of the lab: what goes in comes out, whatever it is; what is no experiment is refused with a reason.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SsmTarget, SurgeryOp } from '../../../../src/protocol/lab-api';
import {
  decodeExperiment,
  encodeExperiment,
  MAX_LINK_CHARACTERS,
  type ExperimentLink,
} from '../../../../src/state/lab/experiment-link';
import { portableStart, startInWords } from '../../../../src/state/lab/experiment-start';
import { experimentHash, labAddressOf, lessonHash } from '../../../../src/state/lab/lab-address';

const whole = (min: number, max: number) => fc.integer({ min, max });
const share = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
const layer = whole(0, 999);

const target: fc.Arbitrary<SsmTarget> = fc.oneof(
  fc.constant({ scope: 'all' as const }),
  fc.record({ scope: fc.constant('layer' as const), layer }),
  fc.record({ scope: fc.constant('head' as const), layer, head: whole(0, 999) }),
);

const operation: fc.Arbitrary<SurgeryOp> = fc.oneof(
  fc.record({ kind: fc.constantFrom('zero' as const, 'freeze' as const), target }),
  fc.record({
    kind: fc.constant('noise' as const),
    target,
    strength: share,
    seed: whole(0, 2 ** 31 - 1),
  }),
  fc.record({ kind: fc.constant('scale' as const), target, factor: share }),
  fc.record({
    kind: fc.constant('quantise' as const),
    target,
    bits: fc.constantFrom(16 as const, 8 as const, 4 as const),
    everyToken: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('kv-drop' as const), layer: fc.option(layer) }),
  fc.record({
    kind: fc.constant('kv-window' as const),
    layer: fc.option(layer),
    tokens: whole(1, 100_000),
  }),
);

const sampling = fc.record({
  temperature: share,
  topK: whole(0, 1000),
  topP: share,
  minP: share,
  repetitionPenalty: fc.constantFrom(1, 1.1),
});

const words = fc.string({ unit: 'grapheme', maxLength: 60 });
const source = fc.oneof(
  fc.record({
    kind: fc.constant('messages' as const),
    messages: fc.array(
      fc.record({
        role: fc.constantFrom('system' as const, 'user' as const, 'assistant' as const),
        content: words,
      }),
      { minLength: 1, maxLength: 5 },
    ),
    thinking: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('text' as const), text: words }),
  fc.record({
    kind: fc.constant('tokens' as const),
    tokenIds: fc.array(whole(0, 200_000), { minLength: 1, maxLength: 50 }),
  }),
);

const start = fc.record({ source, message: words }, { requiredKeys: ['source'] });
const operations = fc.array(operation, { minLength: 1, maxLength: 3 });

const link: fc.Arbitrary<ExperimentLink> = fc.oneof(
  fc
    .tuple(start, operations, whole(1, 512), sampling, whole(0, 2 ** 32 - 1), words)
    .map(([from, ops, tokens, drawn, seed, model]) => ({
      experiment: 'compare' as const,
      model,
      request: { ...from, operations: ops, tokens, sampling: { ...drawn, seed } },
    })),
  fc
    .tuple(
      start,
      fc.array(whole(0, 9999), { minLength: 1, maxLength: 4 }),
      whole(1, 512),
      sampling,
      words,
    )
    .map(([from, seeds, tokens, drawn, model]) => ({
      experiment: 'fork' as const,
      model,
      request: { ...from, seeds, tokens, sampling: drawn },
    })),
  fc
    .tuple(
      fc.record({
        kind: fc.constantFrom('list' as const, 'story' as const),
        lengths: fc.array(whole(1, 400), { minLength: 1, maxLength: 4 }),
        depths: fc.array(share, { minLength: 1, maxLength: 4 }),
        keys: whole(1, 8),
        seed: whole(0, 9999),
        operations: fc.array(fc.option(operation), { minLength: 1, maxLength: 3 }),
      }),
      words,
    )
    .map(([settings, model]) => ({ experiment: 'recall' as const, model, settings })),
);

const COMPARE: ExperimentLink = {
  experiment: 'compare',
  model: 'tidepool',
  request: {
    source: {
      kind: 'messages',
      messages: [{ role: 'user', content: 'What is 2 + 3?' }],
      thinking: true,
    },
    operations: [{ kind: 'zero', target: { scope: 'all' } }],
    tokens: 64,
    sampling: { temperature: 0.2, topK: 40, topP: 0.95, minP: 0.1, repetitionPenalty: 1, seed: 1 },
  },
};

describe('links to lessons and experiments', () => {
  it('lead back to a lesson', () => {
    expect(labAddressOf(lessonHash('the-state'))).toEqual({ kind: 'lesson', id: 'the-state' });
  });

  it('carry every experiment exactly: prompt, seeds, operations and settings', () => {
    fc.assert(
      fc.property(link, (one) => {
        const hash = experimentHash(one);
        if (hash === null) {
          expect(encodeExperiment(one).length).toBeGreaterThan(MAX_LINK_CHARACTERS);
          return;
        }
        expect(labAddressOf(hash)).toEqual({ kind: 'experiment', link: one });
        // Browsers hand out addresses with some characters escaped.
        expect(labAddressOf(new URL(`https://example.test/${hash}`).hash)).toEqual({
          kind: 'experiment',
          link: one,
        });
      }),
    );
  });

  it('ask nothing of the lab when they are no links to it', () => {
    for (const hash of ['', '#', '#/chat/abc', '#lesson', '#experiments=1'])
      expect(labAddressOf(hash)).toBeNull();
  });

  it('are refused with a reason, whatever stands in them', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(labAddressOf(`#experiment=${text}`)?.kind).toBe('broken');
      }),
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        const found = decodeExperiment(encodeURIComponent(json));
        expect('broken' in found && found.broken.length > 5).toBe(true);
      }),
    );
  });

  it('cut short anywhere, are refused', () => {
    const whole = encodeExperiment(COMPARE);
    for (let length = 0; length < whole.length; length += 1)
      expect(decodeExperiment(whole.slice(0, length))).toHaveProperty('broken');
  });

  it.each([
    ['the seed', { sampling: { ...COMPARE.request.sampling, seed: -1 } }, /the seed is -1/],
    ['the length', { tokens: 1e6 }, /the number of tokens is 1000000, not 1 to 512/],
    ['the operation', { operations: [{ kind: 'explode' }] }, /not one of zero, freeze/],
    ['no operation', { operations: [] }, /has 0 entries, not 1 to 8/],
    ['the live state of another tab', { source: { kind: 'live' } }, /not one of messages/],
    [
      'a role',
      { source: { kind: 'messages', messages: [{ role: 'root', content: '' }], thinking: false } },
      /role .* is "root"/,
    ],
  ])('say what is wrong with %s', (_what, change, reason) => {
    const found = decodeExperiment(
      encodeURIComponent(
        JSON.stringify({ ...COMPARE, request: { ...COMPARE.request, ...change } }),
      ),
    );
    expect('broken' in found ? found.broken : '').toMatch(reason);
  });

  it('are not made longer than they are read', () => {
    const long = 'word '.repeat(4000);
    const request = { ...COMPARE.request, source: { kind: 'text' as const, text: long } };
    expect(experimentHash({ ...COMPARE, request })).toBeNull();
    expect(decodeExperiment('x'.repeat(MAX_LINK_CHARACTERS + 1))).toHaveProperty('broken');
  });
});

describe('where an experiment begins', () => {
  const live = { tokens: 3, tokenIds: Int32Array.of(5, 6, 7), texts: ['a', 'b', 'c'] };

  it('goes to another tab as the tokens that were read', () => {
    expect(
      portableStart({ source: { kind: 'live' }, message: 'and?' }, { ...live, operations: [] }),
    ).toEqual({ source: { kind: 'tokens', tokenIds: [5, 6, 7] }, message: 'and?' });
  });

  it('does not go when the state was operated on, or there is none', () => {
    const from = { source: { kind: 'live' as const } };
    const operated = { ...live, operations: [{ kind: 'kv-drop' as const, layer: null }] };
    expect(portableStart(from, operated)).toBeNull();
    expect(portableStart(from, null)).toBeNull();
  });

  it('is said in words', () => {
    expect(startInWords(COMPARE.request)).toBe('“What is 2 + 3?”, with thinking');
  });
});

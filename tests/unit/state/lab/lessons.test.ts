// Every lesson runs through on the fake engine: predictions, a true sentence, bars; ids that links can carry.
import { GREEDY } from '../../../../src/core/sampling/greedy';
import { describe, expect, it } from 'vitest';
import {
  allAttentionTwin,
  FLOAT32_WIDTHS,
  stateBytesAt,
} from '../../../../src/core/memory/state-memory';
import { twinCrossing } from '../../../../src/state/lab/family/twin-words';
import { TWIN_LESSON } from '../../../../src/ui/lessons/twin-lesson';
import type { ModelSpec } from '../../../../src/core/model-spec';
import { createFakeEngine, FAKE_SPEC } from '../../../../src/engine/fake-engine';
import type { ModelPart, RoutedRun, WithoutResult } from '../../../../src/protocol/lab-api';
import { labAddressOf, lessonHash } from '../../../../src/state/lab/lab-address';
import { DRAFTS_LESSON } from '../../../../src/ui/lessons/drafts-lesson';
import { EIGHT_BITS_LESSON, eightBitError } from '../../../../src/ui/lessons/eight-bits-lesson';
import { FAMILY_LESSONS } from '../../../../src/ui/lessons/family-lessons';
import {
  LESSONS as SIX,
  type Lesson,
  type LessonHost,
  type LessonResult,
} from '../../../../src/ui/lessons/lessons';

const LESSONS = [...SIX, DRAFTS_LESSON];

async function makeHost(): Promise<LessonHost> {
  const engine = createFakeEngine('thinks', 0);
  await engine.load({ modelUrl: 'https://example.test/', device: 'auto' }, () => {});
  // The fake's sequence is that of a reply.
  await engine.generate(
    {
      id: 'a',
      messages: [{ role: 'user', content: 'Hello there, what is the tide?' }],
      thinkingLimit: 0,
      closingSentence: '',
      maxAnswerTokens: 32,
      sampling: GREEDY,
      stopStrings: [],
      tools: [],
      candidates: 0,
    },
    () => {},
  ).done;
  return {
    spec: FAKE_SPEC,
    run: async (name, _title, request, onProgress) => {
      const result = await engine.lab(name, request, onProgress).done;
      return result.stopped ? null : result.value;
    },
  };
}

describe('the lessons on FP8 and on the twin', () => {
  it('put a row through eight bits: what fits stays, the rest moves by a sixteenth at most', () => {
    expect(eightBitError(Float32Array.of(1, -0.5, 0, 416 / 448), 1)).toBeCloseTo(0);
    expect(eightBitError(Float32Array.of(17 / 16), 448)).toBeCloseTo(1 / 17);
    expect(eightBitError(new Float32Array(4), 1)).toBe(0);
    const row = Float32Array.from({ length: 1000 }, (_, at) => Math.sin(at));
    expect(eightBitError(row, 1)).toBeGreaterThan(0.01);
    expect(eightBitError(row, 1)).toBeLessThan(1 / 16);
  });

  it.each([EIGHT_BITS_LESSON, TWIN_LESSON])(
    '$id runs, and names a prediction that there is',
    async (lesson) => {
      const result = await lesson.run(await makeHost());
      if (result === null || typeof result === 'string') throw new Error(result ?? 'stopped');
      expect(result.sentence).toMatch(/\d/);
      expect(result.bars.length).toBeGreaterThan(1);
      expect(lesson.predictions[result.right ?? 0]).toBeDefined();
    },
  );

  it('say where the twin comes to hold more, and why there is none', async () => {
    const crossing = twinCrossing(FAKE_SPEC);
    const twin = allAttentionTwin(FAKE_SPEC);
    if (crossing === null || twin === null) throw new Error('no twin');
    const bytes = (spec: ModelSpec, tokens: number): number =>
      stateBytesAt(spec, tokens, FLOAT32_WIDTHS, 'kernel-1').total;
    expect(bytes(twin, crossing)).toBeGreaterThan(bytes(FAKE_SPEC, crossing));
    expect(bytes(twin, crossing - 1)).toBeLessThanOrEqual(bytes(FAKE_SPEC, crossing - 1));
    expect(await TWIN_LESSON.run({ ...(await makeHost()), spec: twin })).toContain('no such twin');
    expect(await EIGHT_BITS_LESSON.run({ spec: FAKE_SPEC, run: async () => null })).toBeNull();
  });
});

describe('the lessons', () => {
  it('are six and one on drafts, with their own ids that links carry', () => {
    expect(LESSONS).toHaveLength(7);
    expect(new Set(LESSONS.map(({ id }) => id)).size).toBe(7);
    for (const { id } of LESSONS)
      expect(labAddressOf(lessonHash(id))).toEqual({ kind: 'lesson', id });
  });

  it.each(
    LESSONS.filter(({ id }) => id !== 'one-million').map((lesson) => [lesson.id, lesson] as const),
  )('%s runs, and names a prediction that there is', async (_id, lesson) => {
    const result = await lesson.run(await makeHost());
    if (result === null || typeof result === 'string') throw new Error(result ?? 'stopped');
    expect(result.sentence).toMatch(/\d/);
    expect(result.reading.length).toBeGreaterThan(20);
    expect(result.bars.length).toBeGreaterThan(0);
    if (result.right !== null) expect(lesson.predictions[result.right]).toBeDefined();
  });

  it('say why where the model lacks what they need', async () => {
    const host = await makeHost();
    const without = { ...FAKE_SPEC, layers: FAKE_SPEC.layers.filter(({ kind }) => kind === 'mlp') };
    for (const id of ['the-state', 'why-attention', 'forgetting']) {
      const lesson = LESSONS.find((one) => one.id === id);
      expect(await lesson?.run({ ...host, spec: without })).toMatch(/has no /);
    }
  });

  it('on drafts says what to load where nothing drafts, and what a reply that differs means', async () => {
    const host = await makeHost();
    expect(await DRAFTS_LESSON.run({ ...host, canDraft: false })).toContain('Tidepool with drafts');
    const other = await DRAFTS_LESSON.run({
      ...host,
      run: async (name, title, request) => {
        const found = await host.run(name, title, request);
        return found !== null && 'isEqual' in found
          ? Object.assign({}, found, { isEqual: false })
          : found;
      },
    });
    expect(other).toMatchObject({ right: null });
    expect(JSON.stringify(other)).toContain('not the same');
  });

  it('asks a model that can read for names never heard, and others for numbers', async () => {
    const lesson = LESSONS.find(({ id }) => id === 'why-attention');
    for (const [isReader, kind] of [
      [true, 'name'],
      [false, 'list'],
    ] as const) {
      const host = await makeHost();
      const kinds = new Set<unknown>();
      const drops = new Set<number>();
      await lesson?.run({
        ...host,
        isReader,
        run: (name, title, request, onProgress) => {
          if ('task' in request) {
            kinds.add(request.task.kind);
            drops.add(request.operations.length);
          }
          return host.run(name, title, request, onProgress);
        },
      });
      expect([...kinds]).toEqual([kind]);
      expect(drops.has(0)).toBe(true);
    }
  });

  it('gives up quietly when a job is stopped', async () => {
    const spec = withExperts(24);
    for (const lesson of [...LESSONS, ...FAMILY_LESSONS]) {
      expect(await lesson.run({ spec, run: async () => null })).toBeNull();
    }
  });
});

/** The fake model with experts in place of its MLPs; `latent` wide inside. */
function withExperts(latent: number | null): ModelSpec {
  const experts = { count: 4, chosen: 1, width: 32, sharedWidth: 64, latentWidth: latent };
  return {
    ...FAKE_SPEC,
    hiddenSize: 96,
    layers: FAKE_SPEC.layers.map((layer) =>
      layer.kind === 'mlp' ? { kind: 'moe', index: layer.index, experts } : layer,
    ),
  };
}

/** A host whose model writes four tokens, all of them to `expert` of each router; what is taken out is noted. */
async function routedHost(spec: ModelSpec, expert: number) {
  const host = await makeHost();
  const asked: (readonly ModelPart[])[] = [];
  const run = (texts: readonly string[]): RoutedRun => ({
    tokenIds: texts.map((_, at) => at),
    texts,
    text: texts.join(''),
    ended: true,
    routed: [
      {
        position: texts.length - 1,
        texts,
        layers: spec.layers
          .filter(({ kind }) => kind === 'moe')
          .map(({ index }) => ({
            layer: index,
            chosen: 1,
            experts: Int32Array.from(texts, () => expert),
            weights: Float32Array.from(texts, () => 1),
          })),
      },
    ],
  });
  const own: LessonHost = {
    spec,
    run: async (name, title, request, onProgress) => {
      if (name !== 'without' || !('parts' in request))
        return host.run(name, title, request, onProgress);
      asked.push(request.parts);
      const [part] = request.parts;
      const result: WithoutResult = {
        baseline: run([' a', ' b', ' c', ' d']),
        changed: part === undefined ? null : run([' a', ' b', ' x', ' y']),
        // The deeper the layer, the less it is missed.
        kl: part === undefined ? null : Float64Array.from([1 / (1 + part.layer), 0]),
        firstDifference: part === undefined ? null : 2,
      };
      return result;
    },
  };
  return { host: own, asked };
}

const lessonOf = (id: string): Lesson => {
  const lesson = FAMILY_LESSONS.find((one) => one.id === id);
  if (lesson === undefined) throw new Error(`there is no lesson ${id}`);
  return lesson;
};

async function outcomeOf(id: string, host: LessonHost): Promise<LessonResult> {
  const result = await lessonOf(id).run(host);
  if (result === null || typeof result === 'string') throw new Error(result ?? 'stopped');
  expect(lessonOf(id).predictions[result.right ?? 0]).toBeDefined();
  return result;
}

describe('the lessons on the family', () => {
  it('have ids of their own that links carry', () => {
    const ids = [...LESSONS, ...FAMILY_LESSONS].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(labAddressOf(lessonHash(id))).toEqual({ kind: 'lesson', id });
  });

  it('say which model they need', async () => {
    const host = await makeHost();
    expect(await lessonOf('an-expert-less').run(host)).toContain('Let “Mixture of experts” answer');
    const { host: wide } = await routedHost(withExperts(null), 0);
    expect(await lessonOf('a-narrower-room').run(wide)).toContain('Let “LatentMoE” answer');
    const deep = {
      ...FAKE_SPEC,
      layers: Array.from({ length: 17 }, (_, index) => ({ kind: 'mlp' as const, index })),
    };
    expect(await lessonOf('which-layer').run({ ...host, spec: deep })).toContain('17 layers');
  });

  it('switch off the expert that works most', async () => {
    const { host, asked } = await routedHost(withExperts(null), 3);
    const result = await outcomeOf('an-expert-less', host);
    expect(asked.at(-1)).toMatchObject([{ kind: 'expert', expert: 3 }]);
    expect(result.sentence).toContain('4.0 times the even share');
    expect(result.sentence).toContain('token 3 of the reply is the first that differs');
    expect(result.right).toBe(2);
  });

  it('count the room that a latent space makes', async () => {
    const { host } = await routedHost(withExperts(24), 1);
    const result = await outcomeOf('a-narrower-room', host);
    expect(result.sentence).toContain('4.0 times as many');
    expect(result.right).toBe(2);
  });

  it('put a matrix through four bits', async () => {
    const result = await outcomeOf('sixteen-numbers', await makeHost());
    expect(result.right).toBe(1);
    expect(result.bars).toHaveLength(2);
  });

  it('name the layer that is missed least', async () => {
    const spec = withExperts(null);
    const { host, asked } = await routedHost(spec, 1);
    const result = await outcomeOf('which-layer', host);
    expect(asked).toEqual(spec.layers.map(({ index }) => [{ kind: 'layer', layer: index }]));
    const last = spec.layers.at(-1);
    expect(result.sentence).toContain(`Without layer ${last?.index}`);
    expect(result.right).toBe(last?.kind === 'attention' ? 1 : last?.kind === 'moe' ? 2 : 0);
  });
});

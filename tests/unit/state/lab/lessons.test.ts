// Every lesson runs through on the fake engine: predictions, a true sentence, bars; ids that links can carry.
import { GREEDY } from '../../../../src/core/sampling/greedy';
import { describe, expect, it } from 'vitest';
import { createFakeEngine, FAKE_SPEC } from '../../../../src/engine/fake-engine';
import { labAddressOf, lessonHash } from '../../../../src/state/lab/lab-address';
import { DRAFTS_LESSON } from '../../../../src/ui/lessons/drafts-lesson';
import { LESSONS as SIX, type LessonHost } from '../../../../src/ui/lessons/lessons';

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
    for (const lesson of LESSONS) {
      expect(await lesson.run({ spec: FAKE_SPEC, run: async () => null })).toBeNull();
    }
  });
});

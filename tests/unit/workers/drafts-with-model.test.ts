/** The shipped module at work on WASM; `npm run drafts` asks 200 problems, here it is one of every second family. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseProblems, takeByTurns, type Problem } from '../../../src/core/evaluation/problem';
import { GREEDY } from '../../../src/core/sampling/greedy';
import type { EngineEvent, GenerateRequest } from '../../../src/protocol/engine-api';
import { Engine } from '../../../workers/engine';
import { liveStateCount } from '../../../workers/runtime/layer-states';
import {
  fileFetch,
  generate,
  loadEngine,
  MICRO_URL,
  nodeHost,
  requestOf,
  valueOf,
} from './model-host';

const MODEL = new URL('../../../public/models/tidepool-mtp/', import.meta.url).href;

let engine: Engine;
let problems: readonly Problem[];

beforeAll(async () => {
  const json = await readFile(
    fileURLToPath(new URL('../../fixtures/eval/problems.json', import.meta.url)),
    'utf8',
  );
  problems = takeByTurns(parseProblems(JSON.parse(json)), 1).filter((_, i) => i % 2 === 0);
  engine = new Engine(nodeHost());
  expect((await loadEngine(engine, MODEL)).outcome).toMatchObject({ value: { canDraft: true } });
}, 60_000);

afterAll(() => engine.dispose());

function idsOf(events: readonly EngineEvent[]): number[] {
  return events.flatMap((event) => (event.type === 'token' ? [event.id] : []));
}

async function bothWays(
  changes: Partial<GenerateRequest>,
): Promise<{ plain: EngineEvent[]; drafted: EngineEvent[]; accepted: number; guesses: number }> {
  const request = requestOf({ maxAnswerTokens: 96, thinkingLimit: 120, ...changes });
  const plain = await generate(engine, request);
  const drafted = await generate(engine, { ...request, drafts: true });
  const { drafts } = valueOf(drafted.outcome);
  expect(valueOf(plain.outcome).drafts).toBeUndefined();
  return {
    plain: plain.events,
    drafted: drafted.events,
    accepted: drafts?.accepted ?? 0,
    guesses: drafts?.guesses ?? 0,
  };
}

it('writes the same tokens with drafts as without, greedily and by chance, and hits many', async () => {
  let [accepted, guesses] = [0, 0];
  for (const [index, problem] of problems.entries()) {
    const found = await bothWays({
      messages: [{ role: 'user', content: problem.question }],
      tools: problem.tools,
      // Every fourth is drawn: from the same rows, by the same numbers.
      sampling: index % 4 === 3 ? { ...GREEDY, temperature: 0.7, seed: index } : GREEDY,
    });
    expect(idsOf(found.drafted), problem.question).toEqual(idsOf(found.plain));
    accepted += found.accepted;
    guesses += found.guesses;
  }
  expect(guesses).toBeGreaterThan(50);
  expect(accepted / guesses).toBeGreaterThan(0.5);
}, 120_000);

it.each([0, 5, 17, 40])(
  'counts and cuts a thought at %i tokens as without drafts',
  async (limit) => {
    const { plain, drafted } = await bothWays({ thinkingLimit: limit, closingSentence: 'Enough.' });
    const told = (events: EngineEvent[]): unknown[] =>
      events.flatMap((event): unknown[] => {
        if (event.type === 'thought-end') return [event.reason, event.tokens];
        return event.type === 'token' ? [event.id, event.injected, event.channel] : [];
      });
    expect(told(drafted)).toEqual(told(plain));
  },
);

it('goes on with a chat from the states that a drafted reply has left', async () => {
  const question = { role: 'user' as const, content: 'What is 14 + 25?' };
  const first = await generate(engine, {
    ...requestOf({ messages: [question], thinkingLimit: 0 }),
    drafts: true,
  });
  const answer = first.events
    .flatMap((event) => (event.type === 'token' && event.channel === 'answer' ? event.text : []))
    .join('');
  const next = requestOf({
    messages: [
      question,
      { role: 'assistant', content: answer },
      { role: 'user', content: 'And 7 + 9?' },
    ],
    thinkingLimit: 0,
  });
  const reused = valueOf((await generate(engine, next)).outcome);
  const other = new Engine(nodeHost());
  await loadEngine(other, MODEL);
  const fresh = await generate(other, next);
  await other.dispose();
  expect(reused.stats.reusedTokens).toBeGreaterThan(0);
  const again = await generate(engine, { ...next, drafts: true });
  expect(idsOf(again.events)).toEqual(idsOf(fresh.events));
}, 30_000);

it('keeps no more states with drafts than without', async () => {
  const request = requestOf({ thinkingLimit: 20 });
  await generate(engine, request);
  const before = liveStateCount();
  for (let i = 0; i < 3; i += 1) await generate(engine, { ...request, drafts: true });
  expect(liveStateCount()).toBe(before);
});

/** The manifest of the model, changed. */
function changed(
  change: (manifest: Record<string, unknown>) => void,
): (bytes: Buffer) => Uint8Array<ArrayBuffer> {
  return (bytes) => {
    const manifest = JSON.parse(bytes.toString()) as Record<string, unknown>;
    change(manifest);
    return new TextEncoder().encode(JSON.stringify(manifest));
  };
}

it.each([
  [
    'a module that its files do not list',
    (manifest: Record<string, unknown>) => {
      manifest['drafts'] = { quantized: 'onnx/none.onnx' };
    },
    'drafts.quantized in manifest.json is onnx/none.onnx, which its files do not list.',
  ],
  [
    'a module without its parent',
    (manifest: Record<string, unknown>) => {
      manifest['drafts'] = { fp32: 'onnx/mtp_q4.onnx' };
    },
    'drafts.fp32 in manifest.json is onnx/mtp_q4.onnx, a module without its parent: variants has no fp32.',
  ],
])('refuses %s, and nothing is loaded', async (_, change, message) => {
  const edit = changed(change);
  const other = new Engine(
    nodeHost({
      fetch: fileFetch((path, bytes) =>
        path.endsWith('manifest.json') ? edit(bytes) : new Uint8Array(bytes),
      ),
    }),
  );
  const { outcome } = await loadEngine(other, MODEL);
  expect(outcome).toMatchObject({ ok: false, error: { code: 'model-corrupt', message } });
  expect(await generate(other, requestOf())).toMatchObject({
    outcome: { ok: false, error: { code: 'not-loaded' } },
  });
  await other.dispose();
});

it('refuses a module beside a model of another width, and one whose parent gives no hidden states', async () => {
  const { DraftModule } = await import('../../../workers/draft/draft-module');
  const { openFolder } = await import('../../../scripts/eval/load-model');
  const [small, micro] = [
    await openFolder(fileURLToPath(MODEL)),
    await openFolder(fileURLToPath(MICRO_URL)),
  ];
  const read = async (path: string): Promise<Uint8Array> =>
    new Uint8Array(await readFile(fileURLToPath(new URL(path, MODEL))));
  const file = {
    bytes: await read('onnx/mtp_quantized.onnx'),
    externalData: [{ path: 'model_quantized.onnx', data: await read('onnx/model_quantized.onnx') }],
  };
  const open = (
    spec: typeof small.spec,
    outputs: readonly string[],
    from = file,
  ): Promise<unknown> => DraftModule.open('onnx/mtp_quantized.onnx', from, spec, outputs);
  await expect(open(micro.spec, ['hidden_states'])).rejects.toMatchObject({
    code: 'model-corrupt',
    message:
      'onnx/mtp_quantized.onnx: its input "hidden_states" is 192 wide, but hidden_size in config.json is 64.',
  });
  await expect(open(small.spec, ['logits'])).rejects.toMatchObject({
    message:
      'model_quantized.onnx: it has no output "hidden_states", so it is not the parent of onnx/mtp_quantized.onnx.',
  });
  await expect(
    open(small.spec, ['hidden_states'], { ...file, externalData: [] }),
  ).rejects.toMatchObject({
    message:
      'onnx/mtp_quantized.onnx: the model that it drafts for is not there, whose embedding it reads.',
  });
  const other = {
    path: 'model_quantized.onnx',
    data: file.externalData[0]?.data.subarray(0, 4000) ?? new Uint8Array(),
  };
  await expect(
    open(small.spec, ['hidden_states'], { ...file, externalData: [other] }),
  ).rejects.toMatchObject({
    message: "onnx/mtp_quantized.onnx: it can't be opened beside model_quantized.onnx.",
  });
});

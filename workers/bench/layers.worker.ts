/**
 * Owns the measurement of where a token's time goes: the app's own session on WASM, with ONNX Runtime's profile on, one
 * token after each of several contexts, in turns.
 */
import { byKind, layerTimesOf, type LayerTimes } from '../../src/core/bench/layer-times';
import { spreadOf } from '../../src/core/bench/spread';
import { describeModel } from '../load-model';
import type { LayerStates } from '../runtime/layer-states';
import { configureRuntime, ModelSession } from '../runtime/session';
import { ModelFiles } from '../runtime/weights';

export interface LayersRequest {
  /** Folder of the model, absolute, with closing slash. */
  readonly modelUrl: string;
  readonly path: string;
  readonly contexts: readonly number[];
  readonly rounds: number;
  /** Tokens timed after each context in a round. */
  readonly tokens: number;
}

/** Of each context, the median token of each round. */
export type LayersAnswer = readonly { readonly context: number; readonly rounds: LayerTimes[] }[];

const CHUNK = 256;

/** What caches held for the context before is not this one's: so many tokens of a turn are not kept. */
const UNKEPT = 2;

function median(times: readonly LayerTimes[]): LayerTimes {
  return byKind((kind) => spreadOf(times.map((run) => run[kind])).median);
}

async function measure(request: LayersRequest): Promise<LayersAnswer> {
  const { modelUrl, path, contexts, rounds, tokens } = request;
  // ONNX Runtime's WASM build writes the profile out; its glue takes console.log when it is made.
  const lines: string[] = [];
  Object.assign(console, { log: (line: string) => lines.push(line) });
  configureRuntime({ build: 'plain', threads: 1 });
  const files = new ModelFiles({ modelUrl, fetch: (url, init) => fetch(url, init) });
  const { spec } = await describeModel(files, true);
  const bytes = (await files.files([path], () => {})).get(path) ?? new Uint8Array();
  const session = await ModelSession.create(bytes, { provider: 'wasm', spec, isProfiled: true });
  const ids = (from: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => (37 * (from + i) ** 2 + 11 * i + 5) % spec.vocabSize);

  // The context of each run, in order; null where it is not kept.
  const plan: (number | null)[] = [];
  const held = new Map<number, LayerStates>();
  let states = session.emptyStates();
  for (const context of contexts) {
    while (states.tokens < context) {
      const count = Math.min(CHUNK, context - states.tokens);
      const before = states;
      states = (await session.step(ids(before.tokens, count), before)).states;
      plan.push(null);
      if (![...held.values()].includes(before)) before.release();
    }
    held.set(context, states);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const context of round % 2 === 0 ? contexts : contexts.toReversed()) {
      const from = held.get(context) ?? states;
      for (let token = 0; token < tokens + UNKEPT; token += 1) {
        (await session.step(ids(context, 1), from)).states.release();
        plan.push(token < UNKEPT ? null : context);
      }
    }
  }
  session.endProfile();
  const times = layerTimesOf(lines, spec);
  if (times.length !== plan.length)
    throw new RangeError(`the profile has ${times.length} runs of ${plan.length}`);
  const answer = contexts.map((context) => {
    const kept = times.filter((_, i) => plan[i] === context);
    return {
      context,
      rounds: Array.from({ length: rounds }, (_, round) =>
        median(kept.slice(round * tokens, (round + 1) * tokens)),
      ),
    };
  });
  for (const state of held.values()) state.release();
  await session.dispose();
  return answer;
}

self.onmessage = ({ data }: MessageEvent<LayersRequest>) => {
  void measure(data).then(
    (answer) => self.postMessage(answer),
    (error: unknown) => reportError(error),
  );
};

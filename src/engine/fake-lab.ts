/**
 * The fake engine's state lab: a small recurrence of random inputs that obeys the real formulas, and scripted ends of
 * jobs. A test double of the interface; nothing it shows is a language model's. Never part of a person's visit.
 */
import { EngineError } from '../core/errors';
import { recallText } from '../core/lab/recall-task';
import { attentionLayers, mambaLayers } from '../core/memory/state-memory';
import type { MambaLayerSpec, ModelSpec } from '../core/model-spec';
import { createRandom } from '../core/sampling/random';
import { decayOf, hiddenAttention, scanHead, softplus } from '../core/state-math/hidden-attention';
import { effectiveRank, frobeniusNorm, singularValues } from '../core/state-math/singular-values';
import type { EngineEvent, MemoryReport } from '../protocol/engine-api';
import type {
  InspectedLayer,
  InspectRequest,
  LabJobName,
  LabJobs,
  LabLive,
  LabMatrix,
  LabOpened,
  LabProgress,
  LabRequest,
  LabResult,
  LabRunResult,
  LabStep,
  LabWatch,
  StateSizes,
  SurgeryOp,
} from '../protocol/lab-api';
import type { LabRun } from './engine';
import { fakeWeights } from './fake-weights';

interface HeadHistory {
  readonly delta: Float64Array;
  readonly decay: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
  readonly x: Float64Array;
}

const RIGHT_WORDS =
  ' The state keeps the gist of it and the cache the letter.'.match(/\s*\S+/g) ?? [];
const WRONG_WORDS = ' The tide went out and nobody knows the number now.'.match(/\s*\S+/g) ?? [];

/** What the fake's magic file begins with. */
const FILE_HEAD = 'fake-tidepool-state ';

function matrix(rows: number, columns: number, values: ArrayLike<number>): LabMatrix {
  return { rows, columns, values: Float32Array.from(values) };
}

function runOf(words: readonly string[]): LabRunResult {
  return {
    tokenIds: words.map((_, at) => 10 + at),
    texts: words,
    text: words.join(''),
    ended: true,
  };
}

export class FakeLab {
  readonly #spec: ModelSpec;
  readonly #memory: () => MemoryReport | null;
  readonly #paceMs: number;
  #watch: LabWatch | null = null;
  #texts: string[] = [];
  #operations: SurgeryOp[] = [];

  constructor(spec: ModelSpec, paceMs: number, memory: () => MemoryReport | null) {
    this.#spec = spec;
    this.#paceMs = paceMs;
    this.#memory = memory;
  }

  watch(watch: LabWatch | null): void {
    this.#watch = watch;
  }

  /** A reply begins: its prompt of so many tokens is the sequence. */
  startReply(prompt: string): void {
    this.#texts = prompt.match(/\s*\S{1,6}/g) ?? [];
    this.#operations = [];
  }

  /** The events of a reply with those of the lab before each token. */
  decorate(events: readonly EngineEvent[], candidates: number): EngineEvent[] {
    return events.flatMap((event): EngineEvent[] => {
      if (event.type !== 'token') return [event];
      const told = candidates > 0 ? { ...event, ...this.#chances(event.text, candidates) } : event;
      const seen: EngineEvent[] = this.#watch === null ? [] : [{ type: 'lab', step: this.#step() }];
      this.#texts.push(event.text);
      return [...seen, told];
    });
  }

  lab<K extends LabJobName>(
    job: K,
    request: LabJobs[K]['request'],
    onProgress: (progress: LabProgress) => void,
  ): LabRun<K> {
    const stop = new AbortController();
    const asked = { id: 'fake', job, request } as LabRequest;
    const done = (async (): Promise<LabResult<K>> => {
      const slices = 4;
      for (let slice = 1; slice <= slices; slice += 1) {
        await new Promise((resolve) => setTimeout(resolve, this.#paceMs));
        if (stop.signal.aborted) return { stopped: true };
        onProgress({ type: 'progress', done: slice, total: slices });
      }
      return { stopped: false, value: this.#value(asked, onProgress) as LabJobs[K]['result'] };
    })();
    return {
      done,
      stop() {
        stop.abort();
      },
    };
  }

  #value(asked: LabRequest, onProgress: (progress: LabProgress) => void): unknown {
    switch (asked.job) {
      case 'live':
      case 'read':
        return this.#live();
      case 'surgery':
        this.#operations.push(...asked.request.operations);
        return this.#live();
      case 'restore':
        this.#operations = [];
        return this.#live();
      case 'inspect':
        return this.#inspect(asked.request);
      case 'compare': {
        const isTouched = asked.request.operations.length > 0;
        const words = RIGHT_WORDS.slice(0, asked.request.tokens);
        const others = isTouched ? WRONG_WORDS.slice(0, asked.request.tokens) : words;
        words.forEach((text, id) => onProgress({ type: 'token', run: 0, id, text }));
        others.forEach((text, id) => onProgress({ type: 'token', run: 1, id, text }));
        const bytes = this.#sizes();
        return {
          baseline: runOf(words),
          operated: runOf(others),
          kl: Float64Array.from(words, (_, at) => (isTouched && at > 0 ? 0.4 + (at % 3) * 0.9 : 0)),
          firstDifference: isTouched ? 1 : null,
          baselineBytes: bytes.ssm + bytes.conv + bytes.kv,
          operatedBytes: bytes.ssm + bytes.conv + bytes.kv,
        } satisfies LabJobs['compare']['result'];
      }
      case 'fork': {
        const continuations = asked.request.seeds.map((seed, at) => {
          const words = (seed % 2 === 0 ? WRONG_WORDS : RIGHT_WORDS).slice(0, asked.request.tokens);
          words.forEach((text, id) => onProgress({ type: 'token', run: at, id, text }));
          return runOf(words);
        });
        return { continuations } satisfies LabJobs['fork']['result'];
      }
      case 'recall': {
        const { context, questions } = recallText(asked.request.task);
        const isRight = asked.request.operations.length === 0;
        return {
          context,
          answers: questions.map(({ key, text, expected }) => ({
            key,
            question: text,
            expected,
            answer: isRight ? `${key} has ${expected}.` : 'I do not know.',
            isRight,
          })),
          contextTokens: context.length,
          ms: 1,
        } satisfies LabJobs['recall']['result'];
      }
      case 'save':
        return {
          bytes: new TextEncoder().encode(FILE_HEAD + JSON.stringify(this.#texts)),
          sizes: this.#sizes(),
        } satisfies LabJobs['save']['result'];
      case 'load': {
        const text = new TextDecoder().decode(asked.request.bytes);
        if (!text.startsWith(FILE_HEAD)) {
          throw new EngineError('internal', 'That file is no saved state.', 'Choose another.');
        }
        const texts: unknown = JSON.parse(text.slice(FILE_HEAD.length));
        this.#texts = Array.isArray(texts) ? texts.map(String) : [];
        return {
          live: this.#live(),
          isExact: true,
          sizes: this.#sizes(),
        } satisfies LabJobs['load']['result'];
      }
      case 'cost':
        return asked.request.contexts.map((context) => {
          const point = {
            context,
            decodeMs: 4 + context / 200,
            decodeRange: [3.5 + context / 200, 5 + context / 180] as const,
            prefillMs: context / 3,
          };
          onProgress({ type: 'cost', point });
          return point;
        });
      case 'drafts': {
        const words = ['12', ' plus', ' 30', ' is', ' 42', '.'];
        return {
          tokens: words.map((text, at) => ({
            text,
            draft:
              at === 0 ? null : at === 3 ? { isKept: false, text: ' makes' } : { isKept: true },
          })),
          counts: { tokens: 6, runs: 2, guesses: 5, accepted: 4 },
          isEqual: true,
          plainMs: 24,
          draftedMs: 16,
          costs: { runMs: [4, 5, 6, 7], guessMs: 1, moreGuessMs: 0.5 },
        } satisfies LabJobs['drafts']['result'];
      }
      case 'memory':
        return {
          tokens: this.#texts.length,
          weightBytes: this.#memory()?.weightBytes ?? 0,
          layers: [],
        } satisfies LabJobs['memory']['result'];
      case 'without': {
        const isChanged = asked.request.parts.length > 0;
        const words = RIGHT_WORDS.slice(0, asked.request.tokens);
        const others = WRONG_WORDS.slice(0, asked.request.tokens);
        return {
          baseline: { ...runOf(words), routed: [] },
          changed: isChanged ? { ...runOf(others), routed: [] } : null,
          kl: isChanged ? Float64Array.from(words, () => 0.5) : null,
          firstDifference: isChanged ? 1 : null,
        } satisfies LabJobs['without']['result'];
      }
      case 'weights':
        return fakeWeights(asked.request);
      default: {
        const never: never = asked;
        return never;
      }
    }
  }

  #live(): LabLive {
    return {
      tokens: this.#texts.length,
      tokenIds: Int32Array.from(this.#texts, (_, at) => at),
      texts: [...this.#texts],
      operations: [...this.#operations],
    };
  }

  #sizes(): StateSizes {
    const memory = this.#memory();
    return {
      transcript: this.#texts.join('').length,
      ssm: memory?.ssmBytes ?? 0,
      conv: memory?.convBytes ?? 0,
      kv: memory?.kvBytes ?? 0,
      file: (memory?.ssmBytes ?? 0) + (memory?.convBytes ?? 0) + (memory?.kvBytes ?? 0) + 512,
    };
  }

  #chances(
    text: string,
    count: number,
  ): Pick<Extract<EngineEvent, { type: 'token' }>, 'candidates' | 'entropy'> {
    const first = 0.55;
    const words = [text, ' sea', ' state', ' and', '.', ' the', ' 7', '\n'].slice(0, count);
    return {
      candidates: words.map((word, at) => ({
        id: at + 5,
        text: word,
        probability: at === 0 ? first : (1 - first) / 2 ** at,
      })),
      entropy: 1.37,
    };
  }

  #history(layer: MambaLayerSpec, head: number): HeadHistory {
    const tokens = this.#texts.length;
    const random = createRandom(1 + layer.index * 131 + head);
    const aLog = Math.log(0.02 + head * 0.12);
    const normal = (count: number): Float64Array =>
      Float64Array.from({ length: count }, () => random.nextNormal());
    const delta = normal(tokens).map((value) => softplus(value - 1));
    return {
      delta,
      decay: delta.map((value) => decayOf(value, aLog)),
      b: normal(tokens * layer.stateSize),
      c: normal(tokens * layer.stateSize),
      x: normal(tokens * layer.headDim),
    };
  }

  /** (stateSize, headDim) after all tokens. */
  #state(layer: MambaLayerSpec, head: number): LabMatrix {
    const { x, ...inputs } = this.#history(layer, head);
    const { state } = scanHead({ ...inputs, stateSize: layer.stateSize }, x, layer.headDim);
    const isZero = this.#operations.some((op) => op.kind === 'zero');
    const turned = new Float32Array(state.length);
    for (let p = 0; p < layer.headDim; p += 1) {
      for (let n = 0; n < layer.stateSize; n += 1) {
        turned[n * layer.headDim + p] = isZero ? 0 : (state[p * layer.stateSize + n] ?? 0);
      }
    }
    return matrix(layer.stateSize, layer.headDim, turned);
  }

  /** One causal softmax row over `keys` keys. */
  #row(seed: number, keys: number): Float64Array {
    const random = createRandom(seed);
    const weights = Float64Array.from({ length: keys }, () => Math.exp(random.nextNormal()));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  }

  #conv(layer: MambaLayerSpec): LabMatrix {
    const columns = layer.convKernel - 1;
    const random = createRandom(this.#texts.length);
    return matrix(
      layer.convDim,
      columns,
      Float32Array.from({ length: layer.convDim * columns }, () => random.nextNormal()),
    );
  }

  #step(): LabStep {
    const position = this.#texts.length - 1;
    const random = createRandom(position + 1);
    const mamba = mambaLayers(this.#spec).map((layer) => {
      const delta = Float32Array.from({ length: layer.heads }, () => softplus(random.nextNormal()));
      return {
        layer: layer.index,
        delta,
        decay: delta.map((value, head) => decayOf(value, Math.log(0.02 + head * 0.12))),
        stateNorm: delta.map((value) => 1 + value),
      };
    });
    return {
      position,
      tokenId: position,
      text: this.#texts[position] ?? '',
      readTexts: [],
      phase: 'decode',
      mamba,
      activity: Float32Array.from(this.#spec.layers, () => 0.4 + 0.6 * random.next()),
      opened: this.#opened(position),
      watchMs: 0.2,
    };
  }

  #opened(position: number): LabOpened[] {
    const opened = this.#watch?.opened ?? null;
    const layer = this.#spec.layers.find(({ index }) => index === opened?.layer);
    if (opened === null || layer === undefined) return [];
    if (layer.kind === 'mamba') {
      const { b, c } = this.#history(layer, opened.head);
      const last = (values: Float64Array): Float32Array =>
        Float32Array.from(values.slice(position * layer.stateSize));
      return [
        {
          kind: 'mamba',
          ...opened,
          state: this.#state(layer, opened.head),
          b: last(b),
          c: last(c),
          convWindow: this.#conv(layer),
        },
      ];
    }
    if (layer.kind !== 'attention') return [];
    const rows = Array.from({ length: layer.heads }, (_, head) =>
      Array.from(this.#row(head * 7919 + position, position + 1)),
    );
    return [
      {
        kind: 'attention',
        ...opened,
        rows: matrix(layer.heads, position + 1, rows.flat()),
        firstKey: 0,
      },
    ];
  }

  #inspect({ targets, lastTokens }: InspectRequest): LabJobs['inspect']['result'] {
    const all = this.#texts.length;
    const tokens = Math.min(lastTokens, all);
    const first = all - tokens;
    const layers = targets.flatMap(({ layer: index, head }): InspectedLayer[] => {
      const layer = this.#spec.layers.find((other) => other.index === index);
      if (layer?.kind === 'mamba') return [this.#inspectMamba(layer, head, tokens)];
      const attention = attentionLayers(this.#spec).find((other) => other.index === index);
      if (attention === undefined) return [];
      const values = new Float32Array(tokens * tokens);
      const outside = new Float32Array(tokens);
      for (let t = 0; t < tokens; t += 1) {
        this.#row(head * 7919 + first + t, first + t + 1).forEach((weight, key) => {
          if (key >= first) values[t * tokens + key - first] = weight;
          else outside[t] = (outside[t] ?? 0) + weight;
        });
      }
      const triangle = matrix(tokens, tokens, values);
      return [{ kind: 'attention', layer: index, head, attention: triangle, outside }];
    });
    return {
      firstPosition: first,
      tokenIds: Int32Array.from({ length: tokens }, (_, at) => first + at),
      texts: this.#texts.slice(first),
      layers,
      rereadTokens: all,
      ms: 1,
    };
  }

  #inspectMamba(layer: MambaLayerSpec, head: number, tokens: number): InspectedLayer {
    const histories = Array.from({ length: layer.heads }, (_, at) => this.#history(layer, at));
    const { delta, decay, b, c } = this.#history(layer, head);
    const tail = (values: Float64Array, width: number): Float64Array =>
      values.slice(values.length - tokens * width);
    const window = {
      delta: tail(delta, 1),
      decay: tail(decay, 1),
      b: tail(b, layer.stateSize),
      c: tail(c, layer.stateSize),
      stateSize: layer.stateSize,
    };
    const state = this.#state(layer, head);
    const singular = singularValues(state.values, state.rows, state.columns);
    const perToken = (pick: (history: HeadHistory) => Float64Array): LabMatrix =>
      matrix(
        tokens,
        layer.heads,
        Array.from({ length: tokens }, (_, t) =>
          histories.map((history) => tail(pick(history), 1)[t] ?? 0),
        ).flat(),
      );
    return {
      kind: 'mamba',
      layer: layer.index,
      head,
      state,
      stateNorm: Float32Array.from({ length: layer.heads }, (_, at) =>
        frobeniusNorm(this.#state(layer, at).values),
      ),
      singularValues: singular,
      effectiveRank: effectiveRank(singular),
      convWindow: this.#conv(layer),
      delta: perToken((history) => history.delta),
      decay: perToken((history) => history.decay),
      b: matrix(tokens, layer.stateSize, window.b),
      c: matrix(tokens, layer.stateSize, window.c),
      hiddenAttention: matrix(tokens, tokens, hiddenAttention(window)),
    };
  }
}

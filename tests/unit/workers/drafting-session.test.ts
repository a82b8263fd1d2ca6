import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '../../../src/core/sampling/greedy';
import type { ModelSpec } from '../../../src/core/model-spec';
import type { ThinkFormat } from '../../../src/models/think-format';
import type { EngineEvent, GenerateRequest } from '../../../src/protocol/engine-api';
import type { Guess, Guesser } from '../../../workers/draft/draft-module';
import { DraftingSession, type Backbone } from '../../../workers/draft/drafting-session';
import { runGeneration, type GenerationControl } from '../../../workers/generate-loop';
import type { ChatTokenizer } from '../../../workers/runtime/hub';
import {
  LayerStates,
  liveStateCount,
  type StateTensor,
} from '../../../workers/runtime/layer-states';
import type { StepResult } from '../../../workers/runtime/session';
import { SnapshotCache } from '../../../workers/runtime/snapshots';
import { microChat, requestOf } from './model-host';
import { CountedTensor } from './scripted-model';

let tokenizer: ChatTokenizer;
let format: ThinkFormat;
let spec: ModelSpec;

beforeAll(async () => {
  ({ tokenizer, format } = await microChat());
  spec = {
    name: 'script',
    modelType: 'nemotron_h',
    hiddenSize: 2,
    vocabSize: 4096,
    maxPositions: 600,
    layers: [],
    eosTokenIds: [],
  };
});

/** What comes next after all that was read; depends on all of it. */
type Next = (read: readonly number[]) => number;

/** A tensor of hidden states in JavaScript's memory. */
class HiddenTensor implements StateTensor {
  readonly type = 'float32';
  readonly location = 'cpu';
  readonly gpuBuffer = null;
  constructor(
    readonly data: Float32Array,
    readonly dims: readonly number[],
  ) {}
  dispose(): void {}
}

/** A backbone whose states know which tokens they have read: one that was not put back says something else. */
class Memory implements Backbone {
  readonly runs: number[][] = [];
  readonly #next: Next;
  readonly #read = new WeakMap<LayerStates, readonly number[]>();

  constructor(next: Next) {
    this.#next = next;
  }

  emptyStates(): LayerStates {
    return this.#states([]);
  }

  step(
    tokens: ArrayLike<number>,
    from: LayerStates,
    probes: readonly string[] = [],
    temperature: number | null = null,
    keep = 1,
  ): Promise<StepResult> {
    const before = this.#read.get(from);
    if (before === undefined) throw new Error('states that were only promised were read');
    from.tensor('past_ssm.0');
    expect(temperature ?? 0).toBeGreaterThanOrEqual(0);
    const ids = Array.from(tokens);
    this.runs.push(ids);
    const all = [...before, ...ids];
    const rows = new Float32Array(keep * spec.vocabSize);
    for (let row = 0; row < keep; row += 1)
      rows[row * spec.vocabSize + this.#next(all.slice(0, all.length - keep + row + 1))] = 20;
    const hidden = new Float32Array(ids.length * 2);
    for (let i = 0; i < ids.length; i += 1) hidden[2 * i] = before.length + i;
    return Promise.resolve({
      logits: rows.subarray((keep - 1) * spec.vocabSize),
      rows,
      states: this.#states(all),
      probes: new Map(
        probes.map((name) => [name, new HiddenTensor(hidden, [1, ids.length, 2])] as const),
      ),
    });
  }

  #states(read: readonly number[]): LayerStates {
    const tensors = new Map<string, StateTensor>([
      ['past_ssm.0', new CountedTensor([1, 2, 4, 8])],
      ['past_key_values.1.key', new CountedTensor([1, 1, read.length, 4])],
    ]);
    const states = new LayerStates(tensors, read.length);
    this.#read.set(states, read);
    return states;
  }
}

/** Guesses what `next` says, but where `isRight` says no; and checks that it is given what was read, in its place. */
class Oracle implements Guesser {
  /** Position of the hidden state and the token that followed, as they came in. */
  readonly pairs: [number, number][] = [];
  #guesses = 0;

  constructor(
    readonly next: Next,
    readonly textSoFar: () => readonly number[],
    readonly isRight: (guess: number) => boolean,
    readonly probability = 0.9,
  ) {}

  read(hidden: Float32Array, ids: readonly number[]): Promise<Guess> {
    for (const [i, id] of ids.entries()) this.pairs.push([hidden[2 * i] ?? -1, id]);
    this.#drafted = [];
    return this.#guess();
  }

  guessOn(guess: Guess): Promise<Guess> {
    this.#drafted.push(guess.id);
    return this.#guess();
  }

  reset(): void {
    this.pairs.length = 0;
  }

  #drafted: number[] = [];

  #guess(): Promise<Guess> {
    const right = this.next([...this.textSoFar(), ...this.#drafted]);
    this.#guesses += 1;
    const id = this.isRight(this.#guesses) ? right : (right + 1) % spec.vocabSize;
    return Promise.resolve({ id, probability: this.probability, hidden: new Float32Array(2) });
  }
}

interface Written {
  readonly events: readonly EngineEvent[];
  readonly finish: string;
  readonly thoughtEnd: string | null;
}

const caches = new Set<SnapshotCache>();

/** What a reader sees: everything but times and what drafting says of itself. */
function seen(events: readonly EngineEvent[]): unknown[] {
  return events.flatMap((event) => {
    if (event.type === 'memory' || event.type === 'prefill') return [];
    const shown: Record<string, unknown> = { ...event };
    delete shown['ms'];
    delete shown['draft'];
    return [shown];
  });
}

async function write(
  session: Parameters<typeof runGeneration>[0]['session'],
  request: GenerateRequest,
  onEvent: (event: EngineEvent, control: GenerationControl) => void,
): Promise<Written> {
  const snapshots = new SnapshotCache();
  caches.add(snapshots);
  const events: EngineEvent[] = [];
  const control: GenerationControl = { stopped: false, answerNow: false };
  const { finish, thoughtEnd } = await runGeneration(
    { session, tokenizer, spec, format, snapshots },
    request,
    control,
    {
      emit: (event) => {
        events.push(event);
        onEvent(event, control);
      },
      memory: ({ states }) => ({
        weightBytes: 0,
        ssmBytes: states.bytes.ssm,
        convBytes: 0,
        kvBytes: states.bytes.kv,
        kvAllocatedBytes: 0,
        snapshotBytes: 0,
        snapshotCount: 0,
        tokens: states.tokens,
      }),
      keepLive: (states, tokens) => {
        // Promised states would not do: who keeps them reads their tensors.
        expect(states.kvTokens(1)).toBe(tokens.length);
      },
      now: () => new Date(2026, 2, 14, 9, 26),
    },
  );
  return { events, finish, thoughtEnd };
}

interface Both {
  readonly plain: Written;
  readonly drafted: Written;
  readonly memory: Memory;
  readonly drafting: DraftingSession;
}

/** The same reply without and with drafts. */
async function both(
  next: Next,
  isRight: (guess: number) => boolean,
  changes: Partial<GenerateRequest> = {},
  onEvent: (event: EngineEvent, control: GenerationControl) => void = () => {},
  mayDraft: () => boolean = () => true,
): Promise<Both> {
  const request = requestOf(changes);
  const plain = await write(new Memory(next), request, onEvent);
  const memory = new Memory(next);
  let read: readonly number[] = [];
  const oracle = new Oracle(next, () => read, isRight);
  const drafting = new DraftingSession(memory, oracle, {
    most: 3,
    least: 0.5,
    mostReplayed: 4,
    maxPositions: spec.maxPositions,
    plain: memory,
    mayDraft,
  });
  // The oracle must know the text, as the module's keys do.
  const text: number[] = [];
  const session = {
    emptyStates: () => drafting.emptyStates(),
    guessAfter: (states: LayerStates) => drafting.guessAfter(states),
    settle: (states: LayerStates) => drafting.settle(states),
    step: (tokens: ArrayLike<number>, from: LayerStates) => {
      text.length = from.tokens;
      text.push(...Array.from(tokens));
      read = text;
      return drafting.step(tokens, from);
    },
  };
  try {
    const drafted = await write(session, request, onEvent);
    for (const [position, id] of oracle.pairs) expect(text[position + 1]).toBe(id);
    return { plain, drafted, memory, drafting };
  } finally {
    drafting.dispose();
  }
}

/** Says `reply` after the prompt, whatever is put in between; then it begins again. */
function saying(reply: string): Next {
  const ids = tokenizer.encode(reply);
  return (read) => {
    const last = read.at(-1) ?? 0;
    const at = ids.indexOf(last);
    return ids[(at + 1) % ids.length] ?? 0;
  };
}

/** A text that hangs on all that was read, with tags and ends among its words. */
function chaos(seed: number): Next {
  const words = tokenizer.encode('one two three. four five\nsix seven! eight nine ten.');
  const close = format.think?.closeId ?? 0;
  const [end = 0] = format.endIds;
  return (read) => {
    let hash = seed;
    for (const id of read) hash = (Math.imul(hash ^ id, 0x9e3779b1) + 12345) >>> 0;
    hash ^= hash >>> 15;
    if (hash % 23 === 0) return close;
    if (hash % 41 === 0) return end;
    return words[hash % words.length] ?? 0;
  };
}

afterEach(() => {
  for (const cache of caches) cache.clear();
  caches.clear();
  expect(CountedTensor.alive).toBe(0);
  expect(liveStateCount()).toBe(0);
});

describe('a reply with drafts', () => {
  it('is the reply without, in fewer runs where the guesses are right', async () => {
    const { plain, drafted, drafting } = await both(saying('a b c d e f g'), () => true, {
      maxAnswerTokens: 30,
    });
    expect(seen(drafted.events)).toEqual(seen(plain.events));
    const { tokens, runs, accepted, guesses } = drafting.counts;
    // One token and three guesses a run; the last is cut by the end.
    expect(tokens / runs).toBeGreaterThan(3);
    expect(accepted).toBeGreaterThan(0.9 * guesses);
  });

  it('is the reply without where every guess is wrong, and reads no token that was not drawn', async () => {
    const { plain, drafted, drafting, memory } = await both(saying('a b c d e f g'), () => false, {
      maxAnswerTokens: 20,
    });
    expect(seen(drafted.events)).toEqual(seen(plain.events));
    expect(drafting.counts.accepted).toBe(0);
    expect(memory.runs.length).toBeGreaterThan(20);
  });

  it('is the reply without, whatever is guessed, said, limited or stopped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(),
          luck: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
          limit: fc.oneof(fc.constant<'unlimited'>('unlimited'), fc.integer({ min: 0, max: 40 })),
          answer: fc.integer({ min: 1, max: 40 }),
          closing: fc.constantFrom('', 'Time is up.'),
          stopAt: fc.option(fc.integer({ min: 1, max: 60 })),
          answerAt: fc.option(fc.integer({ min: 1, max: 30 })),
          temperature: fc.constantFrom(0, 0.8),
        }),
        async ({ seed, luck, limit, answer, closing, stopAt, answerAt, temperature }) => {
          let tokens = 0;
          const { plain, drafted } = await both(
            chaos(seed),
            (guess) => luck[guess % luck.length] ?? false,
            {
              thinkingLimit: limit,
              maxAnswerTokens: answer,
              closingSentence: closing,
              sampling: { ...GREEDY, temperature, seed: 7 },
            },
            (event, control) => {
              if (event.type === 'prefill') tokens = 0;
              if (event.type !== 'token') return;
              tokens += 1;
              if (tokens === answerAt) control.answerNow = true;
              if (tokens === stopAt) control.stopped = true;
            },
          );
          expect(seen(drafted.events)).toEqual(seen(plain.events));
          expect(drafted.finish).toBe(plain.finish);
          expect(drafted.thoughtEnd).toBe(plain.thoughtEnd);
        },
      ),
      { numRuns: 80 },
    );
  }, 60_000);

  it('tells of each token whether it had been guessed, and what stood there instead', async () => {
    const { drafted } = await both(saying('a b c d e f g'), (guess) => guess % 2 === 1, {
      maxAnswerTokens: 12,
      thinkingLimit: 0,
    });
    const drafts = drafted.events.flatMap((event) =>
      event.type === 'token' && event.draft !== undefined ? [event.draft] : [],
    );
    expect(drafts.some(({ isKept }) => isKept)).toBe(true);
    const wrong = drafts.find(({ isKept }) => !isKept);
    expect(wrong).toMatchObject({ isKept: false, text: expect.any(String) as string });
  });

  it('leaves off where it must not draft, in the middle of a reply too', async () => {
    let asked = 0;
    const { plain, drafted } = await both(
      chaos(5),
      (guess) => guess % 3 !== 0,
      { maxAnswerTokens: 30 },
      () => {},
      () => {
        asked += 1;
        return asked % 11 < 6;
      },
    );
    expect(seen(drafted.events)).toEqual(seen(plain.events));
  });

  it('ends at the last place of the context as without', async () => {
    const { plain, drafted } = await both(saying('a b c d e f g'), () => true, {
      promptIds: Array.from({ length: 560 }, () => 40),
      maxAnswerTokens: 500,
    });
    expect(seen(drafted.events)).toEqual(seen(plain.events));
    expect(drafted.finish).toBe('context-full');
  });
});

/** Owns the experiments that leave the live state as it is: with and without surgery, forks, recall, cost of a token. */
import { GREEDY } from '../../src/core/sampling/greedy';
import { isRecalled, recallText } from '../../src/core/lab/recall-task';
import { EngineError } from '../../src/core/errors';
import { klDivergence } from '../../src/core/state-math/divergence';
import type { SamplingSettings } from '../../src/core/sampling/sampler';
import type {
  CompareRequest,
  CompareResult,
  CostPoint,
  CostRequest,
  ForkRequest,
  ForkResult,
  LabProgress,
  LabRunResult,
  LabSource,
  RecallAnswer,
  RecallRequest,
  RecallResult,
} from '../../src/protocol/lab-api';
import { buildPrompt } from '../prompt';
import type { LayerStates } from '../runtime/layer-states';
import type { ModelSession } from '../runtime/session';
import { operate } from './operate';
import type { LabReader, ReaderModel, Standpoint } from './reader';

const MAX_FORKS = 4;

export interface ExperimentHost {
  readonly model: ReaderModel;
  /** The session itself, for surgery. */
  readonly session: ModelSession;
  readonly reader: LabReader;
  /** Another reader of the same job, for another session; the caller's to dispose. */
  readonly readerOf: (model: ReaderModel) => LabReader;
  readonly post: (progress: LabProgress) => void;
  /** States and logits of a source; the caller releases them. */
  readonly begin: (source: LabSource) => Promise<Standpoint>;
}

/** Reads a user's next turn, if there is one; the result is the caller's to release, `start` too. */
async function withMessage(
  { reader }: ExperimentHost,
  start: Standpoint,
  message: string | undefined,
): Promise<Standpoint> {
  if (message === undefined) return { states: start.states.retain(), logits: start.logits };
  const ids = reader.turnTokens(message);
  reader.expect(ids.length);
  return reader.read(start.states, ids);
}

/** Runs `work` on what `make` gives and releases it. */
async function using<T>(
  make: Promise<Standpoint>,
  work: (standpoint: Standpoint) => Promise<T>,
): Promise<T> {
  const standpoint = await make;
  try {
    return await work(standpoint);
  } finally {
    standpoint.states.release();
  }
}

/** The states operated on; logits are those from before the operation. */
async function operated(
  { session, model }: ExperimentHost,
  { states, logits }: Standpoint,
  operations: CompareRequest['operations'],
): Promise<Standpoint> {
  return { states: await operate(session, model.spec, states, operations), logits };
}

export function compare(host: ExperimentHost, request: CompareRequest): Promise<CompareResult> {
  const { reader } = host;
  const { tokens, sampling, message } = request;
  reader.expect(2 * tokens);
  return using(host.begin(request.source), (start) =>
    using(withMessage(host, start, message), (plain) =>
      using(operated(host, start, request.operations), (cut) =>
        using(withMessage(host, cut, message), async (changed): Promise<CompareResult> => {
          const { baseline, kl } = await baselineWithKl(host, plain, changed, tokens, sampling);
          const other = await reader.write(changed, { tokens, sampling, run: 1 });
          return {
            baseline,
            operated: other,
            kl,
            firstDifference: firstDifference(baseline, other),
            baselineBytes: plain.states.totalBytes,
            operatedBytes: changed.states.totalBytes,
          };
        }),
      ),
    ),
  );
}

/** Writes on from `plain`; at each token the other state, which reads the same tokens, is asked for its distribution. */
export async function baselineWithKl(
  { reader, model }: Pick<ExperimentHost, 'reader' | 'model'>,
  plain: Standpoint,
  changed: Standpoint,
  tokens: number,
  sampling: SamplingSettings,
): Promise<{ baseline: LabRunResult; kl: Float64Array }> {
  const kl: number[] = [];
  let states: LayerStates = changed.states.retain();
  let logits = changed.logits;
  try {
    const baseline = await reader.write(plain, {
      tokens,
      sampling,
      run: 0,
      onToken: async (id, own) => {
        if (logits === null) throw new RangeError('there are no logits to compare');
        kl.push(klDivergence(own, logits));
        if (states.tokens >= model.spec.maxPositions) return;
        const step = await model.session.step([id], states);
        states.release();
        states = step.states;
        // The session's row is used anew by the next step, which is the baseline's.
        logits = step.logits.slice();
      },
    });
    // The end of the turn is drawn, but no token of the continuation.
    return { baseline, kl: Float64Array.from(kl.slice(0, baseline.tokenIds.length)) };
  } finally {
    states.release();
  }
}

/** Index of the first unlike token, or of the end of the shorter one; null when both are the same. */
export function firstDifference(a: LabRunResult, b: LabRunResult): number | null {
  const length = Math.min(a.tokenIds.length, b.tokenIds.length);
  for (let i = 0; i < length; i += 1) if (a.tokenIds[i] !== b.tokenIds[i]) return i;
  return a.tokenIds.length === b.tokenIds.length ? null : length;
}

export function fork(host: ExperimentHost, request: ForkRequest): Promise<ForkResult> {
  const { reader } = host;
  const { seeds, tokens, sampling, firstTokens } = request;
  if (seeds.length < 1 || seeds.length > MAX_FORKS) {
    throw new EngineError(
      'internal',
      `A fork of ${seeds.length} continuations is not possible.`,
      `Choose 1 to ${MAX_FORKS}.`,
    );
  }
  reader.expect(tokens * seeds.length);
  return using(host.begin(request.source), (start) =>
    using(withMessage(host, start, request.message), async (point) => {
      const continuations: LabRunResult[] = [];
      for (const [run, seed] of seeds.entries()) {
        continuations.push(
          await reader.write(point, {
            tokens,
            sampling: { ...sampling, seed },
            run,
            firstToken: firstTokens?.[run] ?? null,
          }),
        );
      }
      return { continuations };
    }),
  );
}

export async function recall(host: ExperimentHost, request: RecallRequest): Promise<RecallResult> {
  const { reader, model } = host;
  const { tokenizer, format } = model;
  const startedAt = performance.now();
  const { context, questions } = recallText(request.task);
  // One rendering for each question; the part up to the context's end is the same in all.
  const prompts = questions.map(({ text }) => {
    const messages = [{ role: 'user' as const, content: `${context} ${text}` }];
    const options = { tools: [], enableThinking: false, addGenerationPrompt: true };
    const rendered = tokenizer.render(messages, options).join('');
    const cut = rendered.indexOf(context) + context.length;
    return {
      head: tokenizer.encode(rendered.slice(0, cut)),
      // The blank goes with the question's first word, as the tokenizer would have it in one piece.
      tail: tokenizer.encode(rendered.slice(cut)),
    };
  });
  const head = prompts[0]?.head ?? [];
  reader.expect(prompts.reduce((sum, { tail }) => sum + tail.length + request.answerTokens, 0));
  return using(reader.readFresh(head), (read) =>
    using(operated(host, read, request.operations), async (cut) => {
      const answers: RecallAnswer[] = [];
      for (const [run, question] of questions.entries()) {
        const tail = prompts[run]?.tail ?? [];
        const { text } = await using(reader.read(cut.states, tail), (asked) =>
          reader.write(asked, { tokens: request.answerTokens, sampling: GREEDY, run }),
        );
        const { key, text: asked, expected } = question;
        const answer = withoutThought(text, format.think?.closeText.trim());
        answers.push({
          key,
          question: asked,
          expected,
          answer,
          isRight: isRecalled(answer, expected),
        });
      }
      return {
        context,
        answers,
        contextTokens: head.length,
        ms: performance.now() - startedAt,
      };
    }),
  );
}

/** What follows the close of a thought; all where there is none. */
function withoutThought(text: string, close: string | undefined): string {
  const at = close === undefined || close === '' ? -1 : text.lastIndexOf(close);
  return at < 0 ? text : text.slice(at + (close?.length ?? 0)).trimStart();
}

/** Measures what a token costs at growing context lengths. What is read matters not: a story, over and over. */
export async function cost(host: ExperimentHost, request: CostRequest): Promise<CostPoint[]> {
  const { reader, model, post } = host;
  const { contexts, steps } = request;
  const most = model.spec.maxPositions - steps;
  if (
    steps < 1 ||
    contexts.length === 0 ||
    contexts.some((length, i) => !(length > (contexts[i - 1] ?? 0)) || length > most)
  ) {
    throw new EngineError(
      'internal',
      `Context lengths ${contexts.join(', ')} with ${steps} steps each cannot be measured.`,
      `Give ascending lengths from 1 to ${most}.`,
    );
  }
  const story = recallText({ kind: 'story', length: 100, keys: 1, depth: 0, seed: 1 }).context;
  const ids = model.tokenizer.encode(`${story} `);
  const idAt = (position: number): number => ids[position % ids.length] ?? 0;
  reader.expect((contexts.at(-1) ?? 0) + steps * contexts.length);
  const points: CostPoint[] = [];
  const empty = model.session.emptyStates();
  let at: LayerStates = empty;
  try {
    for (const context of contexts) {
      const startedAt = performance.now();
      const more = Array.from({ length: context - at.tokens }, (_, i) => idAt(at.tokens + i));
      const read = await reader.read(at, more);
      at.release();
      at = read.states;
      const prefillMs = performance.now() - startedAt;
      const times = await timeSteps(host, at, steps, idAt);
      const point: CostPoint = {
        context,
        decodeMs: times[Math.floor(times.length / 2)] ?? 0,
        decodeRange: [times[0] ?? 0, times.at(-1) ?? 0],
        prefillMs,
      };
      points.push(point);
      post({ type: 'cost', point });
    }
  } finally {
    at.release();
  }
  return points;
}

/** Milliseconds of decode steps from `from`, ascending. */
async function timeSteps(
  { reader, model }: ExperimentHost,
  from: LayerStates,
  steps: number,
  idAt: (position: number) => number,
): Promise<number[]> {
  const times: number[] = [];
  let states = from.retain();
  try {
    for (let i = 0; i < steps; i += 1) {
      await reader.breathe();
      const startedAt = performance.now();
      const step = await model.session.step([idAt(states.tokens)], states);
      times.push(performance.now() - startedAt);
      states.release();
      states = step.states;
    }
  } finally {
    states.release();
  }
  return times.sort((a, b) => a - b);
}

/** Tokens of a source that is not the live state. */
export function sourceTokens(
  { tokenizer, format, spec }: Pick<ReaderModel, 'tokenizer' | 'format' | 'spec'>,
  source: Exclude<LabSource, { kind: 'live' }>,
): number[] {
  if (source.kind === 'text') return tokenizer.encode(tokenizer.lettersOf(source.text));
  if (source.kind === 'tokens') {
    const strange = source.tokenIds.find(
      (id) => !(Number.isInteger(id) && id >= 0 && id < spec.vocabSize),
    );
    if (strange === undefined) return [...source.tokenIds];
    throw new EngineError(
      'internal',
      `The experiment begins with token ${strange}; ${spec.name} has tokens 0 to ${spec.vocabSize - 1}.`,
      'Load the model that the experiment was made on.',
    );
  }
  return [
    ...buildPrompt(tokenizer, format, {
      messages: source.messages,
      tools: [],
      enableThinking: source.thinking && format.think !== null,
    }).ids,
  ];
}

/**
 * An engine without a model, for tests and for work on the page: the real interface, the real thinking budget and
 * real byte arithmetic, with scripted words in place of a network. Never part of a person's visit.
 */
import type { Engine, Generation, LabRun } from './engine';
import { FAKE_SCRIPTS, isFakeScenario, type FakeScenario, type FakeScript } from './fake-scenarios';
import { createThinkingBudget, type ThinkingBudget } from '../core/budget/thinking-budget';
import { EngineError } from '../core/errors';
import { StepGate } from '../core/step-gate';
import { layersFromPattern } from '../core/memory/reference-specs';
import { FLOAT32_WIDTHS, stateBytesAt } from '../core/memory/state-memory';
import type { ModelSpec } from '../core/model-spec';
import type {
  EngineEvent,
  GenerateRequest,
  GenerateResult,
  FinishReason,
  LoadedModel,
  LoadProgress,
  LoadRequest,
  MemoryReport,
  PromptMessage,
  ThinkingLimit,
  ThoughtEnd,
} from '../protocol/engine-api';
import type {
  LabCapabilities,
  LabJobName,
  LabJobs,
  LabProgress,
  LabWatch,
} from '../protocol/lab-api';
import { FakeLab } from './fake-lab';

const OPEN_ID = 1;
const CLOSE_ID = 2;
const END_ID = 3;
const FIRST_WORD_ID = 4;
const PREFILL_CHUNK = 16;
const WEIGHT_BYTES = 11_862_016;

export const FAKE_SPEC: ModelSpec = {
  name: 'fake',
  modelType: 'nemotron_h',
  hiddenSize: 192,
  vocabSize: 4096,
  maxPositions: 2048,
  layers: layersFromPattern('M-M-M*-M-M*-', {
    mamba: { heads: 12, headDim: 32, stateSize: 32, groups: 1, convKernel: 4 },
    attention: { heads: 6, kvHeads: 2, headDim: 32 },
  }),
  eosTokenIds: [END_ID],
};

export interface FakeEngineOptions {
  readonly scenario: FakeScenario;
  /** Milliseconds for each token; 0 in tests. */
  readonly paceMs: number;
}

/** The fake of a name as in the address, with or without `fake:`; RangeError names the scenarios there are. */
export function createFakeEngine(name: string, paceMs: number): FakeEngine {
  const scenario = name.replace(/^fake:/, '');
  if (!isFakeScenario(scenario)) {
    throw new RangeError(
      `no fake engine "${scenario}"; there are ${Object.keys(FAKE_SCRIPTS).join(', ')}`,
    );
  }
  return new FakeEngine({ scenario, paceMs });
}

/** Words with the blanks before them: the fake's tokens. */
function tokenise(text: string): string[] {
  return text.match(/\s*\S{1,6}|\s+$/g) ?? [];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function countPrompt(messages: readonly PromptMessage[]): number {
  return messages.reduce((sum, message) => sum + 5 + tokenise(message.content).length, 3);
}

export class FakeEngine implements Engine {
  readonly #script: FakeScript;
  readonly #paceMs: number;
  readonly #deathListeners = new Set<(error: EngineError) => void>();
  #loads = 0;
  #replies = 0;
  #model: LoadedModel | null = null;
  #running: FakeGeneration | null = null;
  #memory: MemoryReport | null = null;
  readonly #lab: FakeLab;

  constructor({ scenario, paceMs }: FakeEngineOptions) {
    this.#script = FAKE_SCRIPTS[scenario];
    this.#paceMs = paceMs;
    this.#lab = new FakeLab(FAKE_SPEC, paceMs, () => this.#memory);
  }

  async load(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<LoadedModel> {
    const started = performance.now();
    this.#loads += 1;
    const slices = 20;
    const loadMs = this.#script.loadMs ?? this.#paceMs * slices;
    onProgress({ stage: 'manifest', loadedBytes: 0, totalBytes: 0, fromCache: false });
    for (let slice = 0; slice <= slices; slice += 1) {
      onProgress({
        stage: 'weights',
        loadedBytes: Math.round((WEIGHT_BYTES * slice) / slices),
        totalBytes: WEIGHT_BYTES,
        fromCache: this.#loads > 1,
        file: 'onnx/model_q4.onnx',
      });
      await pause(loadMs / slices);
      if (slice === 8 && this.#script.failsFirstLoad === true && this.#loads === 1) {
        throw new EngineError(
          'model-truncated',
          `onnx/model_q4.onnx ended after ${Math.round((WEIGHT_BYTES * slice) / slices)} of ${WEIGHT_BYTES} bytes.`,
          'Check the connection and try again; what arrived is kept.',
        );
      }
    }
    for (const stage of ['session', 'self-test', 'warm-up', 'ready'] as const) {
      onProgress({
        stage,
        loadedBytes: WEIGHT_BYTES,
        totalBytes: WEIGHT_BYTES,
        fromCache: this.#loads > 1,
      });
      await pause(this.#paceMs);
    }
    const hasThreads = this.#script.hasThreads ?? true;
    this.#model = {
      spec: FAKE_SPEC,
      device: hasThreads ? 'wasm-threads' : 'wasm',
      attempts: [
        {
          device: 'webgpu-f16',
          outcome: 'skipped',
          reason: 'This browser offers no WebGPU adapter.',
        },
        {
          device: 'webgpu-f32',
          outcome: 'skipped',
          reason: 'This browser offers no WebGPU adapter.',
        },
        hasThreads
          ? {
              device: 'wasm-threads',
              outcome: 'chosen',
              reason: '4 threads; the self-test passed.',
            }
          : {
              device: 'wasm-threads',
              outcome: 'skipped',
              reason: 'The page is not cross-origin isolated, so threads are off.',
            },
        ...(hasThreads
          ? []
          : [
              {
                device: 'wasm',
                outcome: 'chosen',
                reason: 'One thread; the self-test passed.',
              } as const,
            ]),
      ],
      variant: 'onnx/model_q4.onnx',
      weightBytes: WEIGHT_BYTES,
      parameters: 9_800_000,
      threads: hasThreads ? 4 : 1,
      loadMs: performance.now() - started,
      selfTest: { maxDifference: 0.002, tolerance: 0.05 },
      notice: hasThreads
        ? ''
        : `No WebGPU and no threads here, so replies are slow (${request.device}).`,
    };
    return this.#model;
  }

  generate(
    request: GenerateRequest,
    onEvents: (events: readonly EngineEvent[]) => void,
  ): Generation {
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      return {
        id: request.id,
        done: Promise.reject(refusal),
        stop() {},
        answerNow() {},
        step() {},
      };
    }
    this.#replies += 1;
    this.#lab.startReply(request.messages.map(({ content }) => content).join('\n'));
    const tell = (events: readonly EngineEvent[]): void => {
      for (const event of events) if (event.type === 'memory') this.#memory = event.memory;
      onEvents(this.#lab.decorate(events, request.candidates));
    };
    const run = new FakeGeneration(request, this.#script, this.#paceMs, tell, {
      diesAfter: this.#replies === 1 ? (this.#script.diesAfterTokens ?? Infinity) : Infinity,
      device: this.#model?.device ?? 'wasm',
    });
    this.#running = run;
    const done = run.run().then(
      (result) => {
        this.#running = null;
        return result;
      },
      (error: unknown) => {
        this.#running = null;
        if (error instanceof EngineError && error.code === 'worker-died') this.#die(error);
        throw error;
      },
    );
    return {
      id: request.id,
      done,
      stop: () => run.stop(),
      answerNow: () => run.answerNow(),
      step: (tokens) => run.gate.allow(tokens),
    };
  }

  watch(watch: LabWatch | null): Promise<LabCapabilities> {
    this.#lab.watch(watch);
    return Promise.resolve({ missing: [], hasLayerwiseKv: true, modelId: 'fake' });
  }

  lab<K extends LabJobName>(
    job: K,
    request: LabJobs[K]['request'],
    onProgress: (progress: LabProgress) => void = () => {},
  ): LabRun<K> {
    return this.#lab.lab(job, request, onProgress);
  }

  countTokens(messages: readonly PromptMessage[]): Promise<number> {
    return Promise.resolve(countPrompt(messages));
  }

  onDeath(listener: (error: EngineError) => void): () => void {
    this.#deathListeners.add(listener);
    return () => {
      this.#deathListeners.delete(listener);
    };
  }

  dispose(): Promise<void> {
    this.#running?.stop();
    this.#model = null;
    return Promise.resolve();
  }

  #refusal(request: GenerateRequest): EngineError | null {
    if (this.#model === null) {
      return new EngineError('not-loaded', 'No model is loaded.', 'Load the model first.');
    }
    if (this.#running !== null) {
      return new EngineError(
        'busy',
        'A reply is still being written.',
        'Stop it or wait for its end.',
      );
    }
    const promptTokens = countPrompt(request.messages);
    if (promptTokens + request.maxAnswerTokens > FAKE_SPEC.maxPositions) {
      return new EngineError(
        'prompt-too-long',
        `The conversation has ${promptTokens} tokens; with ${request.maxAnswerTokens} kept for the answer, ${FAKE_SPEC.maxPositions} fit.`,
        'Shorten the message or start a new chat.',
      );
    }
    return null;
  }

  #die(error: EngineError): void {
    this.#model = null;
    for (const listener of this.#deathListeners) listener(error);
  }
}

interface FakeRunFacts {
  readonly diesAfter: number;
  readonly device: LoadedModel['device'];
}

interface FakeRound {
  readonly thought: string;
  readonly answer: string;
  readonly tool: FakeScript['tools'][number] | null;
}

/** One scripted reply. */
class FakeGeneration {
  readonly #request: GenerateRequest;
  readonly #script: FakeScript;
  readonly #paceMs: number;
  readonly #emit: (events: readonly EngineEvent[]) => void;
  readonly #facts: FakeRunFacts;
  #budget: ThinkingBudget;
  readonly #startedAt = performance.now();
  #isStopped = false;
  #wantsAnswer = false;
  #tokens = 0;
  #decoded = 0;
  readonly gate = new StepGate();
  #answerTokens = 0;
  #firstTokenAt: number | null = null;
  #thoughtMs = 0;
  /** Thought tokens of the rounds before this one. */
  #thoughtBefore = 0;

  constructor(
    request: GenerateRequest,
    script: FakeScript,
    paceMs: number,
    emit: (events: readonly EngineEvent[]) => void,
    facts: FakeRunFacts,
  ) {
    this.#request = request;
    this.#script = script;
    this.#paceMs = paceMs;
    this.#emit = emit;
    this.#facts = facts;
    this.#budget = this.#budgetOf(request.thinkingLimit);
    if (request.isStepped === true) this.gate.allow(0);
  }

  #budgetOf(limit: ThinkingLimit): ThinkingBudget {
    return createThinkingBudget({
      limit,
      openId: OPEN_ID,
      closeId: CLOSE_ID,
      endIds: [END_ID],
      closingSentence: this.#request.closingSentence,
    });
  }

  /** What is thought and said up to each tool of those that are offered, and at last. */
  #rounds(): readonly FakeRound[] {
    const offered = this.#request.tools.map(String);
    const tools = this.#script.tools.filter(({ call }) => offered.includes(call.name));
    return [...tools, null].map((tool, at) => ({
      thought: at === 0 ? this.#script.thought : (tools[at - 1]?.after ?? ''),
      answer: tool === null ? this.#script.answer : (tool.before ?? ''),
      tool,
    }));
  }

  stop(): void {
    this.#isStopped = true;
    this.gate.allow(Infinity);
  }

  answerNow(): void {
    this.#wantsAnswer = true;
  }

  async run(): Promise<GenerateResult> {
    const { messages, continueFrom: before } = this.#request;
    const promptTokens = countPrompt(messages);
    await this.#prefill(promptTokens);
    const prefillMs = performance.now() - this.#startedAt;
    // Steps that the reply has taken already, when it goes on.
    const lastQuestion = messages.findLastIndex(({ role }) => role === 'user');
    const taken = messages.slice(lastQuestion).filter(({ role }) => role === 'tool').length;
    const rounds = this.#rounds().slice(taken);
    let said = before?.answer ?? '';
    this.#budget.start({
      thought: before?.thought ?? '',
      usedTokens: tokenise(before?.thought ?? '').length,
      inAnswer: said !== '' || rounds[0]?.thought === '',
    });
    let finish: FinishReason = 'end';
    for (const [at, { thought, answer, tool }] of rounds.entries()) {
      if (at > 0) {
        this.#thoughtBefore += this.#budget.usedTokens;
        this.#budget = this.#budgetOf(this.#budget.remaining);
        this.#budget.start({ inAnswer: thought === '' });
      }
      await this.#think(thought);
      finish = await this.#answer(answer, said);
      said = '';
      if (finish !== 'end') break;
      if (tool !== null) await this.#useTool(tool);
    }
    const now = performance.now();
    const decodeMs = Math.max(now - this.#startedAt - prefillMs, 1);
    return {
      finish,
      thoughtEnd: this.#budget.ended,
      stats: {
        promptTokens,
        reusedTokens: 0,
        prefillMs,
        timeToFirstTokenMs: (this.#firstTokenAt ?? now) - this.#startedAt,
        thoughtTokens: this.#thoughtBefore + this.#budget.usedTokens,
        thoughtMs: this.#thoughtMs,
        answerTokens: this.#answerTokens,
        decodeMs,
        decodeTokensPerSecond: (this.#decoded * 1000) / decodeMs,
        prefillTokensPerSecond: (promptTokens * 1000) / Math.max(prefillMs, 1),
        device: this.#facts.device,
      },
      memory: this.#memory(),
    };
  }

  async #prefill(promptTokens: number): Promise<void> {
    for (let done = 0; done < promptTokens && !this.#isStopped;) {
      await pause(this.#script.prefillMs ?? this.#paceMs);
      done = Math.min(done + PREFILL_CHUNK, promptTokens);
      this.#tokens = done;
      this.#emit([
        { type: 'prefill', done, total: promptTokens, reused: 0 },
        { type: 'memory', memory: this.#memory() },
      ]);
    }
  }

  #endIfStopped(): boolean {
    if (this.#isStopped) this.#budget.stop();
    return this.#isStopped;
  }

  #isThinking(): boolean {
    return this.#budget.channel === 'thought';
  }

  async #think(thought: string): Promise<void> {
    if (this.#isStopped) this.#budget.stop();
    if (!this.#isThinking()) return;
    const startedAt = performance.now();
    this.#emit([{ type: 'thought-start', limit: this.#request.thinkingLimit }]);
    const words = tokenise(thought).slice(this.#budget.usedTokens);
    let at = 0;
    while (this.#isThinking()) {
      await this.#step();
      if (this.#endIfStopped()) break;
      const injection = this.#wantsAnswer ? this.#budget.answerNow() : null;
      if (injection !== null) {
        if (injection.visible !== '') this.#token('thought', injection.visible, true);
        break;
      }
      const word = words[at];
      at += 1;
      const step = this.#budget.onSampled(
        word === undefined ? CLOSE_ID : FIRST_WORD_ID + at,
        word ?? '',
      );
      if (step.keep && step.text !== '') this.#token('thought', step.text, false);
      if (step.inject !== undefined && step.inject.visible !== '')
        this.#token('thought', step.inject.visible, true);
    }
    const ms = performance.now() - startedAt;
    this.#thoughtMs += ms;
    const reason: ThoughtEnd = this.#budget.ended ?? 'natural';
    this.#emit([{ type: 'thought-end', reason, tokens: this.#budget.usedTokens, ms }]);
  }

  async #useTool({ call, result, isError }: FakeScript['tools'][number]): Promise<void> {
    await this.#step();
    this.#emit([{ type: 'tool-call', call }]);
    await this.#step();
    this.#emit([{ type: 'tool-result', name: call.name, content: result, isError }]);
  }

  async #answer(answer: string, written: string): Promise<FinishReason> {
    const words = tokenise(answer.startsWith(written) ? answer.slice(written.length) : '');
    for (const word of words) {
      if (this.#isStopped) break;
      if (this.#answerTokens >= this.#request.maxAnswerTokens) return 'length';
      await this.#step();
      this.#token('answer', word, false);
      this.#answerTokens += 1;
    }
    return this.#isStopped ? 'stopped' : 'end';
  }

  async #step(): Promise<void> {
    await pause(this.#paceMs);
    if (this.#decoded > 0) await this.gate.pass();
    this.#decoded += 1;
    if (this.#decoded > this.#facts.diesAfter) {
      throw new EngineError(
        'worker-died',
        'The engine stopped without a word in the middle of the reply.',
        'It is being started again; then generate again.',
      );
    }
  }

  #token(channel: 'thought' | 'answer', text: string, injected: boolean): void {
    this.#tokens += 1;
    this.#firstTokenAt ??= performance.now();
    this.#emit([
      {
        type: 'token',
        id: FIRST_WORD_ID + this.#tokens,
        text,
        channel,
        injected,
        ms: this.#paceMs,
      },
      { type: 'memory', memory: this.#memory() },
    ]);
  }

  #memory(): MemoryReport {
    const bytes = stateBytesAt(FAKE_SPEC, this.#tokens, FLOAT32_WIDTHS, 'kernel-1');
    return {
      weightBytes: WEIGHT_BYTES,
      ssmBytes: bytes.ssm,
      convBytes: bytes.conv,
      kvBytes: bytes.kv,
      kvAllocatedBytes: bytes.kv,
      snapshotBytes: 0,
      snapshotCount: 0,
      tokens: this.#tokens,
    };
  }
}

/** Owns one reply that is drafted, checked and mended: runs the steps one after the other, stoppable in each of them. */
import type { ReplyPart, RolePart } from '../../core/chat/reply';
import { rolesOf } from '../../core/chat/reply-parts';
import { EngineError } from '../../core/errors';
import type { RolePrompts } from '../../core/roles/role-prompts';
import {
  chooseResult,
  nextStep,
  roleMessages,
  type NextStep,
  type RolePlan,
} from '../../core/roles/role-steps';
import type { Engine, Generation } from '../../engine/engine';
import type {
  EngineEvent,
  GenerateRequest,
  GenerateResult,
  GenerateStats,
  SamplingSettings,
} from '../../protocol/engine-api';
import type { ReplyEvents } from '../reply-way';

/** Of all but the first draft and the first feedback on each, so that they differ. As measured (LOG.md, feedback and edit). */
const VARIED_TEMPERATURE = 0.8;

/** The first draft, its first feedback and every edit as the person has set it; the others vary. */
function samplingOf({ role, draft, feedback }: NextStep, base: SamplingSettings): SamplingSettings {
  const isVaried = role === 'draft' ? draft > 1 : role === 'feedback' && feedback > 1;
  return {
    ...base,
    temperature: isVaried ? Math.max(base.temperature, VARIED_TEMPERATURE) : base.temperature,
    seed: base.seed + 100 * (draft - 1) + feedback,
  };
}

/** The question that is to be answered; the roles read it alone. */
function questionOf({ messages }: GenerateRequest): string {
  return messages.findLast(({ role }) => role === 'user')?.content ?? '';
}

/** The figures of all steps together; rates over all of their time. */
function sumStats(before: GenerateStats | null, next: GenerateStats): GenerateStats {
  if (before === null) return next;
  const sum = (
    name:
      | 'promptTokens'
      | 'reusedTokens'
      | 'prefillMs'
      | 'thoughtTokens'
      | 'thoughtMs'
      | 'answerTokens'
      | 'decodeMs',
  ): number => before[name] + next[name];
  const rate = (tokens: number, ms: number): number => (ms > 0 ? (tokens * 1000) / ms : 0);
  const thoughtTokens = sum('thoughtTokens');
  const answerTokens = sum('answerTokens');
  const read = sum('promptTokens') - sum('reusedTokens');
  return {
    ...next,
    promptTokens: sum('promptTokens'),
    reusedTokens: sum('reusedTokens'),
    prefillMs: sum('prefillMs'),
    timeToFirstTokenMs: before.timeToFirstTokenMs,
    thoughtTokens,
    thoughtMs: sum('thoughtMs'),
    answerTokens,
    decodeMs: sum('decodeMs'),
    decodeTokensPerSecond: rate(thoughtTokens + answerTokens, sum('decodeMs')),
    prefillTokensPerSecond: rate(read, sum('prefillMs')),
  };
}

/** One step as it grows. */
class GrowingStep {
  part: RolePart;

  constructor(step: NextStep) {
    this.part = { kind: 'role', ...step, thought: '', text: '', tokens: 0, isDone: false };
  }

  take(events: readonly EngineEvent[]): void {
    for (const event of events) {
      if (event.type !== 'token' || event.channel === 'tool-call') continue;
      const { thought, text, tokens } = this.part;
      this.part = {
        ...this.part,
        tokens: tokens + (event.injected ? 0 : 1),
        ...(event.channel === 'thought'
          ? { thought: thought + event.text }
          : { text: text + event.text }),
      };
    }
  }
}

class RoleRun {
  #current: Generation | null = null;
  #isStopped = false;
  #steps: readonly RolePart[];
  #stats: GenerateStats | null = null;
  #last: GenerateResult | null = null;

  constructor(
    private readonly engine: Pick<Engine, 'generate'>,
    private readonly request: GenerateRequest,
    begun: readonly ReplyPart[],
    private readonly prompts: RolePrompts,
    private readonly plan: RolePlan,
    private readonly onEvents: ReplyEvents,
  ) {
    const steps = rolesOf(begun).filter(({ isDone }) => isDone);
    // Cut off between its last step and its answer: the last step is written again, so that there is a run to report.
    this.#steps = nextStep(steps, plan) === null ? steps.slice(0, -1) : steps;
  }

  stop(): void {
    this.#isStopped = true;
    this.#current?.stop();
  }

  answerNow(): void {
    this.#current?.answerNow();
  }

  async run(): Promise<GenerateResult> {
    let step = nextStep(this.#steps, this.plan);
    while (step !== null && !this.#isStopped) {
      if (!(await this.#write(step))) return this.#end('context-full');
      if (this.#last?.finish === 'stopped') return this.#end('stopped');
      step = nextStep(this.#steps, this.plan);
    }
    return this.#end(this.#isStopped ? 'stopped' : 'end');
  }

  /** False: what the step reads has no room in the model's context. */
  async #write(step: NextStep): Promise<boolean> {
    const growing = new GrowingStep(step);
    const isFirst = this.#last === null;
    const { answerSchema, ...request } = this.request;
    try {
      this.#current = this.engine.generate(
        {
          ...request,
          messages: roleMessages(step, questionOf(request), this.#steps, this.prompts),
          sampling: samplingOf(step, request.sampling),
          tools: [],
          ...(step.role === 'feedback' ? {} : { isScored: true }),
          ...(answerSchema === undefined || step.role === 'feedback' ? {} : { answerSchema }),
        },
        (events) => {
          growing.take(events);
          const passed = events.filter(
            ({ type }) => type === 'memory' || (isFirst && type === 'prefill'),
          );
          this.onEvents([...passed, { type: 'role', step: growing.part }]);
        },
      );
      const result = await this.#current.done;
      this.#last = result;
      this.#stats = sumStats(this.#stats, result.stats);
      const part = {
        ...growing.part,
        isDone: result.finish !== 'stopped',
        ...(result.reward === undefined ? {} : { reward: result.reward }),
      };
      this.#steps = [...this.#steps, part];
      this.onEvents([{ type: 'role', step: part }]);
      return true;
    } catch (error) {
      const isFull = error instanceof EngineError && error.code === 'prompt-too-long';
      // A draft that has no room is the question's own fault, and is told as for any reply.
      if (!isFull || step.role === 'draft' || this.#last === null) throw error;
      return false;
    } finally {
      this.#current = null;
    }
  }

  /** Says the answer, where there is one, and adds up. */
  #end(finish: 'end' | 'stopped' | 'context-full'): GenerateResult {
    const choice = finish === 'stopped' ? null : chooseResult(this.#steps);
    if (choice !== null)
      this.onEvents([
        { type: 'notice', text: choice.how },
        { type: 'token', id: -1, text: choice.text, channel: 'answer', injected: false, ms: 0 },
      ]);
    if (this.#last === null || this.#stats === null) throw new RangeError('no step was written');
    return { finish, thoughtEnd: null, stats: this.#stats, memory: this.#last.memory };
  }
}

/** Starts the reply; `begun` has the steps that are done already. */
export function runRoles(
  engine: Pick<Engine, 'generate'>,
  request: GenerateRequest,
  begun: readonly ReplyPart[],
  prompts: RolePrompts,
  plan: RolePlan,
  onEvents: ReplyEvents,
): Generation {
  const run = new RoleRun(engine, request, begun, prompts, plan, onEvents);
  return {
    id: request.id,
    done: run.run(),
    stop: () => run.stop(),
    answerNow: () => run.answerNow(),
    step: () => {},
  };
}

import { describe, expect, it } from 'vitest';
import { runProblem, runReply, ANSWER_TOKENS } from '../../../scripts/eval/run-reply';
import { SharedSteps } from '../../../scripts/eval/shared-steps';
import type { ThinkingLimit } from '../../../src/core/budget/thinking-limit';
import { judgeReply } from '../../../src/core/evaluation/budget-curve';
import type { Problem } from '../../../src/core/evaluation/problem';
import { LayerStates, liveStateCount } from '../../../workers/runtime/layer-states';
import type { StepSession } from '../../../workers/token-cursor';
import { idOf, scriptedModel, tokenizer, VOCAB } from './scripted-model';

const model = scriptedModel('made-up', 700);

/** What the made-up model likes to say: words, ends of sentences and lines, and every tag there is. */
const LIKED = [
  ...' one two three 7 8 9 . \n'
    .split(' ')
    .flatMap((text) => (text === '' ? [] : tokenizer.encode(text))),
  ...tokenizer.encode('.\n'),
  idOf('<think>'),
  idOf('</think>'),
  idOf('<|im_end|>'),
  idOf('<tool_call>'),
];

/** Hashes of all that was read, in the place of a model's state. */
const hashes = new WeakMap<LayerStates, number>();

function mix(hash: number, token: number): number {
  return Math.imul(hash ^ (token + 0x9e3779b9), 0x85ebca6b) ^ (hash >>> 13);
}

/**
 * A model whose next token hangs on every token before: any difference in what two runs have read shows. It changes
 * nothing it is given and reuses its logits, as the real session does.
 */
function madeUpModel(seed: number, endShare: number): StepSession & { steps: number } {
  const logits = new Float32Array(VOCAB);
  return {
    steps: 0,
    emptyStates() {
      const states = new LayerStates(new Map(), 0);
      hashes.set(states, seed);
      return states;
    },
    step(tokens, from) {
      this.steps += 1;
      let hash = hashes.get(from);
      if (hash === undefined) throw new Error('states of another model');
      for (const token of Array.from(tokens)) hash = mix(hash, token);
      const states = new LayerStates(new Map(), from.tokens + tokens.length);
      hashes.set(states, hash);
      logits.fill(-10);
      LIKED.forEach((id, i) => {
        logits[id] = (mix(hash, i) >>> 0) / 2 ** 32;
      });
      for (const tag of [idOf('</think>'), idOf('<|im_end|>')])
        logits[tag] = (logits[tag] ?? 0) * endShare;
      return Promise.resolve({ logits, states, probes: new Map() });
    },
  };
}

const LIMITS: readonly ThinkingLimit[] = [0, 16, 32, 64, 128, 256, 'unlimited'];
const problem: Problem = {
  id: 'a',
  family: 'addition',
  difficulty: 1,
  phrasing: 'train',
  question: 'What is 7 + 8?',
  gold: '15',
  check: { kind: 'number' },
  tools: [],
  now: null,
};

describe('replies with shared steps', () => {
  it.each([
    ['thoughts that end early', 1, 1],
    ['thoughts that end late', 2, 0.99],
    ['thoughts and answers that never end', 3, 0],
    ['another seed', 4, 0.985],
    ['one more', 5, 0.995],
  ])('are the replies without: %s', async (_, seed, endShare) => {
    const before = liveStateCount();
    const request = {
      messages: [{ role: 'user' as const, content: problem.question }],
      tools: [],
      now: new Date(0),
    };
    const plain = madeUpModel(seed, endShare);
    const shared = madeUpModel(seed, endShare);
    const steps = new SharedSteps(shared);
    for (const limit of LIMITS) {
      steps.isRemembering = limit !== 'unlimited';
      const all = { ...request, limit, maxAnswerTokens: ANSWER_TOKENS };
      const alone = await runReply(model, plain, all);
      expect(await runReply(model, steps, all)).toEqual(alone);
      expect(alone.thoughtsBegun).toBe(limit === 0 ? 0 : 1);
      expect(alone.closes).toBe(alone.thoughtsBegun);
      const grace = limit === 'unlimited' ? Infinity : limit + Math.max(16, Math.ceil(limit / 10));
      expect(alone.thoughtTokens).toBeLessThanOrEqual(limit === 0 ? 0 : grace);
    }
    expect(shared.steps).toBeLessThan(plain.steps);
    expect(steps.counts.computed).toBe(shared.steps);
    expect(steps.counts.computed + steps.counts.remembered).toBe(plain.steps);
    steps.forget();
    expect(liveStateCount()).toBe(before);
  });

  it('give a problem the outcomes of its replies', async () => {
    const before = liveStateCount();
    const steps = new SharedSteps(madeUpModel(6, 0.99));
    const { result, lastAnswer } = await runProblem(model, steps, problem, LIMITS);
    expect(Object.keys(result.outcomes)).toEqual([
      '0',
      '16',
      '32',
      '64',
      '128',
      '256',
      'unlimited',
    ]);
    const alone = await runReply(model, madeUpModel(6, 0.99), {
      messages: [{ role: 'user', content: problem.question }],
      limit: 'unlimited',
      tools: [],
      maxAnswerTokens: ANSWER_TOKENS,
      now: new Date(0),
    });
    expect(result.outcomes['unlimited']).toEqual(judgeReply(problem, alone));
    expect(lastAnswer).toBe(alone.answer);
    expect(liveStateCount()).toBe(before);
  });

  it('forget nothing that a reply still reads', async () => {
    const steps = new SharedSteps(madeUpModel(7, 1));
    const empty = steps.emptyStates();
    const { states } = await steps.step([1, 2], empty);
    steps.forget();
    const next = await steps.step([3], states);
    expect(next.states.tokens).toBe(3);
  });
});

// Problems asked again later in a chat: which, after what, in which prompt, and how they add up.
import { describe, expect, it } from 'vitest';
import { runInChat } from '../../../scripts/eval/in-chat';
import { runReply, settingsFor } from '../../../scripts/eval/run-reply';
import {
  inChatProblems,
  inChatShares,
  type ChatPlace,
  type InChatProblem,
  type InChatResult,
} from '../../../src/core/evaluation/in-chat';
import { parseProblems, takeByTurns, type Problem } from '../../../src/core/evaluation/problem';
import { TOOL_SCHEMAS } from '../../../src/core/tools/run-tool';
import { LayerStates, liveStateCount } from '../../../workers/runtime/layer-states';
import type { StepSession } from '../../../workers/token-cursor';
import { outcomeOf } from './reply-cases';
import { idOf, readJson, scriptedModel, tokenizer, VOCAB } from './scripted-model';

const PROBLEMS = parseProblems(readJson('tests/fixtures/eval/problems.json'));

function problemOf(changes: Partial<Problem>): Problem {
  return {
    id: 'a',
    family: 'addition',
    difficulty: 1,
    phrasing: 'train',
    question: 'What is 7 + 8?',
    gold: '15',
    check: { kind: 'number' },
    tools: [],
    now: null,
    ...changes,
  };
}

describe('the chats', () => {
  const chats = inChatProblems(PROBLEMS);
  const measured = new Set(chats.map(({ problem }) => problem.id));

  it('measure the first ten problems of each family, families by turns', () => {
    expect(chats.map(({ problem }) => problem)).toEqual(takeByTurns(PROBLEMS, 10));
    expect(chats).toHaveLength(160);
  });

  it('are the same at every call', () => {
    expect(inChatProblems([...PROBLEMS])).toEqual(chats);
    expect(chats[0]?.earlier.map(({ id }) => id)).toEqual([
      PROBLEMS.filter(({ family }) => family === 'subtraction')[10]?.id,
      PROBLEMS.filter(({ family }) => family === 'multiplication')[11]?.id,
      PROBLEMS.filter(({ family }) => family === 'comparison')[12]?.id,
    ]);
  });

  it('never have two questions of a family, a measured one before, or tools that are not needed', () => {
    for (const { problem, earlier } of chats) {
      expect(earlier).toHaveLength(3);
      const families = new Set([problem, ...earlier].map(({ family }) => family));
      expect(families.size).toBe(4);
      for (const before of earlier) {
        expect(measured.has(before.id)).toBe(false);
        expect(before.tools).toEqual([]);
      }
    }
  });

  it('use each other problem without tools once', () => {
    const asked = chats
      .filter(({ problem }) => problem.tools.length === 0)
      .flatMap(({ earlier }) => earlier.map(({ id }) => id));
    const others = PROBLEMS.filter(({ id, tools }) => !measured.has(id) && tools.length === 0);
    expect(asked.toSorted()).toEqual(others.map(({ id }) => id).toSorted());
    // A family is not always asked after the same ones.
    const before = chats
      .filter(({ problem }) => problem.family === 'logic')
      .flatMap(({ earlier }) => earlier.map(({ family }) => family));
    expect(new Set(before).size).toBe(14);
  });

  it('are refused where there is too little to ask', () => {
    const few = PROBLEMS.filter(({ family }) => ['logic', 'facts', 'units'].includes(family));
    expect(() => inChatProblems(few)).toThrow(/need 4 families .* there are 3/);
    expect(() => inChatProblems(takeByTurns(PROBLEMS, 10))).toThrow(/there are 0/);
  });
});

describe('adding up', () => {
  const result = (family: string, ...right: readonly ChatPlace[]): InChatResult => {
    const outcome = (place: ChatPlace) =>
      outcomeOf({ isCorrect: right.includes(place), isWellFormed: place !== 'fourth' });
    return {
      family,
      outcomes: {
        alone: outcome('alone'),
        second: outcome('second'),
        fourth: outcome('fourth'),
      },
    };
  };

  it('counts each place, its interval, and what was kept of what is right alone', () => {
    const shares = inChatShares([
      result('addition', 'alone', 'second'),
      result('addition', 'alone'),
      result('logic', 'second', 'fourth'),
      result('logic', 'alone', 'second'),
    ]);
    expect(shares).toMatchObject({
      problems: 4,
      alone: 0.75,
      second: 0.75,
      fourth: 0.25,
      wellFormed: { alone: 1, second: 1, fourth: 0 },
      kept: { alone: 3, second: 2, fourth: 0 },
      families: {
        addition: { alone: 1, second: 0.5, fourth: 0 },
        logic: { alone: 0.5, second: 1, fourth: 0.5 },
      },
    });
    // Wilson's interval of 1 of 4.
    expect(shares?.interval.fourth[0]).toBeCloseTo(0.0456, 4);
    expect(shares?.interval.fourth[1]).toBeCloseTo(0.6994, 4);
  });

  it('has no share of nothing', () => {
    expect(inChatShares([])).toBeNull();
  });
});

describe('asking', () => {
  const model = scriptedModel('scripted', 4096);

  /** What a model writes after a prompt, and nothing after any other. */
  interface Line {
    readonly prompt: string;
    readonly says: string;
  }

  /** A session that follows a script; fails on the first token that no line of it begins with. */
  function scripted(lines: readonly Line[]): StepSession & { readonly met: Set<string> } {
    const reads = new WeakMap<LayerStates, readonly number[]>();
    const met = new Set<string>();
    const known = lines.map(({ prompt, says }) => {
      const start = tokenizer.encode(prompt);
      return { prompt, start: start.length, ids: [...start, ...tokenizer.encode(says)] };
    });
    return {
      met,
      emptyStates() {
        const states = new LayerStates(new Map(), 0);
        reads.set(states, []);
        return states;
      },
      step(tokens, from) {
        const read = [...(reads.get(from) ?? []), ...Array.from(tokens)];
        const fitting = known.filter(({ ids }) => read.every((id, at) => ids[at] === id));
        // Past a prompt, the line of that prompt; within prompts nothing hangs on the choice.
        const line = fitting.find(({ start }) => start <= read.length) ?? fitting[0];
        if (line === undefined) throw new Error(`the script has no such prompt: ${read.join(' ')}`);
        if (line.start === read.length) met.add(line.prompt);
        const logits = new Float32Array(VOCAB);
        logits[line.ids[read.length] ?? 0] = 1;
        const states = new LayerStates(new Map(), read.length);
        reads.set(states, read);
        return Promise.resolve({ logits, states, probes: new Map() });
      },
    };
  }

  const system = '<|im_start|>system\n<|im_end|>\n';
  const user = (text: string): string => `<|im_start|>user\n${text}<|im_end|>\n`;
  const begin = '<|im_start|>assistant\n<think>\n';
  /** An earlier reply, without its thought. */
  const past = (text: string): string =>
    `<|im_start|>assistant\n<think></think>${text}<|im_end|>\n`;
  const reply = (answer: string): string => `I think.\n</think>\n${answer}<|im_end|>`;

  const plain: InChatProblem = {
    problem: problemOf({}),
    earlier: ['Sort 3 and 2.', 'Is ice cold?', 'Spell cat.'].map((question, at) =>
      problemOf({ id: `e${at}`, family: `f${at}`, question }),
    ),
  };

  it('shows earlier replies as the model gave them, without thoughts, and the same first ones to both', async () => {
    const before = liveStateCount();
    const first = system + user('Sort 3 and 2.');
    const two = first + past('2, 3.') + user('Is ice cold?');
    const three = two + past('Yes.') + user('Spell cat.');
    const lines: Line[] = [
      { prompt: first + begin, says: reply('2, 3.') },
      { prompt: first + past('2, 3.') + user('What is 7 + 8?') + begin, says: reply('It is 15.') },
      { prompt: two + begin, says: reply('Yes.') },
      { prompt: three + begin, says: reply('c-a-t') },
      { prompt: three + past('c-a-t') + user('What is 7 + 8?') + begin, says: reply('It is 16.') },
    ];
    const session = scripted(lines);
    const finished = await runInChat(model, session, plain);
    expect([...session.met]).toEqual(lines.map(({ prompt }) => prompt));
    expect(finished.id).toBe('a');
    expect(finished.second).toMatchObject({ isCorrect: true, isWellFormed: true });
    expect(finished.fourth).toMatchObject({ isCorrect: false, isWellFormed: true });
    expect(finished.turns).toEqual([
      { question: 'Sort 3 and 2.', answer: '2, 3.' },
      { question: 'What is 7 + 8?', answer: 'It is 15.' },
    ]);
    expect(liveStateCount()).toBe(before);
  });

  it('leaves a thought as much room as the problem has alone', async () => {
    // Thinks until it is cut, then answers 7.
    const [seven = 0] = tokenizer.encode('7');
    const [open, close, end] = [idOf('<think>'), idOf('</think>'), idOf('<|im_end|>')];
    const reads = new WeakMap<LayerStates, readonly number[]>();
    const endless: StepSession = {
      emptyStates: () => new LayerStates(new Map(), 0),
      step: (tokens, from) => {
        const read = [...(reads.get(from) ?? []), ...Array.from(tokens)];
        const isThinking = read.lastIndexOf(open) > read.lastIndexOf(close);
        const states = new LayerStates(new Map(), read.length);
        reads.set(states, read);
        const logits = new Float32Array(VOCAB);
        logits[isThinking || read.at(-1) !== seven ? seven : end] = 1;
        return Promise.resolve({ logits, states, probes: new Map() });
      },
    };
    const alone = await runReply(model, endless, {
      messages: [{ role: 'user', content: plain.problem.question }],
      limit: 'unlimited',
      ...settingsFor(plain.problem),
    });
    const { second, fourth } = await runInChat(model, endless, plain);
    expect(alone.thoughtTokens).toBeGreaterThan(800);
    expect([second.thoughtTokens, fourth.thoughtTokens]).toEqual([
      alone.thoughtTokens,
      alone.thoughtTokens,
    ]);
  });

  it('offers tools to the whole chat where the problem has them, and keeps their calls as the app does', async () => {
    const problem = problemOf({
      question: 'What time is it?',
      gold: '09:26',
      check: { kind: 'clock' },
    });
    const tools: Problem['tools'] = ['calculator', 'clock'];
    const rendered = tokenizer
      .render([{ role: 'user', content: '' }], {
        tools: tools.map((name) => TOOL_SCHEMAS[name]),
        enableThinking: true,
        addGenerationPrompt: true,
      })
      .join('');
    const toolSystem = rendered.slice(0, rendered.indexOf(user('')));
    expect(toolSystem).toContain('calculator(expression)');
    const first = toolSystem + user('What is 7 times 8?');
    const call =
      '<tool_call>\n<function=calculator>\n<parameter=expression>\n7 * 8\n</parameter>\n</function>\n</tool_call>';
    const result = user('<tool_response>\n56\n</tool_response>\n');
    const calling = `I ask.\n</think>\n${call}\n<|im_end|>`;
    const history = first + past(`${call}\n`) + result + past('It is 56.') + user(problem.question);
    const lines: Line[] = [
      { prompt: first + begin, says: calling },
      { prompt: `${first}${begin}${calling}\n${result}${begin}`, says: reply('It is 56.') },
      { prompt: history + begin, says: reply('It is 09:26.') },
    ];
    const session = scripted(lines);
    const finished = await runInChat(model, session, {
      problem: { ...problem, tools, now: '2026-03-14 09:26' },
      earlier: [problemOf({ question: 'What is 7 times 8?' })],
    });
    expect([...session.met]).toEqual(lines.map(({ prompt }) => prompt));
    expect(finished.second.isCorrect).toBe(true);
    expect(finished.turns[0]?.answer).toBe('It is 56.');
  });
});

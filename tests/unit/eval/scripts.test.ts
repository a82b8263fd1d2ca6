import { appendFileSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { evalJson, type EvalReport } from '../../../scripts/eval/eval-json';
import { Journal, journalKey, weightDigests } from '../../../scripts/eval/journal';
import {
  DEFAULT_BUDGETS,
  isWhole,
  parseOptions,
  type EvalOptions,
} from '../../../scripts/eval/options';
import { lossOf, measurePerplexity } from '../../../scripts/eval/perplexity';
import { formatSeconds, progressText } from '../../../scripts/eval/progress';
import { evalMarkdown, type ComparedChat } from '../../../scripts/eval/report';
import type { FinishedProblem } from '../../../scripts/eval/run-reply';
import { budgetCurve } from '../../../src/core/evaluation/budget-curve';
import { inChatShares } from '../../../src/core/evaluation/in-chat';
import { LayerStates, liveStateCount } from '../../../workers/runtime/layer-states';
import { outcomeOf, replyOf, resultOf } from './reply-cases';

function options(...words: string[]): EvalOptions {
  const parsed = parseOptions(words);
  if (parsed === null) throw new Error('help was asked');
  return parsed;
}

describe('command line', () => {
  it('evaluates all of the shipped model by default', () => {
    expect(options()).toMatchObject({
      model: 'public/models/tidepool',
      limit: Infinity,
      out: null,
    });
    expect(options().budgets).toEqual(DEFAULT_BUDGETS);
    expect(isWhole(options())).toBe(true);
  });

  it('orders the limits and takes each once', () => {
    expect(options('--budgets', 'unlimited,16,0,16').budgets).toEqual([0, 16, 'unlimited']);
    expect(options('--budgets=8').budgets).toEqual([8]);
  });

  it.each([
    ['--limit', '3'],
    ['--families', 'logic'],
    ['--budgets', '0,16'],
    ['--no-chats'],
    ['--no-in-chat'],
    ['--no-perplexity'],
  ])('knows that %s gives a part only', (...words) => {
    expect(isWhole(options(...words))).toBe(false);
  });

  it.each([
    [['--limit', '0'], /--limit: "0"/],
    [['--limit', 'x'], /--limit: "x"/],
    [['--budgets', '16,many'], /--budgets: "many"/],
    [['--budgets', '-1'], /--budgets: "-1"/],
    [['--model'], /--model needs a value/],
    [['--faster'], /unknown option "--faster"/],
  ])('refuses %j', (words, message) => {
    expect(() => parseOptions(words)).toThrow(message);
  });

  it('asks later in a chat only what is asked without a limit alone', () => {
    expect(options().hasInChat).toBe(true);
    expect(options('--no-in-chat').hasInChat).toBe(false);
    expect(options('--budgets', '0,256').hasInChat).toBe(false);
    expect(options('--budgets', 'unlimited').hasInChat).toBe(true);
  });

  it('gives help', () => {
    expect(parseOptions(['--help'])).toBeNull();
  });
});

describe('progress', () => {
  it('estimates what is left', () => {
    expect(progressText(0, 10, 'problems', 3)).toBe('0/10 problems');
    expect(progressText(5, 10, 'problems', 20)).toBe('5/10 problems, 20 s left');
    expect(progressText(10, 10, 'problems', 200)).toBe('10/10 problems, 3.3 min');
    expect(formatSeconds(89)).toBe('89 s');
  });
});

describe('journal', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidepool-eval-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const journalAt = (...path: string[]): Journal<FinishedProblem> =>
    new Journal(join(folder, ...path), ({ result }) => result.id);

  it('remembers finished problems and forgets a line that was cut off', () => {
    const journal = journalAt('deep', 'run.jsonl');
    expect(journal.read().size).toBe(0);
    const entry = { result: resultOf({ outcomes: { '0': outcomeOf() } }), lastAnswer: '81.' };
    journal.add(entry);
    journal.add({ ...entry, result: resultOf({ id: 'b' }) });
    appendFileSync(journal.path, '{"result":{"id":"c"');
    const again = journalAt('deep', 'run.jsonl').read();
    expect([...again.keys()]).toEqual(['a', 'b']);
    expect(again.get('a')).toEqual(entry);
    journal.clear();
    expect(journal.read().size).toBe(0);
  });

  it('goes on after a line that was cut off', () => {
    const journal = journalAt('run.jsonl');
    appendFileSync(journal.path, '{"result":{"id":"c"');
    journal.read();
    journal.add({ result: resultOf(), lastAnswer: '' });
    expect([...journal.read().keys()]).toEqual(['a']);
  });

  it('tells models apart by their parts too, not by their graph alone', () => {
    const files = (part: string) =>
      ['onnx/model_q4.onnx', 'onnx/model_q4.onnx_data', 'README.md'].map((path, at) => ({
        path,
        bytes: 1,
        sha256: at === 1 ? part : path,
      }));
    const key = (part: string): string =>
      journalKey(folder, [], { weights: weightDigests({ files: files(part) }) });
    expect(key('taught again')).not.toBe(key('first'));
    expect(weightDigests({ files: files('first') })).toHaveLength(2);
  });

  it('has another key when code or settings change', () => {
    mkdirSync(join(folder, 'code'));
    writeFileSync(join(folder, 'code', 'a.ts'), '1');
    const key = journalKey(folder, ['code'], { budgets: [0] });
    expect(journalKey(folder, ['code'], { budgets: [0] })).toBe(key);
    expect(journalKey(folder, ['code'], { budgets: [16] })).not.toBe(key);
    expect(journalKey(folder, ['code/a.ts'], { budgets: [0] })).toBe(key);
    writeFileSync(join(folder, 'code', 'a.ts'), '2');
    expect(journalKey(folder, ['code'], { budgets: [0] })).not.toBe(key);
  });
});

describe('perplexity', () => {
  /** Sure of `id + 1` after `id` to the share `p`, over a vocabulary of 8. */
  const session = (p: number) => ({
    emptyStates: () => new LayerStates(new Map(), 0),
    step: (tokens: ArrayLike<number>, from: LayerStates) => {
      const logits = new Float32Array(8).fill(Math.log((1 - p) / 7));
      logits[((tokens[tokens.length - 1] ?? 0) + 1) % 8] = Math.log(p);
      return Promise.resolve({
        logits,
        probes: new Map(),
        states: new LayerStates(new Map(), from.tokens + tokens.length),
      });
    },
  });
  const encode = (text: string): number[] => Array.from(text, Number);

  it('is the vocabulary where nothing is known and 1/p where p is given to the right token', async () => {
    const documents = [{ source: 'x', pieces: [{ text: '0123', scored: true }] }];
    expect((await measurePerplexity(session(1 / 8), encode, documents)).perplexity).toBeCloseTo(
      8,
      5,
    );
    expect((await measurePerplexity(session(0.5), encode, documents)).perplexity).toBeCloseTo(2, 5);
  });

  it('scores what the model would write, never a first token, source by source', async () => {
    const before = liveStateCount();
    const measured = await measurePerplexity(session(0.5), encode, [
      {
        source: 'chat',
        pieces: [
          { text: '77', scored: false },
          { text: '01', scored: true },
          { text: '', scored: false },
          { text: '3', scored: true },
        ],
      },
      { source: 'story', pieces: [{ text: '12', scored: true }] },
    ]);
    expect(measured.tokens).toBe(4);
    expect(measured.bySource['story']).toBeCloseTo(2, 5);
    // Two tokens at one half, one at a fourteenth.
    expect(measured.bySource['chat']).toBeCloseTo((2 * 2 * 14) ** (1 / 3), 5);
    expect(liveStateCount()).toBe(before);
  });

  it('refuses text without anything to score', async () => {
    await expect(measurePerplexity(session(0.5), encode, [])).rejects.toThrow(RangeError);
  });

  it('has a loss that large logits do not break', () => {
    expect(lossOf(Float32Array.of(1000, 1000), 0)).toBeCloseTo(Math.log(2), 6);
    expect(lossOf(Float32Array.of(0, -1000), 1)).toBeCloseTo(1000, 3);
  });
});

describe('report', () => {
  const report: EvalReport = {
    model: {
      name: 'tide',
      parameters: 1.5e6,
      variant: 'quantized',
      file: 'onnx/m.onnx',
      bytes: 2e6,
      sha256: 'abcdef',
    },
    ...budgetCurve(
      [
        resultOf({ outcomes: { '0': outcomeOf({ isCorrect: false }), unlimited: outcomeOf() } }),
        resultOf({
          id: 'b',
          family: 'logic',
          outcomes: { '0': outcomeOf(), unlimited: outcomeOf() },
        }),
        resultOf({
          id: 'c',
          family: 'logic',
          outcomes: { '0': outcomeOf(), unlimited: outcomeOf() },
        }),
      ],
      [0, 'unlimited'],
    ),
    perplexity: { fp32: 3.2, quantized: 3.21987, q4: 3.136 },
    perplexityBySource: { stories: 4 },
    perplexityTokens: 4000,
    contextTokens: 1024,
    command: 'npm run eval',
    commit: 'abc',
  };

  it('gives eval.json the keys that the app reads, shares in 0..1, four digits', () => {
    const json = JSON.parse(evalJson(report)) as Record<string, unknown>;
    expect(json).toMatchObject({
      overall: { '0': 0.6667, unlimited: 1 },
      families: { addition: { '0': 0, unlimited: 1 }, logic: { '0': 1, unlimited: 1 } },
      wellFormed: { '0': 1, unlimited: 1 },
      tokens: { '0': 15, unlimited: 15 },
      perplexity: { fp32: 3.2, quantized: 3.2199, q4: 3.136 },
      n: 3,
      command: 'npm run eval',
      commit: 'abc',
    });
    expect(json['model']).toMatchObject({ name: 'tide', parameters: 1_500_000 });
  });

  it('tells the same in words', () => {
    const text = evalMarkdown(
      {
        report,
        wrong: [],
        inChat: [],
        chats: [
          {
            title: 'Hi',
            limit: 16,
            tools: [],
            users: ['Hello!'],
            replies: [replyOf({ finish: 'length' })],
          },
        ],
        packaged: { fp32: 1.2, q4: 1.212 },
        notes: ['q4f16 is absent'],
        seconds: 90,
        cpuSeconds: 60,
      },
      ['0', 'unlimited'],
    );
    expect(text).toContain('| Accuracy | 66.7 % | 100.0 % |');
    expect(text).toContain('| 90 % over all families, unlimited | 100.0 % | met |');
    expect(text).toContain('| rising with every step of the limit | 66.7 → 100.0 | met |');
    expect(text).toContain('50.0 points | met |');
    expect(text).toContain('| quantized | 3.2199 | +0.62 % |');
    expect(text).toContain('| q4 | 3.1360 | −2.00 % |');
    expect(text).toContain('| q4 | 1.2120 | +1.00 % |');
    expect(text).toContain('Note: q4f16 is absent');
    expect(text).toContain('**You:** Hello!');
    expect(text).toContain('> 23 + 58 = 81. *(length)*');
    expect(text).not.toContain('Later in a chat');
    expect(text).not.toContain('undefined');
    expect(text).not.toContain('NaN');
  });

  it('compares the problems that were asked later in a chat, and shows what went wrong there', () => {
    const right = outcomeOf();
    const wrong = outcomeOf({ isCorrect: false });
    const turns = [
      { question: 'Sort 3\nand 2.', answer: '2, 3.' },
      { question: 'What is 7 + 8?', answer: '2 + 8 = 10.' },
    ];
    const compared: ComparedChat[] = [
      { family: 'addition', outcomes: { alone: right, second: wrong, fourth: wrong }, turns },
      {
        family: 'logic',
        outcomes: { alone: right, second: right, fourth: wrong },
        turns: [{ question: 'Kept?', answer: 'Yes.' }],
      },
    ];
    const inChat = inChatShares(compared);
    if (inChat === null) throw new Error('there are results');
    const json = JSON.parse(evalJson({ ...report, inChat })) as Record<string, unknown>;
    expect(json['inChat']).toMatchObject({ problems: 2, alone: 1, second: 0.5, fourth: 0 });
    expect(json['overall']).toEqual(
      (JSON.parse(evalJson(report)) as Record<string, unknown>)['overall'],
    );
    const text = evalMarkdown(
      {
        report: { ...report, inChat },
        wrong: [],
        inChat: compared,
        chats: [],
        packaged: {},
        notes: [],
        seconds: 1,
        cpuSeconds: 1,
      },
      ['0', 'unlimited'],
    );
    expect(text).toContain('| Accuracy | 100.0 % | 50.0 % | 0.0 % |');
    expect(text).toContain('| 95 % interval | 34.2–100.0 | 9.5–90.5 | 0.0–65.8 |');
    expect(text).toContain('| Right of the 2 solved alone | 2 | 1 | 0 |');
    expect(text).toContain('| addition | 100.0 % | 0.0 % | 0.0 % |');
    expect(text).toContain(
      '**You:** Sort 3 and 2.\n\n> 2, 3.\n\n**You:** What is 7 + 8?\n\n> 2 + 8',
    );
    expect(text).not.toContain('Kept?');
  });
});

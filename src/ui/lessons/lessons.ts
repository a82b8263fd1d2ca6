/**
 * The six guided lessons as data: what is asked, what may be predicted, what is run, and what the numbers say. Each
 * runs from a fixed prompt and seed, so it replays exactly. Owns no drawing and talks to no engine.
 */
import { t } from '../../core/language/translate';
import { GREEDY } from '../../core/sampling/greedy';
import {
  curveBytes,
  curveCrossover,
  memoryCurves,
  type Provenance,
} from '../../core/lab/memory-curves';
import { attentionLayers, mambaLayers, recurrentLayers } from '../../core/memory/state-memory';
import type { ModelSpec } from '../../core/model-spec';
import { formatBytes, formatCount, formatDuration, formatFixed } from '../../core/units';
import type {
  LabJobName,
  LabJobs,
  LabProgress,
  LayerMemory,
  RecallTask,
} from '../../protocol/lab-api';
import { halfLives } from '../../state/lab/layer-words';
import { compareSentence } from '../../state/lab/operation-words';

/** What a lesson may do: run jobs, one after the other. Null of a job: stopped or failed. */
export interface LessonHost {
  readonly spec: ModelSpec;
  /** The model that runs reads plain English, names it has never met included. Absent: it does not. */
  readonly isReader?: boolean;
  /** False: no module drafts for the model that runs. */
  readonly canDraft?: boolean;
  readonly run: <K extends LabJobName>(
    name: K,
    title: string,
    request: LabJobs[K]['request'],
    onProgress?: (progress: LabProgress) => void,
  ) => Promise<LabJobs[K]['result'] | null>;
}

export interface LessonBar {
  readonly name: string;
  readonly value: number;
  readonly text: string;
  readonly tone: string;
}

export interface LessonResult {
  /** True of the numbers that came out. */
  readonly sentence: string;
  /** What these numbers say of this model here; chosen by them, so that it is true whichever model runs. */
  readonly reading: string;
  /** Index of the prediction that turned out right; null when none fits. */
  readonly right: number | null;
  readonly bars: readonly LessonBar[];
  readonly isLog?: boolean;
  readonly runs?: readonly { readonly title: string; readonly texts: readonly string[] }[];
  readonly firstDifference?: number | null;
  readonly provenance: Provenance;
}

export interface Lesson {
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  /** Two or three sentences that set the scene. */
  readonly scene: string;
  readonly question: string;
  readonly predictions: readonly string[];
  /** What is run on a model that can read, in place of what is run on others. */
  readonly forReaders?: { readonly scene: string; readonly others: string };
  /** Null: stopped or failed. A sentence: why this model can't show it. */
  run(host: LessonHost): Promise<LessonResult | string | null>;
  /** What holds of every model, whatever the numbers. */
  readonly why: string;
}

/** Sums of two digits, some with a carry: within reach of a model of a million parameters that may think. */
const SUMS: readonly (readonly [number, number])[] = [
  [47, 85],
  [36, 57],
  [62, 19],
  [75, 68],
  [24, 93],
];
const TELL = { role: 'user', content: 'Tell me a short story about a red kite.' } as const;

const LONG_TEXT =
  'The tide comes in and the tide goes out. A crab walks over the sand and hides below a stone. ' +
  'The pool between the rocks keeps its water all day. A child finds a red kite in the reeds and runs along the beach.';

/** Lists of three, with the needle at the start, in the middle and at the end, under three seeds. */
const RECALL_TASKS = [1, 2, 3].flatMap((seed) =>
  [0, 0.5, 1].map((depth) => ({ kind: 'list' as const, length: 3, keys: 1, depth, seed })),
);

/** Stories of six sentences, in one of which somebody with a name never heard owns a thing; places and seeds as above. */
const NAME_TASKS = RECALL_TASKS.map((task) => ({ ...task, kind: 'name' as const, length: 6 }));

/** Steps timed at each length; the fastest counts, since whatever else the machine does only adds. */
const COST_STEPS = 15;

/** Tokens that both continuations must share to have "begun the same". */
const SAME_BEGINNING = 8;

/** "12.8", "1,234", "over 10,000". */
function tokensIn(life: number): string {
  return life > 10_000 ? t('over 10,000') : life < 100 ? formatFixed(life, 1) : formatCount(life);
}

function mean(values: Iterable<number>): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    sum += value;
    count += 1;
  }
  return count === 0 ? 0 : sum / count;
}

export const LESSONS: readonly Lesson[] = [
  {
    id: 'token-cost',
    get title() {
      return t('What a token costs');
    },
    minutes: 3,
    get scene() {
      return t(
        'The model writes one token at a time. To write the next one it has to look back at all it has read. Or has it?',
      );
    },
    get question() {
      return t('With 8 times as much read, how much longer does a new token take?');
    },
    get predictions() {
      return [t('About as long'), t('Longer, but under 3 times'), t('3 times as long or more')];
    },
    async run({ run, spec }) {
      const contexts = [64, 512].filter((context) => context + COST_STEPS < spec.maxPositions);
      if (contexts.length < 2)
        return t('{name} reads {maxPositions} tokens at most: too few to compare 64 with 512.', {
          name: spec.name,
          maxPositions: formatCount(spec.maxPositions),
        });
      const points = await run('cost', t('Measuring milliseconds a token'), {
        contexts,
        steps: COST_STEPS,
      });
      const [first, last] = [points?.[0], points?.at(-1)];
      if (first === undefined || last === undefined) return null;
      const [was, became] = [first.decodeRange[0], last.decodeRange[0]];
      const growth = became / was;
      return {
        sentence: t(
          'After {context} tokens a new one takes {was} at best, after {context2} {became}: {growth} times as long. (Medians of {COSTSTEPS}: {decodeMs} and {decodeMs2}; what else the machine does is in them.)',
          {
            context: first.context,
            was: formatDuration(was),
            context2: last.context,
            became: formatDuration(became),
            growth: formatFixed(growth, 2),
            COSTSTEPS: COST_STEPS,
            decodeMs: formatDuration(first.decodeMs),
            decodeMs2: formatDuration(last.decodeMs),
          },
        ),
        reading:
          growth < 1.25
            ? t('It hardly matters how much was read: the cost of a token is nearly flat.')
            : growth < 3
              ? t('It grew, but far less than the text did, which is 8 times as long.')
              : t(
                  'It grew much: either reading the cache outweighs the rest here, or the machine was busy. Run it again to tell the two apart.',
                ),
        right: growth < 1.25 ? 0 : growth < 3 ? 1 : 2,
        bars: [first, last].map((point) => ({
          name: t('After {context} tokens', { context: point.context }),
          value: point.decodeRange[0],
          text: formatDuration(point.decodeRange[0]),
          tone: '--tide-water',
        })),
        provenance: 'measured',
      };
    },
    get why() {
      return t(
        'A Mamba layer folds what it has read into a state of fixed size, so its work for a token never grows. Only attention layers read a cache that gets longer. Beside both, the weights are read for every token, however short the text.',
      );
    },
  },
  {
    id: 'the-state',
    get title() {
      return t('What the state is');
    },
    minutes: 4,
    get scene() {
      return t(
        'The model has read a question and is about to answer. Right there we set every number of its Mamba states to zero, hold it there, and leave all else: the weights, the attention cache, the seed.',
      );
    },
    get question() {
      return t('What will become of the answer?');
    },
    get predictions() {
      return [
        t('It stays the same, word for word'),
        t('It begins the same and parts after {SAMEBEGINNING} tokens or more', {
          SAMEBEGINNING: SAME_BEGINNING,
        }),
        t('It parts within the first {SAMEBEGINNING} tokens', { SAMEBEGINNING: SAME_BEGINNING }),
      ];
    },
    async run({ run, spec }) {
      if (recurrentLayers(spec).length === 0)
        return t(
          '{name} has no layer with a recurrent state, so there is nothing to set to zero.',
          { name: spec.name },
        );
      const result = await run('compare', t('Going on with and without'), {
        source: { kind: 'messages', messages: [TELL], thinking: false },
        operations: [
          { kind: 'zero', target: { scope: 'all' } },
          { kind: 'freeze', target: { scope: 'all' } },
        ],
        tokens: 40,
        sampling: GREEDY,
      });
      if (result === null) return null;
      const average = mean(result.kl);
      const worst = Math.max(...result.kl, 0);
      const parts = result.firstDifference;
      return {
        sentence: compareSentence(result),
        reading:
          average < 0.1
            ? t(
                'The distance is small on average: most of these words the model still finds from its attention cache and the last few tokens alone.',
              )
            : t('The distance is large: the states carried what these words depend on.'),
        right: parts === null ? 0 : parts >= SAME_BEGINNING ? 1 : 2,
        bars: [
          {
            name: t('Mean distance (KL)'),
            value: average,
            text: t('{average} nats', { average: formatFixed(average, 3) }),
            tone: '--anemone',
          },
          {
            name: t('Largest distance'),
            value: worst,
            text: t('{worst} nats', { worst: formatFixed(worst, 3) }),
            tone: '--anemone',
          },
        ],
        runs: [
          { title: t('Untouched'), texts: result.baseline.texts },
          { title: t('States held at zero'), texts: result.operated.texts },
        ],
        firstDifference: result.firstDifference,
        provenance: 'measured',
      };
    },
    get why() {
      return t(
        'The state is a summary of all that was read, written over at every token. Held at zero, a Mamba layer sees no further back than its convolution window of a few tokens; what the attention cache holds is all the model has of the rest. Zeroed only once, a state fills again with the next tokens, so the text may not change at all: try it under Operate, without “hold it there”.',
      );
    },
  },
  {
    id: 'why-attention',
    get title() {
      return t('Why a hybrid keeps some attention');
    },
    minutes: 5,
    get scene() {
      return t(
        'Something is read, then one thing of it is asked for: a value from a list of names and values. The state must squeeze the list into a fixed size; the KV cache of the attention layers keeps every entry. We drop that cache just before the question.',
      );
    },
    get question() {
      return t('Of what it recalls with the cache, how much does it recall without?');
    },
    get predictions() {
      return [t('All of it'), t('Some of it'), t('None of it')];
    },
    forReaders: {
      get scene() {
        return t(
          'This model can read, so it gets a short story in which a thing belongs to somebody whose name was made up here, and is asked for that name: nothing it learned can help.',
        );
      },
      get others() {
        return t(
          'the model here is asked for numbers beside names that it knows. A model that can read is asked for a name that nobody has ever met.',
        );
      },
    },
    async run({ run, spec, isReader = false }) {
      const tasks: readonly RecallTask[] = isReader ? NAME_TASKS : RECALL_TASKS;
      const what = isReader ? 'names' : 'values';
      if (attentionLayers(spec).length === 0)
        return t('{name} has no attention layer, so there is no cache to drop.', {
          name: spec.name,
        });
      const ask = async (task: RecallTask, dropped: boolean): Promise<boolean | null> => {
        const result = await run('recall', dropped ? t('Without the cache') : t('With the cache'), {
          task,
          operations: dropped ? [{ kind: 'kv-drop', layer: null }] : [],
          answerTokens: 24,
        });
        return result?.answers.every(({ isRight }) => isRight) ?? null;
      };
      const recalled: RecallTask[] = [];
      for (const task of tasks) {
        const right = await ask(task, false);
        if (right === null) return null;
        if (right) recalled.push(task);
      }
      let still = 0;
      for (const task of recalled) {
        const right = await ask(task, true);
        if (right === null) return null;
        if (right) still += 1;
      }
      const [all, kept] = [tasks.length, recalled.length];
      return {
        sentence: t('With the cache it recalled {kept} of {all} {what}{ofThoseWithout}', {
          kept,
          all,
          what,
          ofThoseWithout:
            kept === 0 ? '.' : t('; of those {kept}, {still} without it.', { kept, still }),
        }),
        reading:
          kept === 0
            ? t(
                'This model recalls none even untouched, so dropping its cache shows nothing: the task is beyond it.',
              )
            : `${kept <= all / 2 ? `${t('A model this small misses many even untouched.')} ` : ''}${
                still === 0
                  ? t(
                      'What it did recall stood in the cache: with the cache gone, all of it is gone.',
                    )
                  : still < kept
                    ? t(
                        'Most lookups went through the cache; some the states could answer, or a guess hit.',
                      )
                    : t('Here the states alone were enough for {nameInShort}.', {
                        nameInShort: isReader ? t('a name in a short story') : t('a list of three'),
                      })
              }`,
        right: kept === 0 ? null : still === kept ? 0 : still > 0 ? 1 : 2,
        bars: [
          {
            name: t('With the cache'),
            value: kept,
            text: t('{kept} of {all}', { kept, all }),
            tone: '--tide-water',
          },
          {
            name: t('Of these, without'),
            value: still,
            text: t('{still} of {kept}', { still, kept }),
            tone: '--anemone',
          },
        ],
        provenance: 'measured',
      };
    },
    get why() {
      return t(
        'Looking something up exactly is what attention does well: it compares the question with every entry that it has kept. A state of fixed size has to blur entries into each other. Papers find the same at scale: without attention, hybrids fail to retrieve (arXiv 2510.19861).',
      );
    },
  },
  {
    id: 'forgetting',
    get title() {
      return t('Forgetting and half-life');
    },
    minutes: 4,
    get scene() {
      return t(
        'At every token each Mamba head decides how much of its state to keep. From those shares follows a half-life: the tokens after which half of a memory is gone.',
      );
    },
    get question() {
      return t('In the first Mamba layer, how long is the longest half-life of a head?');
    },
    get predictions() {
      return [t('Under 10 tokens'), t('10 to 100 tokens'), t('Over 100 tokens')];
    },
    async run({ run, spec }) {
      const [layer] = mambaLayers(spec);
      if (layer === undefined)
        return t('{name} has no Mamba layer, so there is no decay to read a half-life from.', {
          name: spec.name,
        });
      const live = await run('read', t('Reading the text'), {
        source: { kind: 'text', text: LONG_TEXT },
      });
      if (live === null) return null;
      const result = await run('inspect', t('Looking at the layer'), {
        targets: [{ layer: layer.index, head: 0 }],
        lastTokens: Math.min(live.tokens, 256),
      });
      if (result === null) return null;
      const found = result.layers.find(({ kind }) => kind === 'mamba');
      if (found?.kind !== 'mamba' || found.decay === null)
        return t('The file of {name} names no decay, so half-lives cannot be read.', {
          name: spec.name,
        });
      const lives = halfLives(found.decay);
      const longest = Math.max(...lives);
      const shortest = Math.min(...lives);
      return {
        sentence: t(
          'Over {tokens} tokens the {length} heads of layer {index} have half-lives from {tokensIn} to {tokensIn2} tokens.',
          {
            tokens: live.tokens,
            length: lives.length,
            index: layer.index,
            tokensIn: tokensIn(shortest),
            tokensIn2: tokensIn(longest),
          },
        ),
        reading:
          longest < 10
            ? t(
                'All of them forget within a sentence: what must be kept longer, this layer leaves to others, or to attention.',
              )
            : longest <= 100
              ? t(
                  'The slowest keeps a paragraph, the fastest a few words: between them the layer covers both.',
                )
              : t('The slowest hardly forgets at all within a chat, the fastest lets go at once.'),
        right: longest < 10 ? 0 : longest <= 100 ? 1 : 2,
        bars: lives.map((life, head) => ({
          name: t('Head {head}', { head }),
          value: Math.min(life, 1e6),
          text: t('{tokensIn} tokens', { tokensIn: tokensIn(life) }),
          tone: '--pool-water',
        })),
        isLog: true,
        provenance: 'measured',
      };
    },
    get why() {
      return t(
        'Heads may share the work: fast ones follow the words, slow ones can carry a topic. The decay depends on the token, so a head can hold on through some and let go at others; the half-life is its typical behaviour on this text.',
      );
    },
  },
  {
    id: 'the-budget',
    get title() {
      return t('The budget');
    },
    minutes: 4,
    get scene() {
      return t(
        'The model may think before it answers, within a limit. We ask for the same five sums twice: once it has to answer at once, once it may write down its steps.',
      );
    },
    get question() {
      return t('How many more will it get right when it may think?');
    },
    get predictions() {
      return [
        t('At least two more'),
        t('About as many, one more or less'),
        t('Two fewer, or worse'),
      ];
    },
    async run({ run }) {
      const ask = async (
        [a, b]: readonly [number, number],
        thinking: boolean,
      ): Promise<{ texts: readonly string[]; tokens: number; isRight: boolean } | null> => {
        const result = await run('fork', thinking ? t('With thinking') : t('At once'), {
          source: {
            kind: 'messages',
            messages: [{ role: 'user', content: `What is ${a} + ${b}?` }],
            thinking,
          },
          seeds: [1],
          tokens: thinking ? 160 : 32,
          sampling: GREEDY,
        });
        const one = result?.continuations[0];
        if (one === undefined) return null;
        // A thought that was not closed within its tokens has no answer yet.
        const close = one.text.lastIndexOf('</think>');
        const answer = close < 0 ? (thinking && !one.ended ? '' : one.text) : one.text.slice(close);
        const isRight = new RegExp(`\\b${a + b}\\b`).test(answer);
        return { texts: one.texts, tokens: one.tokenIds.length, isRight };
      };
      const quick: { texts: readonly string[]; tokens: number; isRight: boolean }[] = [];
      const slow: typeof quick = [];
      for (const [thinking, answers] of [
        [false, quick],
        [true, slow],
      ] as const) {
        for (const sum of SUMS) {
          const answer = await ask(sum, thinking);
          if (answer === null) return null;
          answers.push(answer);
        }
      }
      const rightOf = (answers: typeof quick): number =>
        answers.filter(({ isRight }) => isRight).length;
      const tokensOf = (answers: typeof quick): number =>
        answers.reduce((sum, { tokens }) => sum + tokens, 0);
      const more = rightOf(slow) - rightOf(quick);
      const bar = (name: string, answers: typeof quick, tone: string): LessonBar => ({
        name,
        value: rightOf(answers),
        text: t('{rightOf} of {length}, {tokensOf} tokens', {
          rightOf: rightOf(answers),
          length: SUMS.length,
          tokensOf: formatCount(tokensOf(answers)),
        }),
        tone,
      });
      const [a, b] = SUMS[0] ?? [0, 0];
      return {
        sentence: t(
          'At once it got {rightOf} of {length} sums right, in {tokensOf} tokens; with thinking {rightOf2}, in {tokensOf2}. Shown is the first, {a} + {b} = {a2}.',
          {
            rightOf: rightOf(quick),
            length: SUMS.length,
            tokensOf: formatCount(tokensOf(quick)),
            rightOf2: rightOf(slow),
            tokensOf2: formatCount(tokensOf(slow)),
            a,
            b,
            a2: a + b,
          },
        ),
        reading:
          more >= 2
            ? t('Thinking paid: more tokens, more right answers.')
            : more <= -2
              ? t('Here thinking hurt: this model goes astray in its own steps.')
              : t(
                  'Thinking made little difference here{theseSumsAre}. “What does it buy?” below the message field measures it on many more problems.',
                  {
                    theseSumsAre:
                      rightOf(quick) >= SUMS.length - 1
                        ? t(': these sums are easy for this model even at once')
                        : '',
                  },
                ),
        right: more >= 2 ? 0 : more <= -2 ? 2 : 1,
        bars: [bar(t('At once'), quick, '--sun'), bar(t('With thinking'), slow, '--pool-water')],
        runs: [
          { title: t('At once'), texts: quick[0]?.texts ?? [] },
          { title: t('With thinking'), texts: slow[0]?.texts ?? [] },
        ],
        provenance: 'measured',
      };
    },
    get why() {
      return t(
        'A token has only so much computation behind it. Written steps let a model use many tokens for one answer, and read its own intermediate results back. The limit decides how many tokens that may cost; it says nothing about how hard the model tries.',
      );
    },
  },
  {
    id: 'one-million',
    get title() {
      return t('What 1 M tokens would take');
    },
    minutes: 3,
    get scene() {
      return t(
        'A million tokens are some ten novels. The constant state would not grow by a byte; the attention cache would. How far apart are a hybrid and the same model with attention everywhere?',
      );
    },
    get question() {
      return t('How much more would the all-attention twin of this model remember in?');
    },
    get predictions() {
      return [t('Under 2 times'), t('2 to 4 times'), t('Over 4 times')];
    },
    async run({ run, spec }) {
      // Read a little, so that the bytes are those of real tensors.
      const live = await run('read', t('Reading the text'), {
        source: { kind: 'text', text: LONG_TEXT },
      });
      const memory = live === null ? null : await run('memory', t('Reading the tensors'), {});
      if (memory === null || memory.tokens === 0) return null;
      const { layers } = memory;
      const total = (pick: (layer: LayerMemory) => number): number =>
        layers.reduce((sum, layer) => sum + pick(layer), 0);
      const measured = {
        ssmBytes: total((layer) => layer.ssmBytes),
        convBytes: total((layer) => layer.convBytes),
        bytesPerToken: total((layer) => layer.kvBytes) / memory.tokens,
      };
      const curves = memoryCurves(spec, measured);
      const million = 2 ** 20;
      const [own, twin] = curves;
      if (own === undefined || twin?.provenance !== 'derived')
        return t('{name} has no attention layer to build its all-attention twin from.', {
          name: spec.name,
        });
      const ratio = curveBytes(twin, million) / curveBytes(own, million);
      const meet = curveCrossover(own);
      return {
        sentence: t(
          'This model’s {length} attention layers would fill {curveBytes}, its twin {curveBytes2}: {ratio} times as much.{butBelowTokens}',
          {
            length: attentionLayers(spec).length,
            curveBytes: formatBytes(curveBytes(own, million)),
            curveBytes2: formatBytes(curveBytes(twin, million)),
            ratio: ratio.toFixed(1),
            butBelowTokens:
              meet === null
                ? ''
                : ` ${t('But below {meet} tokens the constant state is the larger part.', { meet: formatCount(meet) })}`,
          },
        ),
        reading: t('These are bytes, not abilities: {name} reads {maxPositions} tokens at most.', {
          name: spec.name,
          maxPositions: formatCount(spec.maxPositions),
        }),
        right: ratio < 2 ? 0 : ratio <= 4 ? 1 : 2,
        bars: curves.map((curve, at) => ({
          name: curve.name,
          value: curveBytes(curve, million),
          text: formatBytes(curveBytes(curve, million)),
          tone: ['--pool-water', '--tide-water', '--sun', '--anemone'][at] ?? '--ink-soft',
        })),
        isLog: true,
        provenance: 'derived',
      };
    },
    get why() {
      return t(
        'Cache grows with attention layers times tokens. A hybrid in which one in six of the layers that mix tokens is attention pays a sixth; NVIDIA’s Nemotron 3 Nano 30B keeps 6 of its 52 layers as attention and needs 6 KiB a token.',
      );
    },
  },
];

/**
 * The six guided lessons as data: what is asked, what may be predicted, what is run, and what the numbers say. Each
 * runs from a fixed prompt and seed, so it replays exactly. Owns no drawing and talks to no engine.
 */
import {
  curveBytes,
  curveCrossover,
  memoryCurves,
  type Provenance,
} from '../../core/lab/memory-curves';
import { attentionLayers, mambaLayers } from '../../core/memory/state-memory';
import type { ModelSpec } from '../../core/model-spec';
import { formatBytes, formatCount, formatDuration } from '../../core/units';
import type { LabJobName, LabJobs, LabProgress, LayerMemory } from '../../protocol/lab-api';
import { halfLives } from '../../state/lab/layer-words';
import { compareSentence } from '../../state/lab/operation-words';

/** What a lesson may do: run jobs, one after the other. Null: stopped or failed. */
export interface LessonHost {
  readonly spec: ModelSpec;
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
  run(host: LessonHost): Promise<LessonResult | null>;
  /** Why it came out as it did, whatever the numbers. */
  readonly why: string;
}

const GREEDY = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: 1,
} as const;

const ASK = { role: 'user', content: 'What is 47 + 85?' } as const;
const TELL = { role: 'user', content: 'Tell me a short story about a red kite.' } as const;

const LONG_TEXT =
  'The tide comes in and the tide goes out. A crab walks over the sand and hides below a stone. ' +
  'The pool between the rocks keeps its water all day. A child finds a red kite in the reeds and runs along the beach.';

export const LESSONS: readonly Lesson[] = [
  {
    id: 'token-cost',
    title: 'What a token costs',
    minutes: 3,
    scene:
      'The model writes one token at a time. To write the next one it has to look back at all it has read. Or has it?',
    question: 'With 8 times as much read, how much longer does a new token take?',
    predictions: ['About as long', 'Up to twice as long', 'About 8 times as long'],
    async run({ run, spec }) {
      const contexts = [64, 512].filter((context) => context + 8 < spec.maxPositions);
      const points = await run('cost', 'Measuring milliseconds a token', { contexts, steps: 7 });
      const [first, last] = [points?.[0], points?.at(-1)];
      if (first === undefined || last === undefined) return null;
      const growth = last.decodeMs / first.decodeMs;
      return {
        sentence: `After ${first.context} tokens a new one takes ${formatDuration(first.decodeMs)}, after ${last.context} ${formatDuration(last.decodeMs)}: ${growth.toFixed(2)} times as long.`,
        right: growth < 1.25 ? 0 : growth < 3 ? 1 : growth > 6 ? 2 : null,
        bars: [first, last].map((point) => ({
          name: `After ${point.context} tokens`,
          value: point.decodeMs,
          text: formatDuration(point.decodeMs),
          tone: '--tide-water',
        })),
        provenance: 'measured',
      };
    },
    why: 'A Mamba layer folds what it has read into a state of fixed size, so its work for a token never grows. Only the few attention layers read a cache that gets longer, and at these lengths most of the time goes into the weights, which are read for every token anyway.',
  },
  {
    id: 'the-state',
    title: 'What the state is',
    minutes: 4,
    scene:
      'The model has read a question and is about to answer. Right there we set every number of its Mamba states to zero, hold it there, and leave all else: the weights, the attention cache, the seed.',
    question: 'What will become of the answer?',
    predictions: ['It stays the same', 'It changes, but makes sense', 'It falls apart'],
    async run({ run }) {
      const result = await run('compare', 'Going on with and without', {
        source: { kind: 'messages', messages: [TELL], thinking: false },
        operations: [
          { kind: 'zero', target: { scope: 'all' } },
          { kind: 'freeze', target: { scope: 'all' } },
        ],
        tokens: 40,
        sampling: GREEDY,
      });
      if (result === null) return null;
      const mean = result.kl.reduce((sum, value) => sum + value, 0) / Math.max(1, result.kl.length);
      const worst = Math.max(...result.kl, 0);
      return {
        sentence: compareSentence(result),
        // Whether a changed text makes sense is for the reader to judge.
        right: result.firstDifference === null ? 0 : null,
        bars: [
          {
            name: 'Mean distance (KL)',
            value: mean,
            text: `${mean.toFixed(3)} nats`,
            tone: '--anemone',
          },
          {
            name: 'Largest distance',
            value: worst,
            text: `${worst.toFixed(3)} nats`,
            tone: '--anemone',
          },
        ],
        runs: [
          { title: 'Untouched', texts: result.baseline.texts },
          { title: 'States held at zero', texts: result.operated.texts },
        ],
        firstDifference: result.firstDifference,
        provenance: 'measured',
      };
    },
    why: 'The state is the gist of everything read so far, written over at every token. Without it the Mamba layers treat each token as if it were the first; what the attention cache still holds is all that is left to go by. Zeroed only once, the state of a small model fills again within its half-life, a few tokens, and the text may not change at all: try it under Operate.',
  },
  {
    id: 'why-attention',
    title: 'Why a hybrid keeps some attention',
    minutes: 5,
    scene:
      'A list of names and values is read, then one value is asked for. The state must squeeze the list into a fixed size; the KV cache of the attention layers keeps every entry. We drop that cache just before the question.',
    question: 'How many of the three values will still be recalled?',
    predictions: ['All three', 'One or two', 'None'],
    async run({ run }) {
      const count = async (dropped: boolean): Promise<number | null> => {
        let right = 0;
        for (const depth of [0, 0.5, 1]) {
          const result = await run('recall', dropped ? 'Without the cache' : 'Untouched', {
            task: { kind: 'list', length: 4, keys: 1, depth, seed: 3 },
            operations: dropped ? [{ kind: 'kv-drop', layer: null }] : [],
            answerTokens: 24,
          });
          if (result === null) return null;
          right += result.answers.filter(({ isRight }) => isRight).length;
        }
        return right;
      };
      const kept = await count(false);
      const dropped = kept === null ? null : await count(true);
      if (kept === null || dropped === null) return null;
      const weak =
        kept < 2
          ? ' A model this small misses some even untouched, so the difference says less.'
          : '';
      return {
        sentence: `With the cache it recalled ${kept} of 3, without it ${dropped} of 3.${weak}`,
        right: dropped === 3 ? 0 : dropped > 0 ? 1 : 2,
        bars: [
          { name: 'With the cache', value: kept, text: `${kept} of 3`, tone: '--tide-water' },
          { name: 'Without it', value: dropped, text: `${dropped} of 3`, tone: '--anemone' },
        ],
        provenance: 'measured',
      };
    },
    why: 'Looking something up exactly is what attention does well: it compares the question with every entry. A state of fixed size has to blur entries into each other. Papers find the same at scale: without attention, hybrids fail to retrieve (arXiv 2510.19861).',
  },
  {
    id: 'forgetting',
    title: 'Forgetting and half-life',
    minutes: 4,
    scene:
      'At every token each Mamba head decides how much of its state to keep. From those shares follows a half-life: the tokens after which half of a memory is gone.',
    question: 'In the first Mamba layer, how long is the longest half-life of a head?',
    predictions: ['Under 10 tokens', '10 to 100 tokens', 'Over 100 tokens'],
    async run({ run, spec }) {
      const [layer] = mambaLayers(spec);
      if (layer === undefined) return null;
      const live = await run('read', 'Reading the text', {
        source: { kind: 'text', text: LONG_TEXT },
      });
      if (live === null) return null;
      const result = await run('inspect', 'Looking at the layer', {
        targets: [{ layer: layer.index, head: 0 }],
        lastTokens: Math.min(live.tokens, 256),
      });
      const [found] = result?.layers ?? [];
      if (found?.kind !== 'mamba' || found.decay === null) return null;
      const lives = halfLives(found.decay);
      const longest = Math.max(...lives);
      const shortest = Math.min(...lives);
      return {
        sentence: `Over ${live.tokens} tokens the ${lives.length} heads of layer ${layer.index} have half-lives from ${shortest.toFixed(1)} to ${longest.toFixed(1)} tokens.`,
        right: longest < 10 ? 0 : longest <= 100 ? 1 : 2,
        bars: lives.map((life, head) => ({
          name: `Head ${head}`,
          value: Math.min(life, 1e6),
          text: `${life.toFixed(1)} tokens`,
          tone: '--pool-water',
        })),
        isLog: true,
        provenance: 'measured',
      };
    },
    why: 'Heads share the work: fast ones follow the words, slow ones carry the topic. The decay depends on the token, so a head can also hold on through dull words and let go at a full stop; the half-life is its typical behaviour on this text.',
  },
  {
    id: 'the-budget',
    title: 'The budget',
    minutes: 4,
    scene:
      'The model may think before it answers, within a limit. We ask for the same sum twice: once it has to answer at once, once it may write down its steps.',
    question: `${ASK.content} Who gets it right?`,
    predictions: ['Both', 'Only with thinking', 'Neither', 'Only without thinking'],
    async run({ run }) {
      const ask = async (thinking: boolean): Promise<LabJobs['fork']['result'] | null> =>
        run('fork', thinking ? 'With thinking' : 'At once', {
          source: { kind: 'messages', messages: [ASK], thinking },
          seeds: [1],
          tokens: thinking ? 160 : 32,
          sampling: GREEDY,
        });
      const [quick] = (await ask(false))?.continuations ?? [];
      if (quick === undefined) return null;
      const [slow] = (await ask(true))?.continuations ?? [];
      if (slow === undefined) return null;
      const isRight = (text: string): boolean =>
        /\b132\b/.test(text.slice(text.lastIndexOf('</think>') + 1));
      const [quickRight, slowRight] = [isRight(quick.text), isRight(slow.text)];
      const word = (right: boolean): string => (right ? 'right' : 'wrong');
      return {
        sentence: `At once: ${word(quickRight)}, in ${quick.tokenIds.length} tokens. With thinking: ${word(slowRight)}, in ${slow.tokenIds.length} tokens. (47 + 85 = 132.)`,
        right: slowRight ? (quickRight ? 0 : 1) : quickRight ? 3 : 2,
        bars: [
          {
            name: 'At once',
            value: quick.tokenIds.length,
            text: `${quick.tokenIds.length} tokens, ${word(quickRight)}`,
            tone: '--sun',
          },
          {
            name: 'With thinking',
            value: slow.tokenIds.length,
            text: `${slow.tokenIds.length} tokens, ${word(slowRight)}`,
            tone: '--pool-water',
          },
        ],
        runs: [
          { title: 'At once', texts: quick.texts },
          { title: 'With thinking', texts: slow.texts },
        ],
        provenance: 'measured',
      };
    },
    why: 'A token has only so much computation behind it. Written steps let the model use many tokens for one answer, and read its own intermediate results back. The limit decides how many tokens that may cost; it says nothing about how hard the model tries.',
  },
  {
    id: 'one-million',
    title: 'What 1 M tokens would take',
    minutes: 3,
    scene:
      'A million tokens are some ten novels. The constant state would not grow by a byte; the attention cache would. How far apart are a hybrid and the same model with attention everywhere?',
    question: 'How much more would the all-attention twin of this model remember in?',
    predictions: ['Under 2 times', '2 to 4 times', 'Over 4 times'],
    async run({ run, spec }) {
      // Read a little, so that the bytes are those of real tensors.
      const live = await run('read', 'Reading the text', {
        source: { kind: 'text', text: LONG_TEXT },
      });
      const memory = live === null ? null : await run('memory', 'Reading the tensors', {});
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
      if (own === undefined || twin?.provenance !== 'derived') return null;
      const ratio = curveBytes(twin, million) / curveBytes(own, million);
      const meet = curveCrossover(own);
      return {
        sentence: `This model’s ${attentionLayers(spec).length} attention layers would fill ${formatBytes(curveBytes(own, million))}, its twin ${formatBytes(curveBytes(twin, million))}: ${ratio.toFixed(1)} times as much.${meet === null ? '' : ` But below ${formatCount(meet)} tokens the constant state is the larger part.`}`,
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
    why: 'Cache grows with attention layers times tokens. A hybrid with one attention layer in six or so pays a sixth; NVIDIA’s Nemotron 3 Nano 30B keeps 6 of its 52 layers as attention and needs 6 KiB a token. No model here was made for a million tokens: these are bytes, not abilities.',
  },
];

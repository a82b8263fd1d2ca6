/**
 * The guided lessons on the family's systems, as data like the six (lessons.ts): experts, the latent space, four-bit
 * numbers, and which layer can go. Each replays exactly. Owns no drawing and talks to no engine.
 */
import { t } from '../../core/language/translate';
import { expertRoom } from '../../core/lab/expert-room';
import { busiestExpert, largestLoad, RouterTrace } from '../../core/lab/router-trace';
import type { ExpertsSpec, LayerKind, ModelSpec } from '../../core/model-spec';
import { GREEDY } from '../../core/sampling/greedy';
import { formatCount } from '../../core/units';
import type { WithoutRequest } from '../../protocol/lab-api';
import { LAYER_NAMES } from '../../state/lab/layer-words';
import type { Lesson, LessonBar } from './lessons';
import { readWeights } from './read-weights';

const asked = (content: string): WithoutRequest['source'] => ({
  kind: 'messages',
  messages: [{ role: 'user', content }],
  thinking: true,
});

/** Read to see who works; the first is asked again with the busiest expert off. */
const QUESTIONS = [
  'Tom has 12 apples. He buys 30 more. How many apples does Tom have?',
  'Tell me a short story about a fox and a kite.',
] as const;
const REPLY_TOKENS = 40;

/** Tokens that both replies must share to have "begun the same". */
const SAME_BEGINNING = 8;

/** Longest stack of which each layer is taken out in turn: each time the model is opened anew. */
const MOST_LAYERS = 16;
/** Tokens of the whole model's reply at which the odds are compared. */
const COMPARED_TOKENS = 12;

function expertsOf(spec: ModelSpec): ExpertsSpec | null {
  for (const layer of spec.layers)
    if (layer.kind === 'moe' && layer.experts !== undefined) return layer.experts;
  return null;
}

const NO_EXPERTS = (name: string, title: string): string =>
  t('{name} has no experts. Let “{title}” answer first, under “Family”.', { name, title });

/** Which prediction a kind of layer belongs to. */
function groupOf(kind: LayerKind): 0 | 1 | 2 {
  if (kind === 'attention') return 1;
  return kind === 'mlp' || kind === 'moe' ? 2 : 0;
}

export const FAMILY_LESSONS: readonly Lesson[] = [
  {
    id: 'an-expert-less',
    get title() {
      return t('An expert less');
    },
    minutes: 4,
    get scene() {
      return t(
        'In a mixture of experts a router sends each token to a few of many small MLPs. We look who works most, switch that expert off, and ask the same question again.',
      );
    },
    get question() {
      return t('What becomes of the reply?');
    },
    get predictions() {
      return [
        t('It stays the same, word for word'),
        t('It begins the same, then goes another way'),
        t('It is another within the first {SAMEBEGINNING} tokens', {
          SAMEBEGINNING: SAME_BEGINNING,
        }),
      ];
    },
    async run({ run, spec }) {
      if (expertsOf(spec) === null) return NO_EXPERTS(spec.name, t('Mixture of experts'));
      let trace: RouterTrace | null = null;
      for (const question of QUESTIONS) {
        const read = await run('without', t('Looking who works'), {
          source: asked(question),
          parts: [],
          tokens: REPLY_TOKENS,
          sampling: GREEDY,
        });
        if (read === null) return null;
        const { routed } = read.baseline;
        trace ??= new RouterTrace(
          spec.layers.flatMap((layer) =>
            layer.kind === 'moe' && layer.experts !== undefined
              ? [{ layer: layer.index, experts: layer.experts.count }]
              : [],
          ),
        );
        for (const step of routed) trace.take(step);
      }
      const view = trace?.view();
      const load = view?.loads.toSorted((a, b) => largestLoad(b.counts) - largestLoad(a.counts))[0];
      const expert = load === undefined ? null : busiestExpert(load);
      if (view === undefined || load === undefined || expert === null)
        return t('The file of {name} tells nothing of its routers, so nobody can be named.', {
          name: spec.name,
        });
      const result = await run('without', t('Asking without expert {expert}', { expert }), {
        source: asked(QUESTIONS[0]),
        parts: [{ kind: 'expert', layer: load.layer, expert }],
        tokens: REPLY_TOKENS,
        sampling: GREEDY,
      });
      if (result?.changed === undefined || result.changed === null) return null;
      const { baseline, changed, firstDifference } = result;
      const right = firstDifference === null ? 0 : firstDifference >= SAME_BEGINNING ? 1 : 2;
      return {
        sentence: t(
          'Of {tokens} tokens, expert {expert} of layer {layer} took {counts}, {largestLoad} times the even share. Without it {allTokensOf}',
          {
            tokens: formatCount(view.tokens),
            expert,
            layer: load.layer,
            counts: formatCount(load.counts[expert] ?? 0),
            largestLoad: largestLoad(load.counts).toFixed(1),
            allTokensOf:
              firstDifference === null
                ? t('all {length} tokens of the reply are the same.', {
                    length: baseline.tokenIds.length,
                  })
                : t('token {firstDifference} of the reply is the first that differs.', {
                    firstDifference: firstDifference + 1,
                  }),
          },
        ),
        reading:
          right === 0
            ? t(
                'Its neighbours could do its work for this question: what it knew, others know too.',
              )
            : right === 1
              ? t(
                  'The others carry on for a while; then one choice falls otherwise, and all that follows builds on it.',
                )
              : t('Much of this reply went through one expert: the next best is no match for it.'),
        right,
        bars: load.counts.map((count, at): LessonBar => ({
          name: t('Expert {at}', { at }),
          value: count,
          text: t('{count} tokens', { count: formatCount(count) }),
          tone: at === expert ? '--anemone' : '--pool-water',
        })),
        runs: [
          { title: t('The whole model'), texts: baseline.texts },
          { title: t('Without expert {expert}', { expert }), texts: changed.texts },
        ],
        firstDifference,
        provenance: 'measured',
      };
    },
    get why() {
      return t(
        'The router scores all experts for each token and takes the best few; a bias that is corrected in training keeps the load even, so that no expert starves. Nemotron 3 Nano has 128 experts in such a layer and computes 6 of them, beside one that every token goes through: 30 billion weights, some 3 billion at work for a token.',
      );
    },
  },
  {
    id: 'a-narrower-room',
    get title() {
      return t('A narrower room');
    },
    minutes: 3,
    get scene() {
      return t(
        'LatentMoE squeezes each token into a narrower space before the experts and widens their sum after them. An expert then has shorter matrices.',
      );
    },
    get question() {
      return t('At the same bytes, how many times as many experts are there room for?');
    },
    get predictions() {
      return [t('Hardly more'), t('About twice as many'), t('Three times or more')];
    },
    async run({ run, spec }) {
      const experts = expertsOf(spec);
      if (experts === null) return NO_EXPERTS(spec.name, t('LatentMoE'));
      const { latentWidth, count, chosen } = experts;
      const room = expertRoom(experts, spec.hiddenSize);
      if (latentWidth === null || room === null)
        return t(
          'The experts of {name} work at its full width of {hiddenSize}. Let “LatentMoE” answer first, under “Family”.',
          { name: spec.name, hiddenSize: spec.hiddenSize },
        );
      const read = await run('without', t('Looking who works'), {
        source: asked(QUESTIONS[1]),
        parts: [],
        tokens: REPLY_TOKENS,
        sampling: GREEDY,
      });
      if (read === null) return null;
      const used = new Map<number, Set<number>>();
      for (const { layers } of read.baseline.routed)
        for (const { layer, experts: chosenOnes } of layers)
          used.set(layer, new Set([...(used.get(layer) ?? []), ...chosenOnes]));
      const [least, most] = [
        Math.min(...[...used.values()].map(({ size }) => size)),
        Math.max(...[...used.values()].map(({ size }) => size)),
      ];
      const times = room.atFullWidth / room.perExpert;
      return {
        sentence: t(
          'The stream is {hiddenSize} wide, the experts’ room {latentWidth}: an expert has {perExpert} weights in place of {atFullWidth}, so there is room for {times} times as many.',
          {
            hiddenSize: spec.hiddenSize,
            latentWidth,
            perExpert: formatCount(room.perExpert),
            atFullWidth: formatCount(room.atFullWidth),
            times: times.toFixed(1),
          },
        ),
        reading: t('Here {chosen} of {count} are chosen for a token{storyOfTokens}', {
          chosen,
          count,
          storyOfTokens:
            used.size === 0
              ? '.'
              : t('; a story of {REPLYTOKENS} tokens went to {least} of them in each layer.', {
                  REPLYTOKENS: REPLY_TOKENS,
                  least: least === most ? least : t('{least} to {most}', { least, most }),
                }),
        }),
        right: times < 1.5 ? 0 : times < 2.5 ? 1 : 2,
        bars: [
          {
            name: t('An expert at full width'),
            value: room.atFullWidth,
            text: t('{atFullWidth} weights', { atFullWidth: formatCount(room.atFullWidth) }),
            tone: '--tide-water',
          },
          {
            name: t('An expert here'),
            value: room.perExpert,
            text: t('{perExpert} weights', { perExpert: formatCount(room.perExpert) }),
            tone: '--pool-water',
          },
        ],
        provenance: 'derived',
      };
    },
    get why() {
      return t(
        'Between many chips the tokens themselves have to travel to their experts, and a narrower token is a smaller parcel. What that saves is spent on more experts and more of them for each token: Nemotron 3 Super has 512, and chooses 22. Router and shared expert still see the token at its full width.',
      );
    },
  },
  {
    id: 'sixteen-numbers',
    get title() {
      return t('Sixteen numbers, four bits');
    },
    minutes: 3,
    get scene() {
      return t(
        'NVFP4 keeps a weight in four bits: sixteen weights share a scale, and each becomes one of fifteen numbers times that scale. We put a whole matrix of the model in this tab through it.',
      );
    },
    get question() {
      return t('How far is the matrix off afterwards, as a share of its size?');
    },
    get predictions() {
      return [t('Under 3 %'), t('3 to 15 %'), t('Over 15 %')];
    },
    async run({ run, spec }) {
      const read = await readWeights(run, spec);
      if (read === null || typeof read === 'string') return read;
      const { layer, result } = read;
      const matrix = result.matrices[result.matrix];
      const { errors } = result;
      if (matrix === undefined || errors === null)
        return t(
          'The file of {name} keeps the weights of layer {index} in a form that the lab does not put through NVFP4.',
          { name: spec.name, index: layer.index },
        );
      const share = (error: number): string => `${(100 * error).toFixed(1)}\u00a0%`;
      const { six, fourOverSix } = errors;
      return {
        sentence: t(
          '{name} of layer {index} has {rows} weights. With each block’s largest on 6 the matrix is off by {share}, with the better of 6 and 4 by {share2}.',
          {
            name: matrix.name,
            index: layer.index,
            rows: formatCount(matrix.rows * matrix.columns),
            share: share(six),
            share2: share(fourOverSix),
          },
        ),
        reading:
          fourOverSix < 1e-3
            ? t('This model’s weights are numbers of the format already: it was packed so.')
            : six < 0.03
              ? t('That is little: most weights lie near one of the fifteen numbers.')
              : t(
                  'So much noise in every weight, and the model still answers: errors of single weights point every way and mostly cancel in a sum of many.',
                ),
        right: six < 0.03 ? 0 : six <= 0.15 ? 1 : 2,
        bars: [
          { name: t('Largest on 6'), value: six, text: share(six), tone: '--tide-water' },
          {
            name: t('On 6 or 4'),
            value: fourOverSix,
            text: share(fourOverSix),
            tone: '--pool-water',
          },
        ],
        provenance: 'measured',
      };
    },
    get why() {
      return t(
        'The fifteen numbers are 0, ½, 1, 1½, 2, 3, 4 and 6 with both signs: fine near zero, coarse far out. Nothing lies between 4 and 6, so a block whose next largest weights fall there is better off with its largest on 4. What four bits lose in one weight, a scale for every sixteen limits: an outlier spoils its own block only.',
      );
    },
  },
  {
    id: 'which-layer',
    get title() {
      return t('Which layer can go?');
    },
    minutes: 5,
    get scene() {
      return t(
        'MiniPuzzle makes a smaller model out of a larger one. It begins by taking out each layer in turn and looking how much worse the rest does. We do the same with the model in this tab.',
      );
    },
    get question() {
      return t('The layer that is missed least is …');
    },
    get predictions() {
      return [t('a recurrent one'), t('an attention layer'), t('an MLP, or a layer of experts')];
    },
    async run({ run, spec }) {
      const { layers, name } = spec;
      if (layers.length > MOST_LAYERS)
        return t(
          '{name} has {length} layers: to open it anew without each of them would take too long here.',
          { name, length: layers.length },
        );
      const found: { readonly index: number; readonly kind: LayerKind; readonly kl: number }[] = [];
      for (const { index, kind } of layers) {
        const result = await run('without', t('Asking without layer {index}', { index }), {
          source: asked(QUESTIONS[0]),
          parts: [{ kind: 'layer', layer: index }],
          tokens: COMPARED_TOKENS,
          sampling: GREEDY,
        });
        if (result?.kl === undefined || result.kl === null) return null;
        const kl = result.kl.reduce((sum, one) => sum + one, 0) / (result.kl.length || 1);
        found.push({ index, kind, kl });
      }
      const sorted = found.toSorted((a, b) => a.kl - b.kl);
      const [least, most] = [sorted[0], sorted.at(-1)];
      if (least === undefined || most === undefined) return t('{name} has no layers.', { name });
      return {
        sentence: t(
          'Without layer {index} ({LAYERNAMES}) the odds of the next token move by {kl} nats, without layer {index2} ({LAYERNAMES2}) by {kl2}.',
          {
            index: least.index,
            LAYERNAMES: LAYER_NAMES[least.kind],
            kl: least.kl.toFixed(3),
            index2: most.index,
            LAYERNAMES2: LAYER_NAMES[most.kind],
            kl2: most.kl.toFixed(2),
          },
        ),
        reading: t(
          'That is one question and {COMPAREDTOKENS} tokens. The search scores layers on many samples, and then counts what each saves: a layer of states or cache costs other bytes than an MLP.',
          { COMPAREDTOKENS: COMPARED_TOKENS },
        ),
        right: groupOf(least.kind),
        bars: found.map(({ index, kind, kl }) => ({
          name: `${index} ${LAYER_NAMES[kind]}`,
          value: Math.max(kl, 1e-6),
          text: t('{kl} nats', { kl: kl.toFixed(3) }),
          tone: index === least.index ? '--anemone' : '--pool-water',
        })),
        isLog: true,
        provenance: 'measured',
      };
    },
    get why() {
      return t(
        'Each layer adds to a stream that runs through all of them, so without one the rest still works on what is there. Scores come first, then all combinations within a budget of bytes, then short distilling from the parent of the few best: that alone puts them in their true order. Nemotron-H 47B was made so from the 56B.',
      );
    },
  },
];

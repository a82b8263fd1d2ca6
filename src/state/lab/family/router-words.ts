/** What the pictures of routers say in sentences, true of the numbers shown. Pure. */
import { t } from '../../../core/language/translate';
import {
  busiestExpert,
  kindPreferences,
  largestLoad,
  type LayerLoad,
  type RouterView,
} from '../../../core/lab/router-trace';
import { WORD_KINDS, type WordKind } from '../../../core/lab/word-kinds';
import { formatCount } from '../../../core/units';
import type { WithoutResult } from '../../../protocol/lab-api';

const KIND_WORDS: Readonly<Record<WordKind, string>> = {
  get digits() {
    return t('digits');
  },
  get names() {
    return t('names');
  },
  get verbs() {
    return t('verbs');
  },
  get other() {
    return t('other words');
  },
};

/** Fewer tokens of a kind say nothing of who takes them. */
const LEAST_OF_KIND = 8;

export function kindName(kind: WordKind): string {
  return KIND_WORDS[kind];
}

function chosenOf(view: RouterView, layer: number): number {
  return view.recent.at(-1)?.choices.get(layer)?.experts.length ?? 0;
}

export function litSentence(view: RouterView): string {
  const last = view.recent.at(-1);
  const [load] = view.loads;
  if (last === undefined || load === undefined) return t('Nothing was read yet.');
  const chosen = chosenOf(view, load.layer);
  const layers = view.loads.length;
  return t(
    'Each token goes to {chosen} of {experts} experts in {oneLayer}; the brighter, the more the expert counts. {tokens} tokens were seen.',
    {
      chosen,
      experts: load.experts,
      oneLayer: layers === 1 ? t('one layer') : t('each of {layers} layers', { layers }),
      tokens: formatCount(view.tokens),
    },
  );
}

export function loadSentence(load: LayerLoad, chosen: number): string {
  const busiest = busiestExpert(load);
  if (busiest === null) return t('Nothing was read yet.');
  const idle = load.counts.filter((count) => count === 0).length;
  const over = largestLoad(load.counts);
  return t(
    'Expert {busiest} works most: {over} times the even share, which the dashed line is; {experts} times would be all that is possible. {noneWasLeft}',
    {
      busiest,
      over: over.toFixed(1),
      experts: (load.experts / chosen).toFixed(1),
      noneWasLeft:
        idle === 0
          ? t('None was left out.')
          : t('{oneWas} never chosen so far.', {
              oneWas: idle === 1 ? t('One was') : t('{idle} were', { idle }),
            }),
    },
  );
}

/** The strongest leaning of an expert to a kind of word. */
export function kindSentence(load: LayerLoad, kinds: RouterView['kinds']): string {
  const seen = WORD_KINDS.filter((kind) => kind !== 'other' && kinds[kind] >= LEAST_OF_KIND);
  if (seen.length === 0)
    return t(
      'Too few digits, names and verbs so far to say who takes them: {LEASTOFKIND} of a kind are needed.',
      { LEASTOFKIND: LEAST_OF_KIND },
    );
  const preferences = kindPreferences(load);
  const parts = seen.map((kind) => {
    const at = WORD_KINDS.indexOf(kind);
    const sum = load.byKind[kind].reduce((total, count) => total + count, 0);
    // The expert that most of them go to, not one that three of them went to.
    const expert = load.byKind[kind].indexOf(Math.max(...load.byKind[kind]));
    const share = (load.byKind[kind][expert] ?? 0) / sum;
    const factor = preferences[expert * WORD_KINDS.length + at] ?? NaN;
    return t(
      'Of the {kindName}, expert {expert} takes most: {share} % of their choices, {factor} times its share of all tokens.',
      {
        kindName: kindName(kind),
        expert,
        share: Math.round(100 * share),
        factor: factor.toFixed(1),
      },
    );
  });
  return parts.join(' ');
}

/** What became of the words when a part was taken out. */
export function withoutSentence(result: WithoutResult, part: string): string {
  const { baseline, firstDifference, kl } = result;
  const mean =
    kl === null || kl.length === 0 ? 0 : kl.reduce((sum, one) => sum + one, 0) / kl.length;
  const told = t(
    'At the whole model’s own words the next token’s odds move by {mean} nats on average.',
    { mean: mean.toFixed(3) },
  );
  if (firstDifference === null)
    return t('Without {part} it writes the same {length} tokens. {told}', {
      part,
      length: baseline.tokenIds.length,
      told,
    });
  return firstDifference === 0
    ? t('Without {part} even the first token is another. {told}', { part, told })
    : t('Without {part} the first {tokenIs} the same, then it writes others. {told}', {
        part,
        tokenIs:
          firstDifference === 1
            ? t('token is')
            : t('{firstDifference} tokens are', { firstDifference }),
        told,
      });
}

/** Who took over the tokens of an expert that was switched off; '' where nobody can be named. */
export function heirSentence(
  result: WithoutResult,
  off: { readonly layer: number; readonly expert: number },
): string {
  const count = (run: WithoutResult['baseline']): Map<number, number> => {
    const counts = new Map<number, number>();
    // The prompt is the same for both, so its tokens can be compared.
    for (const { layer, experts } of run.routed[0]?.layers ?? [])
      if (layer === off.layer)
        for (const expert of experts) counts.set(expert, (counts.get(expert) ?? 0) + 1);
    return counts;
  };
  if (result.changed === null) return '';
  const [before, after] = [count(result.baseline), count(result.changed)];
  const gains = [...after].map(([expert, taken]) => ({
    expert,
    more: taken - (before.get(expert) ?? 0),
  }));
  const heir = gains.reduce<{ expert: number; more: number } | null>(
    (best, one) => (one.more > (best?.more ?? 0) ? one : best),
    null,
  );
  const freed = before.get(off.expert) ?? 0;
  if (heir === null || freed === 0)
    return t('In the prompt no token had gone to expert {expert}.', { expert: off.expert });
  return t(
    'Of the prompt’s tokens {freed} had gone to expert {expert}; expert {expert2} takes over most of them ({more} more than before).',
    { freed, expert: off.expert, expert2: heir.expert, more: heir.more },
  );
}

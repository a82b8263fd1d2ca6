/** Owns what the pictures of drafting say, and their lines. Pure; every number comes from its arguments. */
import { t } from '../../core/language/translate';
import type { TokenDraft } from '../../core/chat/drafts';
import {
  breakEvenShare,
  costOfRun,
  draftSpeed,
  tokensARun,
  type DraftCosts,
} from '../../core/lab/draft-speed';
import { formatCount } from '../../core/units';
import type { DraftTrialResult } from '../../protocol/lab-api';

interface Drafted {
  readonly draft: TokenDraft | null;
}

/** Guesses of tokens that were kept, and that were not. */
function draftTally(tokens: readonly Drafted[]): { kept: number; missed: number } {
  let kept = 0;
  let missed = 0;
  for (const { draft } of tokens) {
    if (draft === null) continue;
    if (draft.isKept) kept += 1;
    else missed += 1;
  }
  return { kept, missed };
}

export function draftSentence(tokens: readonly Drafted[], isDrafting: boolean): string {
  const { kept, missed } = draftTally(tokens);
  if (kept + missed === 0)
    return isDrafting
      ? t('Ask something: each token appears here with what had been guessed for its place.')
      : t('Let the module draft, and ask something: its guesses appear here, kept and missed.');
  return t(
    '{kept} of {length} tokens had been guessed, and cost no run of their own; {missed} {guessWas} wrong.',
    {
      kept: formatCount(kept),
      length: formatCount(tokens.length),
      missed: formatCount(missed),
      guessWas: missed === 1 ? t('guess was') : t('guesses were'),
    },
  );
}

/** What a reader hears of a token. */
export function draftOfToken(draft: TokenDraft | null): string {
  if (draft === null) return t('not drafted');
  return draft.isKept
    ? t('drafted and kept')
    : t('drafted wrongly as {stringify}', { stringify: JSON.stringify(draft.text) });
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

export function trialSentence(trial: DraftTrialResult, most: number): string {
  const { counts, plainMs, draftedMs, isEqual, costs } = trial;
  const [one = NaN, ...more] = costs.runMs;
  const last = more.at(-1) ?? NaN;
  const share = breakEvenShare(costs, most);
  const speed = plainMs / draftedMs;
  return [
    t(
      'Reading {length} tokens at once costs {last} times one token here, with its guesses {costOfRun} times.',
      {
        length: more.length + 1,
        last: (last / one).toFixed(2),
        costOfRun: costOfRun(costs, most).toFixed(2),
      },
    ),
    share === null
      ? t('So runs with {most} guesses can’t pay on this device, even if all came true.', { most })
      : t('So runs with {most} guesses pay from {share} of guesses on.', {
          most,
          share: percent(share),
        }),
    t(
      'In this reply {accepted} came true, {tokens} tokens a run, and it was {speed} times as fast as without; the words are {theSame}.',
      {
        accepted: percent(counts.accepted / Math.max(1, counts.guesses)),
        tokens: (counts.tokens / Math.max(1, counts.runs)).toFixed(2),
        speed: speed.toFixed(2),
        theSame: isEqual ? t('the same') : t('not the same'),
      },
    ),
  ].join(' ');
}

/** Points of a curve: speed by the share of guesses that come true. */
export function speedCurve(
  costs: DraftCosts | null,
  guesses: number,
): { readonly x: number; readonly y: number }[] {
  return Array.from({ length: 21 }, (_, i) => i / 20).map((share) => ({
    x: share,
    // Without costs: of a device that reads several tokens in the time of one.
    y: costs === null ? tokensARun(guesses, share) : draftSpeed(costs, guesses, share),
  }));
}

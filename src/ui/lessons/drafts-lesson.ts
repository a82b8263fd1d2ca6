/** The guided lesson on drafting, as data: it runs a sum without and with drafts, and times both. Owns no drawing. */
import { t } from '../../core/language/translate';
import { formatCount, formatDuration } from '../../core/units';
import type { Lesson } from './lessons';

const QUESTION = 'Tom has 12 apples. He buys 30 more. How many apples does Tom have?';
const TOKENS = 160;
/** Tokens a run below which drafts hardly helped, and from which on they did much. */
const FEW = 1.3;
const MANY = 2;

export const DRAFTS_LESSON: Lesson = {
  id: 'drafts',
  get title() {
    return t('Guess ahead, check at once');
  },
  minutes: 3,
  get scene() {
    return t(
      'A model writes one token a run, and each run reads all its weights. A small module beside it can guess the next three tokens; the model then reads its own token and the guesses in one run, and keeps the guesses that are what it would have written.',
    );
  },
  get question() {
    return t('How many tokens will one run give, guesses that came true included?');
  },
  get predictions() {
    return [t('Hardly more than one'), t('About one and a half'), t('Two or more')];
  },
  async run({ run, canDraft }) {
    if (canDraft === false)
      return t(
        'The model that runs has no module that drafts for it here. Load “Tidepool with drafts” on WASM: it is listed under Models.',
      );
    const found = await run('drafts', t('Writing without and with drafts'), {
      messages: [{ role: 'user', content: QUESTION }],
      tokens: TOKENS,
    });
    if (found === null) return null;
    const { counts, plainMs, draftedMs, isEqual } = found;
    const each = counts.tokens / Math.max(1, counts.runs);
    const speed = plainMs / draftedMs;
    return {
      sentence: t(
        '{tokens} tokens took {runs} runs, {each} tokens a run; {accepted} of {guesses} guesses came true. The words are {theSame} as without drafts.',
        {
          tokens: formatCount(counts.tokens),
          runs: formatCount(counts.runs),
          each: each.toFixed(2),
          accepted: formatCount(counts.accepted),
          guesses: formatCount(counts.guesses),
          theSame: isEqual ? t('the same') : t('not the same'),
        },
      ),
      reading: !isEqual
        ? t(
            'The words are not the same: two tokens were so close that reading several at once tipped the balance. On this device drafts are not to be trusted.',
          )
        : speed > 1.05
          ? t(
              'It was {speed} times as fast: runs of several tokens cost less here than the runs they save.',
              { speed: speed.toFixed(2) },
            )
          : speed < 0.95
            ? t(
                'And yet it was slower, {speed} times as fast: the guesses and the longer runs cost more here than the runs they save. “Where drafting pays”, under Tokens, shows from which share of hits on it would pay.',
                { speed: speed.toFixed(2) },
              )
            : t(
                'Fewer runs, and hardly any time saved: the guesses and the longer runs cost what the saved runs would have.',
              ),
      right: !isEqual ? null : each < FEW ? 0 : each < MANY ? 1 : 2,
      bars: [
        {
          name: t('Without drafts'),
          value: plainMs,
          text: t('{plainMs}, {tokens} runs', {
            plainMs: formatDuration(plainMs),
            tokens: formatCount(counts.tokens),
          }),
          tone: '--sun',
        },
        {
          name: t('With drafts'),
          value: draftedMs,
          text: t('{draftedMs}, {runs} runs', {
            draftedMs: formatDuration(draftedMs),
            runs: formatCount(counts.runs),
          }),
          tone: '--pool-water',
        },
      ],
      provenance: 'measured',
    };
  },
  get why() {
    return t(
      'Checking is cheaper than writing where a run’s cost is the reading of the weights: a large model on a GPU reads four tokens in about the time of one, so every guess that comes true is nearly free. A model of a few million parameters on one core computes more than it waits: a longer run costs more, and the guesses cost their share too. Wrong guesses cost twice in a model with recurrent states: what was read in vain can’t be cut off a state, so the tokens before it are read again.',
    );
  },
};

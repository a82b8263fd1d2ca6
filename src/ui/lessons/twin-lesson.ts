/** The guided lesson on the twin of attention alone, as data: from where on it holds more than the model. Owns no drawing. */
import { t } from '../../core/language/translate';
import { allAttentionTwin, FLOAT32_WIDTHS, stateBytesAt } from '../../core/memory/state-memory';
import { formatBytes, formatCount, formatFixed } from '../../core/units';
import { twinCrossing } from '../../state/lab/family/twin-words';
import type { Lesson } from './lessons';

/** A short question, and a long chat. */
const CONTEXTS = [128, 2048, 32_768] as const;
const FEW = 100;
const MANY = 1_000;

export const TWIN_LESSON: Lesson = {
  id: 'the-twin',
  get title() {
    return t('The twin that remembers everything');
  },
  minutes: 2,
  get scene() {
    return t(
      'Put attention in the place of each recurrent layer, and a model of as many parameters comes out: its twin. It keeps keys and values of every token that it has read; the recurrent layers keep states of one size.',
    );
  },
  get question() {
    return t('From how many tokens on does the twin hold more than the model in this tab?');
  },
  get predictions() {
    return [
      t('Under {few}', { few: FEW }),
      t('{few} to {many}', { few: FEW, many: formatCount(MANY) }),
      t('Over {many}', { many: formatCount(MANY) }),
    ];
  },
  async run({ spec }) {
    const twin = allAttentionTwin(spec);
    const crossing = twinCrossing(spec);
    if (twin === null || crossing === null)
      return t(
        '{name} has no attention beside recurrent layers, so no such twin of it can be reckoned.',
        { name: spec.name },
      );
    const at = (stack: typeof spec, tokens: number): number =>
      stateBytesAt(stack, tokens, FLOAT32_WIDTHS, 'kernel-1').total;
    const longest = CONTEXTS[2];
    return {
      sentence: t(
        'From {crossing} tokens on. After {tokens} the twin holds {twin}, {name} {own}: {times} times as much.',
        {
          crossing: formatCount(crossing),
          tokens: formatCount(longest),
          twin: formatBytes(at(twin, longest)),
          name: spec.name,
          own: formatBytes(at(spec, longest)),
          times: formatFixed(at(twin, longest) / at(spec, longest), 1),
        },
      ),
      reading: t(
        'The states are paid for at once, whether a chat is short or long. Each token then costs {own} here and {twin} in the twin.',
        {
          own: formatBytes(at(spec, 1) - at(spec, 0)),
          twin: formatBytes(at(twin, 1) - at(twin, 0)),
        },
      ),
      right: crossing < FEW ? 0 : crossing <= MANY ? 1 : 2,
      bars: CONTEXTS.flatMap((tokens) =>
        [spec, twin].map((stack, one) => ({
          name:
            one === 0
              ? t('This model, {tokens} tokens', { tokens: formatCount(tokens) })
              : t('Its twin, {tokens} tokens', { tokens: formatCount(tokens) }),
          value: at(stack, tokens),
          text: formatBytes(at(stack, tokens)),
          tone: one === 0 ? '--pool-water' : '--tide-water',
        })),
      ),
      isLog: true,
      provenance: 'derived',
    };
  },
  get why() {
    return t(
      'That is why the papers speak of long answers: a server that holds less for each chat reads less at each token, and has room for more chats at once. What the twin gets for its bytes is that it can look up any token as it was; a few attention layers keep that for the hybrid. “Race” lets the two run.',
    );
  },
};

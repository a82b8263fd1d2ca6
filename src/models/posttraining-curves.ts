/**
 * Owns the reading of models/posttraining-curves.json: how reward and length went through reinforcement, the same
 * questions' replies on the way, how often replies are right by their reward, and what the best of N by reward is worth.
 * Owns no fetching and no words.
 */
import { asArray, asNumber, asObject, asString } from './config-fields';
import { siteFile } from './site-file';

interface LearningPoint {
  readonly update: number;
  /** Mean over the episodes that ended. */
  readonly reward: number;
  readonly right: number;
  /** Mean length of an episode. */
  readonly tokens: number;
}

interface ShownReplies {
  readonly update: number;
  readonly replies: readonly {
    readonly question: string;
    readonly gold: string;
    readonly reply: string;
  }[];
}

/** A tenth of the replies, by their reward. */
interface RewardTenth {
  readonly reward: number;
  readonly right: number;
}

/** The best of N replies by a reward. */
export interface BestOf {
  readonly n: number;
  readonly right: number;
  readonly interval: readonly [number, number];
  /** How much higher its reward is than one reply's, in standard deviations among replies to one problem. */
  readonly lift: number;
}

const FORMS = ['bradley-terry', 'attributes'] as const;
export type RewardForm = (typeof FORMS)[number];

interface BestOfDraws {
  readonly problems: number;
  readonly forms: readonly { readonly id: RewardForm; readonly points: readonly BestOf[] }[];
}

export interface PosttrainingCurves {
  readonly points: readonly LearningPoint[];
  readonly shown: readonly ShownReplies[];
  readonly tenths: readonly RewardTenth[];
  /** Null in files that were written before it was measured. */
  readonly draws: BestOfDraws | null;
}

const FILE = siteFile('posttraining-curves.json', 'the curves of what came after pretraining');

function readDraws(json: unknown): BestOfDraws | null {
  if (json === undefined || json === null) return null;
  const fields = asObject(json, 'draws');
  return {
    problems: asNumber(fields['problems'], 'draws.problems'),
    forms: asArray(fields['forms'], 'draws.forms').map((one, at) => {
      const where = `draws.forms[${at}]`;
      const form = asObject(one, where);
      const id = FORMS.find((known) => known === form['id']);
      if (id === undefined)
        throw FILE.broken(
          `${where}.id is ${JSON.stringify(form['id'])}, not ${FORMS.join(' or ')}.`,
        );
      return {
        id,
        points: asArray(form['points'], `${where}.points`).map((point, place) => {
          const here = `${where}.points[${place}]`;
          const read = asObject(point, here);
          const [low, high] = asArray(read['interval'], `${here}.interval`);
          return {
            n: asNumber(read['n'], `${here}.n`),
            right: asNumber(read['right'], `${here}.right`, true),
            interval: [
              asNumber(low, `${here}.interval[0]`, true),
              asNumber(high, `${here}.interval[1]`, true),
            ],
            lift: asNumber(read['lift'], `${here}.lift`, true),
          };
        }),
      };
    }),
  };
}

/** Reads posttraining-curves.json. EngineError `model-corrupt` that names the field. */
export function readPosttrainingCurves(json: unknown): PosttrainingCurves {
  return FILE.read(() => {
    const fields = asObject(json, 'the file');
    const number = (value: unknown, what: string): number => asNumber(value, what, true);
    return {
      points: asArray(fields['points'], 'points').map((one, at) => {
        const point = asObject(one, `points[${at}]`);
        return {
          update: asNumber(point['update'], `points[${at}].update`),
          reward: number(point['reward'], `points[${at}].reward`),
          right: number(point['right'], `points[${at}].right`),
          tokens: number(point['tokens'], `points[${at}].tokens`),
        };
      }),
      shown: asArray(fields['shown'], 'shown').map((one, at) => {
        const shown = asObject(one, `shown[${at}]`);
        return {
          update: asNumber(shown['update'], `shown[${at}].update`),
          replies: asArray(shown['replies'], `shown[${at}].replies`).map((reply, place) => {
            const where = `shown[${at}].replies[${place}]`;
            const said = asObject(reply, where);
            return {
              question: asString(said['question'], `${where}.question`),
              gold: asString(said['gold'], `${where}.gold`),
              reply: asString(said['reply'], `${where}.reply`),
            };
          }),
        };
      }),
      tenths: asArray(fields['tenths'], 'tenths').map((one, at) => {
        const tenth = asObject(one, `tenths[${at}]`);
        return {
          reward: number(tenth['reward'], `tenths[${at}].reward`),
          right: number(tenth['right'], `tenths[${at}].right`),
        };
      }),
      draws: readDraws(fields['draws']),
    };
  });
}

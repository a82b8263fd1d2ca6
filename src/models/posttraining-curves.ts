/**
 * Owns the reading of models/posttraining-curves.json: how reward and length went through reinforcement, the same
 * questions' replies on the way, and how often replies are right by their reward. Owns no fetching and no words.
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

export interface PosttrainingCurves {
  readonly points: readonly LearningPoint[];
  readonly shown: readonly ShownReplies[];
  readonly tenths: readonly RewardTenth[];
}

const FILE = siteFile('posttraining-curves.json', 'the curves of what came after pretraining');

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
    };
  });
}

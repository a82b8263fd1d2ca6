/**
 * Owns which problems are asked again later in a chat, what is asked before them, and the adding up of how they went.
 * Owns no running.
 */
import type { ReplyOutcome } from './budget-curve';
import type { Problem } from './problem';
import { wilsonInterval } from './wilson-interval';

/** Where in its chat a problem is asked. */
export const CHAT_PLACES = ['alone', 'second', 'fourth'] as const;
export type ChatPlace = (typeof CHAT_PLACES)[number];

/** Problems of each family that are asked in a chat: the first of the file. */
const PER_FAMILY = 10;

/** Questions before a fourth one. */
const EARLIER = 3;

export interface InChatProblem {
  readonly problem: Problem;
  /** What is asked before it as the fourth question, in order; before it as the second only the first of these. */
  readonly earlier: readonly Problem[];
}

function byFamily<Item extends { readonly family: string }>(
  items: readonly Item[],
): ReadonlyMap<string, readonly Item[]> {
  const families = new Map<string, Item[]>();
  for (const item of items) {
    const family = families.get(item.family);
    if (family === undefined) families.set(item.family, [item]);
    else family.push(item);
  }
  return families;
}

/**
 * The chats, always the same for the same file, families by turns. Problem `i` of a family (from 0) is asked after the
 * problems 10 + 3i, 11 + 3i and 12 + 3i of three other families, which move on with `i` too. So no two questions of a
 * chat are of one family, none of those before is itself measured, and of 16 families of 40 each other problem stands
 * in one chat (those with tools in none, and before these others stand a second time). RangeError where families are
 * too few or too small for that.
 */
export function inChatProblems(problems: readonly Problem[]): readonly InChatProblem[] {
  const families = byFamily(problems);
  // Tools are offered to a whole chat, so they stand only where the measured problem needs them.
  const plain = [...families].flatMap(([family, list]) => {
    const rest = list.slice(PER_FAMILY);
    const hasTools = list.some(({ tools }) => tools.length > 0);
    return rest.length === 0 || hasTools ? [] : [{ family, rest }];
  });
  if (plain.length <= EARLIER) {
    throw new RangeError(
      `chats need ${EARLIER + 1} families without tools of more than ${PER_FAMILY} problems; there are ${plain.length}`,
    );
  }
  const earlierOf = (family: string, step: number): readonly Problem[] => {
    const own = plain.findIndex((other) => other.family === family);
    // From its own place on a family meets the others by turns and never itself.
    const place = own < 0 ? step : own + 1 + (step % (plain.length - 1));
    const rest = plain[place % plain.length]?.rest ?? [];
    return rest.slice(step % rest.length).slice(0, 1);
  };
  return Array.from({ length: PER_FAMILY }, (_, at) => at).flatMap((at) =>
    [...families].flatMap(([family, list]) =>
      list.slice(at, at + 1).map((problem) => ({
        problem,
        earlier: Array.from({ length: EARLIER }, (_, turn) => EARLIER * at + turn).flatMap((step) =>
          earlierOf(family, step),
        ),
      })),
    ),
  );
}

/** How one problem went in each place. */
export interface InChatResult {
  readonly family: string;
  readonly outcomes: Readonly<Record<ChatPlace, ReplyOutcome>>;
}

export type ByPlace<Value> = Readonly<Record<ChatPlace, Value>>;

/** The same problems in each place; shares in 0..1. */
export interface InChatShares extends ByPlace<number> {
  readonly problems: number;
  /** Wilson's 95 % intervals of the shares. */
  readonly interval: ByPlace<readonly [low: number, high: number]>;
  readonly wellFormed: ByPlace<number>;
  /** Problems that were right alone, and how many of these were right in the other places too. */
  readonly kept: ByPlace<number>;
  readonly families: Readonly<Record<string, ByPlace<number>>>;
}

/** A value for each place. */
export function byPlace<Value>(valueOf: (place: ChatPlace) => Value): ByPlace<Value> {
  return { alone: valueOf('alone'), second: valueOf('second'), fourth: valueOf('fourth') };
}

function count(results: readonly InChatResult[], is: (result: InChatResult) => boolean): number {
  return results.filter(is).length;
}

/** Adds results up; null where there are none. */
export function inChatShares(results: readonly InChatResult[]): InChatShares | null {
  const problems = results.length;
  if (problems === 0) return null;
  const rightIn = (list: readonly InChatResult[], place: ChatPlace): number =>
    count(list, ({ outcomes }) => outcomes[place].isCorrect);
  const solvedAlone = results.filter(({ outcomes }) => outcomes.alone.isCorrect);
  return {
    problems,
    ...byPlace((place) => rightIn(results, place) / problems),
    interval: byPlace((place) => wilsonInterval(rightIn(results, place), problems)),
    wellFormed: byPlace(
      (place) => count(results, ({ outcomes }) => outcomes[place].isWellFormed) / problems,
    ),
    kept: byPlace((place) => rightIn(solvedAlone, place)),
    families: Object.fromEntries(
      [...byFamily(results)].map(([family, list]) => [
        family,
        byPlace((place) => rightIn(list, place) / list.length),
      ]),
    ),
  };
}

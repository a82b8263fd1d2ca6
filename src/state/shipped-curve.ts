/** The curve of eval.json, read and checked: what `npm run eval` measured for the shipped model. Owns no fetching. */
import type { BudgetCurve } from '../core/evaluation/budget-curve';
import { byPlace, type ByPlace, type InChatShares } from '../core/evaluation/in-chat';

/** How the same problems went alone and later in a chat. */
export type ShippedInChat = ByPlace<number> & Pick<InChatShares, 'problems' | 'interval'>;

export type ShippedCurve = Pick<
  BudgetCurve,
  'overall' | 'interval' | 'tokens' | 'thoughtTokens' | 'n'
> & {
  /** The variant that was run; '' where the file does not say. */
  readonly variant: string;
  /** Null where the file does not have it: models of an earlier recipe. */
  readonly inChat: ShippedInChat | null;
};

type Json = Readonly<Record<string, unknown>>;

function asObject(value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RangeError(`${name} in eval.json is not an object`);
  }
  return value as Json;
}

/** A number from 0 to `most`. */
function asAmount(value: unknown, name: string, most: number): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= most)) {
    throw new RangeError(`${name} in eval.json is not a number from 0 to ${most}`);
  }
  return value;
}

function isPair(value: unknown): value is readonly [number, number] {
  return (
    Array.isArray(value) && value.length === 2 && value.every((end) => typeof end === 'number')
  );
}

function asPair(value: unknown, name: string): readonly [number, number] {
  if (!isPair(value)) throw new RangeError(`${name} in eval.json is not a pair of numbers`);
  return value;
}

function readTable(json: Json, name: string, most: number): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(asObject(json[name], name)).map(([budget, value]) => [
      budget,
      asAmount(value, `${name}.${budget}`, most),
    ]),
  );
}

function readInterval(json: Json): BudgetCurve['interval'] {
  return Object.fromEntries(
    Object.entries(asObject(json['interval'], 'interval')).map(([budget, value]) => [
      budget,
      asPair(value, `interval.${budget}`),
    ]),
  );
}

function readInChat(json: Json): ShippedInChat {
  const { problems } = json;
  if (typeof problems !== 'number' || !(problems > 0)) {
    throw new RangeError('inChat.problems in eval.json is not a count');
  }
  const interval = asObject(json['interval'], 'inChat.interval');
  return {
    problems,
    ...byPlace((place) => asAmount(json[place], `inChat.${place}`, 1)),
    interval: byPlace((place) => asPair(interval[place], `inChat.interval.${place}`)),
  };
}

/** @throws RangeError that names the field. */
export function readShippedCurve(value: unknown): ShippedCurve {
  const json = asObject(value, 'the whole');
  const { n } = json;
  if (typeof n !== 'number' || !(n > 0)) throw new RangeError('n in eval.json is not a count');
  const model = typeof json['model'] === 'object' ? asObject(json['model'] ?? {}, 'model') : {};
  return {
    overall: readTable(json, 'overall', 1),
    interval: readInterval(json),
    tokens: readTable(json, 'tokens', 1e6),
    thoughtTokens: readTable(json, 'thoughtTokens', 1e6),
    n,
    inChat: json['inChat'] === undefined ? null : readInChat(asObject(json['inChat'], 'inChat')),
    variant: typeof model['variant'] === 'string' ? model['variant'] : '',
  };
}

/** Chats that could not be read and were set aside for whoever can repair them: what is kept, and as text. */
import { readNumber, readObject, readText } from './read-value';
import { LIMITS } from './stored-conversation';

/** A chat that could not be read, as it lies in the database. */
export interface AsideValue {
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly keptAt: number;
  readonly value: unknown;
}

/** A record of what was set aside; ValueProblem when it is none. */
export function readAsideValue(value: unknown, place = 'aside'): AsideValue {
  const record = readObject(value, place);
  return {
    reason: readText(record['reason'], `${place}.reason`, LIMITS.textLength),
    keptAt: readNumber(record['keptAt'], `${place}.keptAt`, 0, Number.MAX_SAFE_INTEGER),
    value: record['value'],
  };
}

/** JSON of whatever lies in a record; what JSON cannot say is written as text. */
export function rawText(value: unknown): string {
  const above: unknown[] = [];
  const plain = (inner: unknown): unknown => {
    if (typeof inner === 'bigint' || typeof inner === 'function') return String(inner);
    if (typeof inner !== 'object' || inner === null) return inner;
    if (above.includes(inner) || above.length > LIMITS.jsonDepth) return '…';
    above.push(inner);
    const copy = Array.isArray(inner)
      ? inner.map(plain)
      : Object.fromEntries(Object.entries(inner).map(([key, item]) => [key, plain(item)]));
    above.pop();
    return copy;
  };
  // The types leave out that undefined has no JSON.
  const text = JSON.stringify(plain(value), null, 1) as string | undefined;
  return `${text ?? 'null'}\n`;
}

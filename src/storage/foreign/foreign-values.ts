/** Reads values of files that other programs wrote, where anything may be missing: a value of the kind asked for, or none. */
import type { ReplyPart } from '../../core/chat/reply';

export type Json = Readonly<Record<string, unknown>>;

/** The last millisecond that a Date can hold. */
const LAST_TIME = 8.64e15;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function jsonAt(value: Json, key: string): Json {
  const inner = value[key];
  return isJson(inner) ? inner : {};
}

export function textAt(value: Json, key: string): string {
  const inner = value[key];
  return typeof inner === 'string' ? inner : '';
}

export function listAt(value: Json, key: string): readonly unknown[] {
  const inner = value[key];
  return Array.isArray(inner) ? inner : [];
}

/** Milliseconds since 1970 from a count of seconds or milliseconds (later than 1973 either way) or a date as text. */
export function timeOf(value: unknown): number | null {
  const number = typeof value === 'string' ? Date.parse(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) return null;
  const ms = Math.round(typeof value === 'number' && number < 1e11 ? number * 1000 : number);
  return ms <= LAST_TIME ? ms : null;
}

export function thoughtPart(text: string, ms = 0): ReplyPart {
  return { kind: 'thought', text, injected: [], end: 'natural', tokens: null, ms };
}

export function callPart(name: string, given: Json): ReplyPart {
  const written = Object.entries(given).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return {
    kind: 'call',
    call: { name, arguments: Object.fromEntries(written) as Record<string, string> },
  };
}

/** The arguments of a call as its JSON text says them; the text itself where it is none. */
export function argumentsOf(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (isJson(value)) return value;
  } catch {
    // A model wrote it: what is no JSON stands as it was written.
  }
  return text.trim() === '' ? {} : { input: text };
}

export function resultPart(name: string, content: string): ReplyPart {
  return { kind: 'result', name, content, isError: false };
}

/** Text that may begin with a thought in <think> tags. */
export function answerParts(text: string): ReplyPart[] {
  const [, thought = null, rest = text] =
    /^\s*<think(?:ing)?>([\s\S]*?)<\/think(?:ing)?>([\s\S]*)$/.exec(text) ?? [];
  const parts: ReplyPart[] = [];
  if (thought !== null && thought.trim() !== '') parts.push(thoughtPart(thought.trim()));
  if (rest.trim() !== '') parts.push({ kind: 'answer', text: rest.trim() });
  return parts;
}

/**
 * Owns the forms in which models write a tool call: reading calls out of a reply, never throwing on junk, and writing
 * them into a history whose template has no place for them.
 */
import type { ToolCall } from '../chat/prompt-message';
import { readPythonCalls, writePythonCalls } from './python-call';

/** How a family sets a call apart. */
export interface ToolCallForm {
  readonly open: string;
  readonly close: string;
  /** All calls of one turn, with their tags. */
  readonly write: (calls: readonly ToolCall[]) => string;
}

const TOOL_CALL_OPEN = '<tool_call>';
const TOOL_CALL_CLOSE = '</tool_call>';

/** In the order they are tried; both tags must be tokens. */
export const TOOL_CALL_FORMS: readonly ToolCallForm[] = [
  {
    // The embedded model, Nemotron 3 and Qwen3.5 (XML inside), Qwen3 and Granite 4.0 (JSON inside).
    open: TOOL_CALL_OPEN,
    close: TOOL_CALL_CLOSE,
    write: (calls) => calls.map(formatToolCall).join(''),
  },
  {
    // LFM2 and LFM2.5: a list of calls as Python writes them.
    open: '<|tool_call_start|>',
    close: '<|tool_call_end|>',
    write: (calls) => `<|tool_call_start|>${writePythonCalls(calls)}<|tool_call_end|>`,
  },
];

/** A name of a function or parameter, as in code. */
const FUNCTION = /<function\s*=\s*([\w.-]{1,64})\s*>([\s\S]*?)(?:<\/function>|$)/;
/**
 * A parameter ends at its close, at the next parameter or at the end: small models forget closes.
 */
const PARAMETER =
  /<parameter\s*=\s*([\w.-]{1,64})\s*>([\s\S]*?)(?:<\/parameter>|(?=<parameter\s*=)|$)/g;

/**
 * XML, as Nemotron 3 and Qwen3.5 write it:
 *
 *     <function=calculator>
 *     <parameter=expression>
 *     12 * 3
 *     </parameter>
 *     </function>
 *
 * Values are trimmed; of a parameter given twice the last counts.
 */
function readXmlCall(text: string): ToolCall | null {
  const call = FUNCTION.exec(text);
  const name = call?.[1];
  if (name === undefined) return null;
  const values = new Map<string, string>();
  for (const [, parameter = '', value = ''] of (call?.[2] ?? '').matchAll(PARAMETER))
    values.set(parameter, value.trim());
  // fromEntries defines own keys, so a parameter named __proto__ stays plain data.
  return { name, arguments: Object.fromEntries(values) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `{"name": "calculator", "arguments": {"expression": "12 * 3"}}`; values that are no text keep their JSON. */
function readJsonCall(value: unknown): ToolCall | null {
  if (typeof value !== 'object' || value === null) return null;
  const { name, arguments: given, parameters } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name)) return null;
  const named = given ?? parameters ?? {};
  const values = typeof named === 'string' ? parseJson(named) : named;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return null;
  const texts = Object.entries(values as Readonly<Record<string, unknown>>).map(
    ([key, one]): [string, string] => [key, typeof one === 'string' ? one : JSON.stringify(one)],
  );
  return { name, arguments: Object.fromEntries(texts) };
}

/**
 * The calls in the text between the tags of a form (tags may be there), in whichever of the ways it is written; none
 * when one of them cannot be read.
 */
export function parseToolCalls(text: string): readonly ToolCall[] {
  const body = TOOL_CALL_FORMS.reduce(
    (rest, { open, close }) => rest.replaceAll(open, '').replaceAll(close, ''),
    text,
  ).trim();
  if (body.startsWith('{') || /^\[\s*\{/.test(body)) {
    const value = parseJson(body);
    const calls = (Array.isArray(value) ? value : [value]).map(readJsonCall);
    return calls.every((call) => call !== null) ? calls : [];
  }
  const call = readXmlCall(body);
  return call === null ? readPythonCalls(body) : [call];
}

/** A reply cut at its first tool call. */
export interface SplitReply {
  /** Text before the call, trailing blanks dropped. */
  readonly before: string;
  /** Null when there is no readable call. */
  readonly call: ToolCall | null;
  /** True while a call has begun and isn't closed. */
  readonly isOpen: boolean;
  /** Text after the close; '' without one. */
  readonly after: string;
}

/** Finds the first tool call of a reply. */
export function splitToolCall(text: string): SplitReply {
  const start = text.indexOf(TOOL_CALL_OPEN);
  if (start < 0) return { before: text, call: null, isOpen: false, after: '' };
  const bodyStart = start + TOOL_CALL_OPEN.length;
  const end = text.indexOf(TOOL_CALL_CLOSE, bodyStart);
  const before = text.slice(0, start).trimEnd();
  if (end < 0) return { before, call: null, isOpen: true, after: '' };
  const after = text.slice(end + TOOL_CALL_CLOSE.length);
  return {
    before,
    call: parseToolCalls(text.slice(bodyStart, end))[0] ?? null,
    isOpen: false,
    after,
  };
}

/** The call as the template writes it, e.g. to show it or to continue a reply. */
export function formatToolCall(call: ToolCall): string {
  const parameters = Object.entries(call.arguments).map(
    ([name, value]) => `<parameter=${name}>\n${value}\n</parameter>\n`,
  );
  return `${TOOL_CALL_OPEN}\n<function=${call.name}>\n${parameters.join('')}</function>\n${TOOL_CALL_CLOSE}\n`;
}

/** Owns what a model's tokenizer says about thoughts, tool calls and turns: tag ids and the form of the close. */
import { DEFAULT_CLOSE_TEXT } from '../core/budget/thinking-budget';
import { TOOL_CALL_FORMS } from '../core/tools/tool-call';
import type { ThinkAdapter } from './think-adapters';

/** Ids of the tags; null where the tokenizer has no such token. */
export interface ThinkFormat {
  /** Both tags of a thought, or null: a model that does not think. */
  readonly think: {
    readonly openId: number;
    readonly closeId: number;
    readonly closeText: string;
    /** Only where they are no single tokens: the ids are ones that no model has, and the tags are found in the text. */
    readonly tags?: { readonly open: string; readonly close: string };
  } | null;
  readonly toolCall: { readonly openId: number; readonly closeId: number } | null;
  /** Token that begins a turn: marks the fork where an edited message differs. */
  readonly turnStartId: number | null;
  /** Ids that end the assistant's turn. */
  readonly endIds: readonly number[];
}

/** Names that other families give to the same things, tried in order. */
const TURN_STARTS = ['<|im_start|>', '<|start_of_role|>', '<|start_header_id|>', '<start_of_turn>'];
const TURN_ENDS = [
  '<|im_end|>',
  '<|end_of_text|>',
  '<|endoftext|>',
  '<|eot_id|>',
  '<end_of_turn>',
  '</s>',
];

interface Tags {
  readonly openId: number;
  readonly closeId: number;
}

function thinkOf(
  adapter: Pick<ThinkAdapter, 'open' | 'close' | 'closeText'> | null | undefined,
  pair: (open: string, close: string) => Tags | null,
): ThinkFormat['think'] {
  if (adapter === null) return null;
  if (adapter === undefined) {
    const tags = pair('<think>', '</think>');
    return tags === null ? null : { ...tags, closeText: DEFAULT_CLOSE_TEXT };
  }
  const { open, close, closeText } = adapter;
  const tags = pair(open, close);
  return tags === null
    ? { openId: -1, closeId: -2, closeText, tags: { open, close } }
    : { ...tags, closeText };
}

/**
 * Reads the format from a tokenizer: `idOf` gives a token's id or undefined; `eosTokenIds` come from the config. The
 * adapter of the template tells the tags and the close; null for one that does not think. Without any, the tags of the
 * embedded model are tried.
 */
export function thinkFormatOf(
  idOf: (token: string) => number | undefined,
  eosTokenIds: readonly number[],
  adapter?: Pick<ThinkAdapter, 'open' | 'close' | 'closeText'> | null,
): ThinkFormat {
  const pair = (open: string, close: string): Tags | null => {
    const openId = idOf(open);
    const closeId = idOf(close);
    return openId === undefined || closeId === undefined ? null : { openId, closeId };
  };
  const known = (names: readonly string[]): number[] =>
    names.map(idOf).filter((id): id is number => id !== undefined);
  return {
    think: thinkOf(adapter, pair),
    toolCall:
      TOOL_CALL_FORMS.map(({ open, close }) => pair(open, close)).find((tags) => tags !== null) ??
      null,
    turnStartId: known(TURN_STARTS)[0] ?? null,
    endIds: [...new Set([...eosTokenIds, ...known(TURN_ENDS)])],
  };
}

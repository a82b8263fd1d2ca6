/**
 * Owns what chat templates do with thoughts, as one table: how thinking is switched, which tags hold a thought, and what
 * must stand at the end of a prompt so that the reply begins inside a thought, or past it. Owns no rendering.
 */

export interface ThinkAdapter {
  readonly name: string;
  /** Found in the text of a template that is of this kind. */
  readonly sign: RegExp;
  /** Tags; where they are no single tokens, they are found in the text. */
  readonly open: string;
  readonly close: string;
  /** Variable of the template that turns thinking on and off; null where it has none. */
  readonly variable: string | null;
  /** Words in the system message that turn thinking on and off; null where the template reads none. */
  readonly words: { readonly on: string; readonly off: string } | null;
  /** Begins a thought. */
  readonly openText: string;
  /** Ends one that was cut off. */
  readonly closeText: string;
  /** A thought that was left out: stands before an answer without one. */
  readonly emptyText: string;
  /** Earlier answers are shown after an empty thought; else without any tag. */
  readonly isEmptyShown: boolean;
}

const THINK = { open: '<think>', close: '</think>' } as const;

/** In the order they are tried; see `adapterOf`. */
export const THINK_ADAPTERS: readonly ThinkAdapter[] = [
  {
    // Nemotron 3, and the embedded model, which keeps its format: `<think></think>` before an answer without a thought.
    ...THINK,
    name: 'nemotron',
    sign: /enable_thinking[\s\S]*<think><\/think>/,
    variable: 'enable_thinking',
    words: null,
    openText: '<think>\n',
    closeText: '\n</think>\n',
    emptyText: '<think></think>',
    isEmptyShown: true,
  },
  {
    // Qwen3 (thinks unless told not to, and opens the thought itself), Qwen3.5 (does not unless told to), SmolLM3.
    ...THINK,
    name: 'enable_thinking',
    sign: /enable_thinking/,
    variable: 'enable_thinking',
    words: null,
    openText: '<think>\n',
    closeText: '\n</think>\n\n',
    emptyText: '<think>\n\n</think>\n\n',
    isEmptyShown: false,
  },
  {
    // Nemotron Nano 2: words in the system message.
    ...THINK,
    name: '/no_think',
    sign: /\/no_think/,
    variable: null,
    words: { on: '/think', off: '/no_think' },
    openText: '<think>\n',
    closeText: '\n</think>\n\n',
    emptyText: '<think></think>',
    isEmptyShown: false,
  },
  {
    // Gemma 4: the switch writes <|think|> into the system turn; a thought is a channel of that name.
    name: '<|think|>',
    sign: /<\|think\|>[\s\S]*<\|channel>thought/,
    open: '<|channel>',
    close: '<channel|>',
    variable: 'enable_thinking',
    words: null,
    openText: '<|channel>thought\n',
    closeText: '\n<channel|>',
    emptyText: '<|channel>thought\n<channel|>',
    isEmptyShown: false,
  },
  {
    // Granite 3.2 and 3.3, DeepSeek V3.1: a variable named `thinking`.
    ...THINK,
    name: 'thinking',
    sign: /\bif (?:not )?thinking\b|(?<![.\w])thinking is\b/,
    variable: 'thinking',
    words: null,
    openText: '<think>\n',
    closeText: '\n</think>\n\n',
    emptyText: '<think></think>',
    isEmptyShown: false,
  },
  {
    // Magistral, Ministral 3 Reasoning: told to think by the system message, no switch.
    name: '[THINK]',
    sign: /\[THINK\]/,
    open: '[THINK]',
    close: '[/THINK]',
    variable: null,
    words: null,
    openText: '[THINK]',
    closeText: '[/THINK]',
    emptyText: '',
    isEmptyShown: false,
  },
  {
    // LFM2.5: the template strips thoughts and has no switch.
    ...THINK,
    name: 'tags only',
    sign: /<\/think>/,
    variable: null,
    words: null,
    openText: '<think>\n',
    closeText: '\n</think>\n',
    emptyText: '<think></think>',
    isEmptyShown: false,
  },
];

/**
 * The adapter of a template: the first whose sign is found and whose tags are tokens, else the first whose tags the template
 * writes; null for a model that does not think. `hasToken` tells which tags are single tokens.
 */
export function adapterOf(
  template: string,
  hasToken: (token: string) => boolean,
): ThinkAdapter | null {
  const signed = THINK_ADAPTERS.filter(({ sign }) => sign.test(template));
  return (
    signed.find(({ open, close }) => hasToken(open) && hasToken(close)) ??
    signed.find(({ open, close }) => template.includes(open) && template.includes(close)) ??
    null
  );
}

/** Where a prompt stands: in a thought, past an empty one, or before any. */
function endOf(text: string, { openText, close }: ThinkAdapter): 'open' | 'empty' | 'none' {
  const end = text.trimEnd();
  // With what stands behind the tag, as in Gemma's `<|channel>thought`.
  const open = openText.trimEnd();
  if (end.endsWith(open)) return 'open';
  if (!end.endsWith(close)) return 'none';
  return end.slice(0, -close.length).trimEnd().endsWith(open) ? 'empty' : 'none';
}

/**
 * A rendered prompt that ends where the reply shall begin: inside an open thought with thinking, else past an empty
 * one. What the template has done already is left as it is.
 */
export function finishPrompt(text: string, adapter: ThinkAdapter, enableThinking: boolean): string {
  const end = endOf(text, adapter);
  if (enableThinking) return end === 'open' ? text : text + adapter.openText;
  if (end === 'open') return text + adapter.closeText.replace(/^\n/, '');
  return end === 'empty' ? text : text + adapter.emptyText;
}

/** Owns the names of the kinds of servers, for what only tells them apart; what is known of each is in server-kind.ts. */

/** Kinds that have an address. */
type AddressedKind =
  'llama.cpp' | 'ollama' | 'lm-studio' | 'vllm' | 'sglang' | 'nim' | 'transformers' | 'other';

/** Any kind; `browser` is the browser's own model, which is asked in the same words (engine/browser/). */
export type ServerKind = AddressedKind | 'browser';

export const SERVER_KINDS: readonly AddressedKind[] = [
  'llama.cpp',
  'ollama',
  'lm-studio',
  'vllm',
  'sglang',
  'nim',
  'transformers',
  'other',
];

/** True for a kind that a kept server can be of. */
export function isServerKind(name: string): name is AddressedKind {
  return SERVER_KINDS.some((kind) => kind === name);
}

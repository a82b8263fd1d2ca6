/** Owns the names of what the frame of the page does for a key or a command. No behaviour. */
import type { SavedPrompt } from '../../core/prompts/prompt';
import type { ShortcutAction } from '../help/shortcuts';

export type PageAction =
  | { readonly kind: ShortcutAction }
  | {
      readonly kind:
        | 'add-file'
        | 'prompts'
        | 'transfer'
        | 'storage'
        | 'bench'
        | 'share'
        | 'second-model'
        | 'judge'
        | 'report';
    }
  /** `show`: the model whose card is scrolled to. */
  | { readonly kind: 'models'; readonly show?: string }
  | { readonly kind: 'open-chat'; readonly id: string }
  | { readonly kind: 'use-prompt'; readonly prompt: SavedPrompt };

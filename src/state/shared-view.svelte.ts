/** Owns the shared chat that a link has opened for reading; nothing of it is kept. */
import { t } from '../core/language/translate';
import type { Conversation } from './conversation';

export type SharedState =
  | { readonly phase: 'reading' }
  | { readonly phase: 'shown'; readonly conversation: Conversation }
  | { readonly phase: 'broken'; readonly why: string };

export class SharedView {
  /** Null while no link of a shared chat is open. */
  state = $state.raw<SharedState | null>(null);
  #code: string | null = null;

  /** Opens what a link carries; null: none is open any more. */
  async follow(code: string | null): Promise<void> {
    if (code === this.#code) return;
    this.#code = code;
    this.state = code === null ? null : { phase: 'reading' };
    if (code === null) return;
    let state: SharedState;
    try {
      const { decodeChat } = await import('../storage/shared-chat');
      const read = await decodeChat(code);
      state =
        'broken' in read
          ? { phase: 'broken', why: read.broken }
          : { phase: 'shown', conversation: read };
    } catch {
      state = { phase: 'broken', why: t('the part of the app that reads it did not arrive') };
    }
    if (code === this.#code) this.state = state;
  }
}

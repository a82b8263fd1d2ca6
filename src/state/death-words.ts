/** What a person reads when the engine has died. Owns no rebuilding (model-status). */
import { said, t } from '../core/language/translate';
import type { EngineDeath } from './model-status.svelte';

/**
 * The sentence for a notice, or null where another place says it: a reply that was being written ends with the reason,
 * and an engine that is not started again has its own banner.
 */
export function deathInWords(
  { error, isInLoad, isRebuilt }: EngineDeath,
  isReplying: boolean,
): string | null {
  if (!isRebuilt) return null;
  if (isInLoad) {
    return t(
      'The engine stopped while the model was loading. It is started again; nothing is lost.',
    );
  }
  return isReplying
    ? null
    : `${said(error.message)} ${t('It is started again; your chats are kept.')}`;
}

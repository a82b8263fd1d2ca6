/** Owns deleting a whole chat with a way back. */
import { t } from '../core/language/translate';
import type { AppState } from './app-context';

/** Deletes at once and offers to undo it; the chat that is open gives way to a new one. */
export async function removeChat(
  { chat, list, notices }: Pick<AppState, 'chat' | 'list' | 'notices'>,
  { id, title }: { readonly id: string; readonly title: string },
): Promise<void> {
  const wasOpen = id === chat.conversation.id;
  const undo = async (): Promise<void> => {
    const back = await list.undoDelete(id);
    if (back === null)
      notices.show(t('It was too late to bring the chat back.'), { tone: 'trouble' });
    else if (wasOpen) chat.open(back);
  };
  if (wasOpen) chat.startNew();
  await list.delete(id);
  notices.show(t('Deleted “{title}”.', { title }), {
    action: { label: t('Undo'), run: () => void undo() },
  });
}

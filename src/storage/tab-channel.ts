/** Notes between tabs that something kept has changed. Owns no data: who hears one reads the database again. */

export type StorageChange =
  | { readonly type: 'saved'; readonly id: string }
  | { readonly type: 'deleted'; readonly id: string }
  | { readonly type: 'many' }
  | { readonly type: 'settings' };

export interface TabChannel {
  post(change: StorageChange): void;
  /** Called for changes of other tabs, never for one's own. Returns unsubscribe. */
  listen(listener: (change: StorageChange) => void): () => void;
  close(): void;
}

const CHANNEL_NAME = 'tidepool-storage';

/** Checked because a tab with another version of the app may speak on the same channel. */
function isChange(value: unknown): value is StorageChange {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  switch (value.type) {
    case 'saved':
    case 'deleted':
      return 'id' in value && typeof value.id === 'string';
    case 'many':
    case 'settings':
      return true;
    default:
      return false;
  }
}

/** Nobody hears and nobody speaks. */
export const SILENT_CHANNEL: TabChannel = {
  post: () => undefined,
  listen: () => () => undefined,
  close: () => undefined,
};

/** The channel of this origin; one that is silent where the browser has none. */
export function openTabChannel(): TabChannel {
  if (typeof BroadcastChannel === 'undefined') return SILENT_CHANNEL;
  const channel = new BroadcastChannel(CHANNEL_NAME);
  return {
    post: (change) => channel.postMessage(change),
    listen: (listener) => {
      const onMessage = ({ data }: MessageEvent<unknown>): void => {
        if (isChange(data)) listener(data);
      };
      channel.addEventListener('message', onMessage);
      return () => channel.removeEventListener('message', onMessage);
    },
    close: () => channel.close(),
  };
}

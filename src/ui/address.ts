/** The part of the address that says what is open: `#/chat/ID`, or a chat that is in it, `#/shared/CODE`. Owns no history. */

/** Ids as the conversation tree allows them. */
const CHAT = /^#\/chat\/([A-Za-z0-9-]{1,64})$/;

/** The id of the conversation that an address names, or null. */
export function chatOfHash(hash: string): string | null {
  return CHAT.exec(hash)?.[1] ?? null;
}

const SHARED = /^#\/shared\/(.*)$/;

/** The code of a shared chat that an address carries, or null. */
export function sharedOfHash(hash: string): string | null {
  return SHARED.exec(hash)?.[1] ?? null;
}

export function hashOfShared(code: string): string {
  return `#/shared/${code}`;
}

/** The address of a conversation; null: of a new chat. */
export function hashOfChat(id: string | null): string {
  return id === null ? '#/' : `#/chat/${id}`;
}

/**
 * Owns what the address asks of a start: text that another app shares, and the shortcuts of the installed app. Anyone may
 * write such an address, so it is checked and cut; what it brings lands in the message box and is never sent by itself.
 */
import { SHARED_PARAMETER } from './offline';
import { cutText } from './text/letters';

/** What a person still looks over before sending, and a small model still reads. In UTF-16 units. */
export const SHARED_TEXT_LIMIT = 4000;

export interface Launch {
  /** What to put into the message box; null when nothing is shared. */
  readonly draft: string | null;
  /** The shared text was longer than {@link SHARED_TEXT_LIMIT}. */
  readonly isCut: boolean;
  readonly open: 'lab' | 'lessons' | null;
  /** Files that wait to be read; null when none were shared, 0 when they did not arrive. */
  readonly files: number | null;
}

/** Names of the manifest's share_target. */
const SHARED = ['title', 'text', 'url'] as const;

/** Controls, and the marks that turn the direction of text or hide in it: a shared text shows what it is. */
const HIDDEN = /(?![\n\t])[\p{Cc}\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu;

/** Reads the query of the page's address; what it does not know it leaves alone. */
export function readLaunch(query: URLSearchParams): Launch {
  const parts = SHARED.map((name) =>
    (query.get(name) ?? '').toWellFormed().replaceAll('\r\n', '\n').replace(HIDDEN, '').trim(),
  ).filter((part, at, all) => part !== '' && all.indexOf(part) === at);
  const shared = parts.join('\n');
  const asked = query.get('open');
  return {
    draft: shared === '' ? null : `Explain this:\n${cutText(shared, SHARED_TEXT_LIMIT)}`,
    isCut: shared.length > SHARED_TEXT_LIMIT,
    open: asked === 'lab' || asked === 'lessons' ? asked : null,
    files: readCount(query.get(SHARED_PARAMETER)),
  };
}

function readCount(text: string | null): number | null {
  return text !== null && /^\d$/.test(text) ? Number(text) : null;
}

/** The same address without what was read: a reload does not ask again. */
export function addressAfterLaunch(address: URL): string {
  const rest = new URLSearchParams(address.search);
  for (const name of [...SHARED, 'open', SHARED_PARAMETER]) rest.delete(name);
  const query = rest.toString();
  return `${address.pathname}${query === '' ? '' : `?${query}`}${address.hash}`;
}

/** The words for a file of a question: how much of it is read, and what it takes. */
import { t } from '../../core/language/translate';
import type { AttachedFile } from '../../core/chat/attached-file';
import { formatCount } from '../../core/units';

/** Rounded down, so that a cut file never reads 100 %; at least 1. */
export function percentRead(share: number): number {
  return Math.max(1, Math.floor(share * 100));
}

export function sizeInWords({ share, tokens }: AttachedFile): string {
  const size =
    tokens === null
      ? t('counted by the server')
      : t('{tokens} tokens', { tokens: formatCount(tokens) });
  return share < 1 ? t('first {share} %, {size}', { share: percentRead(share), size }) : size;
}

/** The words for a file of a question: how much of it is read, and what it takes. */
import type { AttachedFile } from '../../core/chat/attached-file';
import { formatCount } from '../../core/units';

/** Rounded down, so that a cut file never reads 100 %; at least 1. */
export function percentRead(share: number): number {
  return Math.max(1, Math.floor(share * 100));
}

export function sizeInWords({ share, tokens }: AttachedFile): string {
  const size = tokens === null ? 'counted by the server' : `${formatCount(tokens)} tokens`;
  return share < 1 ? `first ${percentRead(share)} %, ${size}` : size;
}

/** Where a model's twin of attention alone comes to hold more than the model itself. Pure. */
import {
  allAttentionTwin,
  FLOAT32_WIDTHS,
  kvBytesPerToken,
  stateBytesAt,
} from '../../../core/memory/state-memory';
import type { ModelSpec } from '../../../core/model-spec';

/** Tokens from which on the twin's cache is the larger; null for a model without states or without attention. */
export function twinCrossing(spec: ModelSpec): number | null {
  const twin = allAttentionTwin(spec);
  const { total: fixed } = stateBytesAt(spec, 0, FLOAT32_WIDTHS, 'kernel-1');
  if (twin === null || fixed === 0) return null;
  const width = FLOAT32_WIDTHS.kvBytes;
  const more = kvBytesPerToken(twin, width) - kvBytesPerToken(spec, width);
  return more <= 0 ? null : Math.floor(fixed / more) + 1;
}

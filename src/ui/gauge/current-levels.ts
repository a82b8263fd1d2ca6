/** The water levels of the open conversation from what the engine reported, or of an empty state from the model's shape. */
import { FLOAT32_WIDTHS, stateBytesAt } from '../../core/memory/state-memory';
import type { AppState } from '../../state/app-context';
import { waterLevels, type WaterLevels } from '../../state/water-levels';

/** Null while no model is loaded here: neither a server nor the browser tells what its model holds. */
export function currentLevels({
  chat,
  status,
}: Pick<AppState, 'chat' | 'status'>): WaterLevels | null {
  if (status.place !== null || status.isBrowserModel) return null;
  if (chat.memory !== null) return waterLevels(chat.memory);
  if (status.model === null) return null;
  // Before the first reply nothing is read, and the pool has the size its shape gives it.
  const empty = stateBytesAt(status.model.spec, 0, FLOAT32_WIDTHS, 'kernel-1');
  return waterLevels({
    weightBytes: status.model.weightBytes,
    ssmBytes: empty.ssm,
    convBytes: empty.conv,
    kvBytes: 0,
    kvAllocatedBytes: 0,
    snapshotBytes: 0,
    snapshotCount: 0,
    tokens: 0,
  });
}

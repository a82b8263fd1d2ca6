/** Owns how much memory the float32 weights may take that the engine makes of 4-bit ones on the processor. */
import type { FourBitPreference } from '../protocol/engine-api';

const GIB = 1024 ** 3;
/** What a device is taken to have that tells nothing: most that have no `deviceMemory` are no phones. */
const UNTOLD_BYTES = 8 * GIB;

/**
 * In bytes; `memoryBytes` is what the browser tells of the device, 8 GiB at most. They are held twice while a session is
 * made, by JavaScript and in the WASM heap, which ends at 4 GiB; `auto` leaves three quarters of the memory to others.
 */
export function float32Room(preference: FourBitPreference, memoryBytes: number | null): number {
  if (preference === 'off') return 0;
  if (preference === 'on') return 3 * GIB;
  return Math.min(1, (memoryBytes ?? UNTOLD_BYTES) / (8 * GIB)) * GIB;
}

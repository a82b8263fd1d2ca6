/** Owns the question whether one more engine may start by itself while other tabs run theirs. Pure. */

/** Of an engine besides its weights: ONNX Runtime's code and heap, buffers of a reply. An estimate, on the safe side. */
const ENGINE_BYTES = 200 * 2 ** 20;

/** Weights lie in the runtime's heap, and once more in what it packed them into. */
const COPIES_OF_WEIGHTS = 2;

/** What the engines of all tabs may take together, as a part of the memory; the rest is other programs'. */
const SHARE_OF_MEMORY = 0.5;

/** Where the browser does not tell (Firefox, Safari): a phone of some years ago. */
const UNKNOWN_MEMORY_BYTES = 4 * 2 ** 30;

/**
 * @param others engines that run in other tabs, each taken to be as large as this one
 * @param weightBytes bytes of the model's file
 * @param memoryBytes of the device, as the browser tells it (rounded, 8 GiB at most); null when it does not
 */
export function hasEngineRoom(
  others: number,
  weightBytes: number,
  memoryBytes: number | null,
): boolean {
  const each = ENGINE_BYTES + COPIES_OF_WEIGHTS * weightBytes;
  return (
    others === 0 || (others + 1) * each <= (memoryBytes ?? UNKNOWN_MEMORY_BYTES) * SHARE_OF_MEMORY
  );
}

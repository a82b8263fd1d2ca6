/** Owns the safetensors format: the header's tensors as views of one file's bytes, checked. Owns no meaning of names. */
import { EngineError } from '../errors';

export interface RawTensor {
  /** F32, BF16, U8, F8_E4M3… */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A header longer than this is no header. Bytes. */
const MOST_HEADER_BYTES = 100_000_000;

const BYTES: Readonly<Partial<Record<string, number>>> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  F16: 2,
  BF16: 2,
  U8: 1,
  I8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
};

/** A broken file; the message names it and what is wrong. */
export function brokenFile(file: string, what: string): EngineError {
  return new EngineError(
    'model-corrupt',
    `${file}: ${what}.`,
    'Get the file again from where the model came from.',
  );
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** The tensors by name. EngineError `model-corrupt`. */
export function readSafetensors(file: string, bytes: Uint8Array): ReadonlyMap<string, RawTensor> {
  if (bytes.length < 8) throw brokenFile(file, `${bytes.length} bytes are no safetensors file`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > Math.min(MOST_HEADER_BYTES, bytes.length - 8))
    throw brokenFile(
      file,
      `its header of ${headerBytes} bytes does not fit into its ${bytes.length}: it is cut off, or no safetensors file`,
    );
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
  } catch {
    throw brokenFile(file, 'its header is no JSON');
  }
  if (typeof header !== 'object' || header === null) throw brokenFile(file, 'its header is empty');
  const data = bytes.subarray(8 + headerBytes);
  const tensors = new Map<string, RawTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: range } = entry as Record<string, unknown>;
    if (typeof dtype !== 'string' || !isNumbers(shape) || !isNumbers(range))
      throw brokenFile(file, `the entry of '${name}' has no dtype, shape and data_offsets`);
    const [start = 0, end = 0] = range;
    if (end > data.length)
      throw brokenFile(file, `'${name}' ends at byte ${end} of ${data.length}: it is cut off`);
    const elements = shape.reduce((product, size) => product * size, 1);
    const width = BYTES[dtype];
    if (width !== undefined && end - start !== elements * width)
      throw brokenFile(
        file,
        `'${name}' has ${end - start} bytes, not the ${elements * width} of ${dtype} [${shape.join(', ')}]`,
      );
    tensors.set(name, { dtype, shape, data: data.subarray(start, end) });
  }
  return tensors;
}

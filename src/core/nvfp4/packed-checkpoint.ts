/**
 * Owns the reading of an NVFP4 checkpoint in both published layouts, each field checked:
 *
 *     codes         X.weight U8 (N, K/2)                  X.weight_packed
 *     block scales  X.weight_scale F8_E4M3 (N, K/16)      X.weight_scale
 *     matrix scale  X.weight_scale_2 F32, multiplied      X.weight_global_scale F32, divided by
 *     layout        modelopt                              compressed-tensors
 *
 * FP8 weights of mixed checkpoints (X.weight F8_E4M3, one F32 X.weight_scale) are decoded too. Scales of activations
 * are passed over. Owns no fetching and no graph.
 */
import { decodeE4m3, NAN_E4M3 } from './float-formats';
import type { PackedMatrix } from './packed-matrix';
import { BLOCK_SIZE } from './quantise-block';
import { brokenFile, readSafetensors, type RawTensor } from './safetensors';

type Nvfp4Layout = 'modelopt' | 'compressed-tensors';

const FIELDS: Readonly<
  Record<Nvfp4Layout, { readonly codes: string; readonly tensorScale: string }>
> = {
  modelopt: { codes: 'weight', tensorScale: 'weight_scale_2' },
  'compressed-tensors': { codes: 'weight_packed', tensorScale: 'weight_global_scale' },
};

export interface PackedCheckpoint {
  /** By name without `.weight`. */
  readonly matrices: ReadonlyMap<string, PackedMatrix>;
  /** All other tensors by name, float32, row-major. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** One number of a float32 field. */
function numberOf(file: string, name: string, tensor: RawTensor | undefined, why: string): number {
  if (tensor === undefined) throw brokenFile(file, `'${name}' is missing, but ${why}`);
  if (tensor.dtype !== 'F32')
    throw brokenFile(file, `'${name}' has dtype ${tensor.dtype}, expected F32`);
  const { data } = tensor;
  if (data.length !== 4)
    throw brokenFile(file, `'${name}' has ${data.length / 4} values, expected one a matrix`);
  const value = new DataView(data.buffer, data.byteOffset, 4).getFloat32(0, true);
  if (!(value > 0 && Number.isFinite(value)))
    throw brokenFile(file, `'${name}' is ${value}, expected a finite number above 0`);
  return value;
}

function matrixOf(
  file: string,
  raw: ReadonlyMap<string, RawTensor>,
  name: string,
  layout: Nvfp4Layout,
): PackedMatrix {
  const fields = FIELDS[layout];
  const codesName = `${name}.${fields.codes}`;
  const codes = raw.get(codesName);
  const [rows, half, ...more] = codes?.shape ?? [];
  if (codes === undefined || rows === undefined || half === undefined || more.length > 0)
    throw brokenFile(
      file,
      `'${codesName}' has shape [${codes?.shape.join(', ') ?? ''}], expected (rows, K / 2)`,
    );
  const columns = 2 * half;
  if (columns % BLOCK_SIZE !== 0)
    throw brokenFile(
      file,
      `'${codesName}' has ${half} bytes a row, so K = ${columns}, which ${BLOCK_SIZE} does not divide`,
    );
  const why = `'${codesName}' is packed in 4 bits`;
  const scaleName = `${name}.weight_scale`;
  const scales = raw.get(scaleName);
  if (scales === undefined) throw brokenFile(file, `'${scaleName}' is missing, but ${why}`);
  if (scales.dtype !== 'F8_E4M3')
    throw brokenFile(file, `'${scaleName}' has dtype ${scales.dtype}, expected F8_E4M3`);
  const wanted = [rows, columns / BLOCK_SIZE];
  if (scales.shape.join() !== wanted.join())
    throw brokenFile(
      file,
      `'${scaleName}' has shape [${scales.shape.join(', ')}], expected [${wanted.join(', ')}]: one scale for each ${BLOCK_SIZE} weights, rows in order`,
    );
  if (scales.data.some((bits) => bits >= 0x80 || bits === NAN_E4M3))
    throw brokenFile(file, `'${scaleName}' holds NaN or a negative scale`);
  const scale = `${name}.${fields.tensorScale}`;
  return {
    rows,
    columns,
    packed: codes.data,
    scaleBits: scales.data,
    tensorScale: numberOf(file, scale, raw.get(scale), why),
    divides: layout === 'compressed-tensors',
  };
}

/** A tensor of an ordinary type as float32. */
function floatsOf(file: string, name: string, { dtype, data }: RawTensor): Float32Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === 'F32')
    return Float32Array.from({ length: data.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  if (dtype !== 'BF16')
    throw brokenFile(file, `'${name}' has dtype ${dtype}, expected F32, BF16 or a packed form`);
  const bits = new Uint32Array(data.length / 2);
  for (let i = 0; i < bits.length; i += 1) bits[i] = view.getUint16(2 * i, true) * 65_536;
  return new Float32Array(bits.buffer);
}

/** Reads a whole file. EngineError `model-corrupt` naming file and field; nothing is half read. */
export function readPackedCheckpoint(file: string, bytes: Uint8Array): PackedCheckpoint {
  const raw = readSafetensors(file, bytes);
  const isDivided = [...raw.keys()].some((name) => /\.weight_(packed|global_scale)$/.test(name));
  const layout = isDivided ? 'compressed-tensors' : 'modelopt';
  const { codes, tensorScale } = FIELDS[layout];
  const matrices = new Map<string, PackedMatrix>();
  const tensors = new Map<string, Float32Array>();
  const used = new Set<string>();
  for (const [name, tensor] of raw) {
    const dot = name.lastIndexOf('.');
    const base = name.slice(0, dot);
    if (name.slice(dot + 1) === codes && tensor.dtype === 'U8') {
      matrices.set(base, matrixOf(file, raw, base, layout));
      for (const field of [codes, 'weight_scale', tensorScale]) used.add(`${base}.${field}`);
    } else if (name.endsWith('.weight') && tensor.dtype === 'F8_E4M3') {
      const scaleName = `${base}.weight_scale`;
      const scale = numberOf(file, scaleName, raw.get(scaleName), `'${name}' is FP8`);
      tensors.set(
        name,
        Float32Array.from(tensor.data, (eight) => decodeE4m3(eight) * scale),
      );
      used.add(name).add(scaleName);
    }
  }
  for (const [name, tensor] of raw) {
    if (used.has(name) || /\.input_(global_)?scale$/.test(name)) continue;
    const base = /^(.*)\.weight_\w+$/.exec(name)?.[1];
    if (base !== undefined)
      throw brokenFile(
        file,
        `'${name}' stands without '${base}.${codes}' in 4 bits: layouts are mixed up, or the file is cut`,
      );
    tensors.set(name, floatsOf(file, name, tensor));
  }
  if (matrices.size === 0) throw brokenFile(file, 'no matrix in it is packed in 4 bits');
  return { matrices, tensors };
}

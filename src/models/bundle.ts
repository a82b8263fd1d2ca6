/**
 * Owns the `.tidepool` file: a model in one file. It is a zip archive without compression, so that any unzip tool opens
 * it and any zip tool makes one (`zip -0 -r model.tidepool .`), and so that each file inside is a slice of it: nothing
 * is unpacked into memory, and a load reads only what it needs. Quantised weights would not get smaller anyway. Sizes
 * beyond 4 GiB use zip64. Owns no fetching and no saving.
 */
import { EngineError } from '../core/errors';
import { isSafePath } from './hub-listing';

/** More than any model of this kind has. */
const MAX_ENTRIES = 500;
/** The largest file that is opened: a 64 GiB bundle is no model for a browser. */
const MAX_BUNDLE_BYTES = 64 * 1024 ** 3;
/** The end record with its longest comment. */
const MAX_END_BYTES = 22 + 65_535;

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;

function refused(what: string, remedy: string): EngineError {
  return new EngineError('model-corrupt', `The bundle cannot be opened: ${what}.`, remedy);
}

const MAKE_ANEW =
  'Save the bundle anew from the app that made it, or zip the model’s folder without compression (zip -0 -r model.tidepool .).';

async function viewOf(blob: Blob, start: number, length: number): Promise<DataView> {
  if (start < 0 || length < 0 || start + length > blob.size)
    throw refused(
      `it ends at ${blob.size} bytes, but names bytes up to ${start + length}: it is cut off`,
      'Copy the file again.',
    );
  return new DataView(await blob.slice(start, start + length).arrayBuffer());
}

function bigAt(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(MAX_BUNDLE_BYTES))
    throw refused(`it names a size of ${value} bytes`, MAKE_ANEW);
  return Number(value);
}

interface Directory {
  readonly start: number;
  readonly length: number;
  readonly entries: number;
}

/** Finds the list of files at the end. */
async function readEnd(bundle: Blob): Promise<Directory> {
  const length = Math.min(bundle.size, MAX_END_BYTES);
  const start = bundle.size - length;
  const view = await viewOf(bundle, start, length);
  let at = length - 22;
  while (at >= 0 && view.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw refused('it is no zip archive, or its end is missing', MAKE_ANEW);
  const directory = {
    entries: view.getUint16(at + 10, true),
    length: view.getUint32(at + 12, true),
    start: view.getUint32(at + 16, true),
  };
  if (directory.entries !== FULL_16 && directory.length !== FULL_32 && directory.start !== FULL_32)
    return directory;
  const locator = await viewOf(bundle, start + at - 20, 20);
  if (locator.getUint32(0, true) !== END64_LOCATOR)
    throw refused('its zip64 end is missing', MAKE_ANEW);
  const end64 = await viewOf(bundle, bigAt(locator, 8), 56);
  if (end64.getUint32(0, true) !== END64) throw refused('its zip64 end is damaged', MAKE_ANEW);
  return { entries: bigAt(end64, 32), length: bigAt(end64, 40), start: bigAt(end64, 48) };
}

interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly headerAt: number;
}

function readEntries(view: DataView, count: number): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== CENTRAL)
      throw refused(`entry ${index} of its list is damaged`, MAKE_ANEW);
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const end = at + 46 + nameLength + extraLength;
    if (end > view.byteLength) throw refused(`entry ${index} of its list is cut off`, MAKE_ANEW);
    const name = new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength);
    const path = new TextDecoder().decode(name);
    let packed = view.getUint32(at + 20, true);
    let bytes = view.getUint32(at + 24, true);
    let headerAt = view.getUint32(at + 42, true);
    // The zip64 field holds, in this order, those of the three that are full.
    for (let extra = at + 46 + nameLength; extra + 4 <= end;) {
      const id = view.getUint16(extra, true);
      const size = view.getUint16(extra + 2, true);
      if (id === 1) {
        let field = extra + 4;
        const next = (): number => {
          if (field + 8 > extra + 4 + size)
            throw refused(`the size of ${path} is missing`, MAKE_ANEW);
          field += 8;
          return bigAt(view, field - 8);
        };
        if (bytes === FULL_32) bytes = next();
        if (packed === FULL_32) packed = next();
        if (headerAt === FULL_32) headerAt = next();
      }
      extra += 4 + size;
    }
    at = end + view.getUint16(at + 32, true);
    // Folders are entries too.
    if (path.endsWith('/')) continue;
    if ((flags & 1) !== 0)
      throw refused(`${path} is encrypted`, 'Make the bundle without a password.');
    if (method !== 0)
      throw refused(
        `${path} is compressed`,
        'Zip the folder without compression: zip -0 -r model.tidepool .',
      );
    if (packed !== bytes) throw refused(`${path} has two sizes, ${packed} and ${bytes}`, MAKE_ANEW);
    if (!isSafePath(path))
      throw refused(`it holds a file of the name ${JSON.stringify(path)}`, MAKE_ANEW);
    entries.push({ path, bytes, headerAt });
  }
  return entries;
}

/** Files of a bundle by path, as slices of it. EngineError `model-corrupt` with what is wrong and what to do. */
export async function openBundle(bundle: Blob): Promise<ReadonlyMap<string, Blob>> {
  if (bundle.size > MAX_BUNDLE_BYTES)
    throw refused(`it has ${bundle.size} bytes, more than ${MAX_BUNDLE_BYTES}`, MAKE_ANEW);
  const directory = await readEnd(bundle);
  if (directory.entries > MAX_ENTRIES)
    throw refused(`it names ${directory.entries} files; ${MAX_ENTRIES} can be`, MAKE_ANEW);
  const list = await viewOf(bundle, directory.start, directory.length);
  const files = new Map<string, Blob>();
  let total = 0;
  for (const { path, bytes, headerAt } of readEntries(list, directory.entries)) {
    const header = await viewOf(bundle, headerAt, 30);
    if (header.getUint32(0, true) !== LOCAL)
      throw refused(`the place of ${path} is wrong`, MAKE_ANEW);
    const start = headerAt + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    total += bytes;
    if (start + bytes > bundle.size || total > bundle.size)
      throw refused(`${path} reaches beyond its end: it is cut off`, 'Copy the file again.');
    if (files.has(path)) throw refused(`it holds ${path} twice`, MAKE_ANEW);
    files.set(path, bundle.slice(start, start + bytes));
  }
  return withoutOuterFolder(files);
}

/** Drops the one folder that holds everything, as zipping a folder from outside leaves it. */
export function withoutOuterFolder<T>(files: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const [first = ''] = files.keys();
  const folder = first.slice(0, first.indexOf('/') + 1);
  const isOuter =
    folder !== '' &&
    !files.has('config.json') &&
    [...files.keys()].every((path) => path.startsWith(folder));
  if (!isOuter) return files;
  return new Map([...files].map(([path, file]) => [path.slice(folder.length), file]));
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1)
    value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of a blob, read as a stream. */
async function crcOf(blob: Blob, onBytes: (bytes: number) => void): Promise<number> {
  const reader = (blob.stream() as ReadableStream<Uint8Array>).getReader();
  let crc = FULL_32;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return ~crc >>> 0;
    for (const byte of value) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
    onBytes(value.length);
  }
}

function bytesOf(
  length: number,
  write: (view: DataView<ArrayBuffer>) => void,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(length));
  write(view);
  return new Uint8Array(view.buffer);
}

/** 1 January 1980, the first that the format can say: the same files give the same bundle. */
const DATE = 0x21;
const UTF8_FLAG = 0x0800;

/**
 * A bundle of `files`, made of their blobs without copying them; they are read once for their check sums, which
 * `onBytes` follows.
 */
export async function makeBundle(
  files: ReadonlyMap<string, Blob>,
  onBytes: (bytes: number) => void = () => {},
): Promise<Blob> {
  const parts: (Blob | Uint8Array<ArrayBuffer>)[] = [];
  const list: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const [path, blob] of files) {
    const name = new TextEncoder().encode(path);
    const crc = await crcOf(blob, onBytes);
    const isBig = blob.size >= FULL_32;
    const size = isBig ? FULL_32 : blob.size;
    const isFar = at >= FULL_32;
    const localExtra = isBig ? 20 : 0;
    const header = bytesOf(30 + name.length + localExtra, (view) => {
      view.setUint32(0, LOCAL, true);
      view.setUint16(4, isBig ? 45 : 20, true);
      view.setUint16(6, UTF8_FLAG, true);
      view.setUint16(12, DATE, true);
      view.setUint32(14, crc, true);
      view.setUint32(18, size, true);
      view.setUint32(22, size, true);
      view.setUint16(26, name.length, true);
      view.setUint16(28, localExtra, true);
      new Uint8Array(view.buffer).set(name, 30);
      if (isBig) {
        view.setUint16(30 + name.length, 1, true);
        view.setUint16(32 + name.length, 16, true);
        view.setBigUint64(34 + name.length, BigInt(blob.size), true);
        view.setBigUint64(42 + name.length, BigInt(blob.size), true);
      }
    });
    const fields = [...(isBig ? [blob.size, blob.size] : []), ...(isFar ? [at] : [])];
    const extra = fields.length === 0 ? 0 : 4 + 8 * fields.length;
    list.push(
      bytesOf(46 + name.length + extra, (view) => {
        view.setUint32(0, CENTRAL, true);
        view.setUint16(4, extra > 0 ? 45 : 20, true);
        view.setUint16(6, extra > 0 ? 45 : 20, true);
        view.setUint16(8, UTF8_FLAG, true);
        view.setUint16(14, DATE, true);
        view.setUint32(16, crc, true);
        view.setUint32(20, size, true);
        view.setUint32(24, size, true);
        view.setUint16(28, name.length, true);
        view.setUint16(30, extra, true);
        view.setUint32(42, isFar ? FULL_32 : at, true);
        new Uint8Array(view.buffer).set(name, 46);
        if (extra > 0) {
          view.setUint16(46 + name.length, 1, true);
          view.setUint16(48 + name.length, extra - 4, true);
          fields.forEach((field, i) =>
            view.setBigUint64(50 + name.length + 8 * i, BigInt(field), true),
          );
        }
      }),
    );
    parts.push(header, blob);
    at += header.length + blob.size;
  }
  const listLength = list.reduce((sum, { length }) => sum + length, 0);
  const isLong = at >= FULL_32 || listLength >= FULL_32;
  if (isLong) {
    list.push(
      bytesOf(76, (view) => {
        view.setUint32(0, END64, true);
        view.setBigUint64(4, 44n, true);
        view.setUint16(12, 45, true);
        view.setUint16(14, 45, true);
        view.setBigUint64(24, BigInt(files.size), true);
        view.setBigUint64(32, BigInt(files.size), true);
        view.setBigUint64(40, BigInt(listLength), true);
        view.setBigUint64(48, BigInt(at), true);
        view.setUint32(56, END64_LOCATOR, true);
        view.setBigUint64(64, BigInt(at + listLength), true);
        view.setUint32(72, 1, true);
      }),
    );
  }
  const end = bytesOf(22, (view) => {
    view.setUint32(0, END, true);
    view.setUint16(8, files.size, true);
    view.setUint16(10, files.size, true);
    view.setUint32(12, Math.min(listLength, FULL_32), true);
    view.setUint32(16, isLong ? FULL_32 : at, true);
  });
  return new Blob([...parts, ...list, end], { type: 'application/zip' });
}

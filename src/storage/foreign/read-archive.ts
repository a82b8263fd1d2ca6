/**
 * Owns the reading of texts in a zip archive, as chat programs hand out their exports: entries stored or deflated, found by the
 * directory at the end. Entries and archives beyond 4 GiB (zip64) are refused by name. Owns no meaning of the texts.
 */

const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_LENGTH = 22;
/** The end record with its longest comment. */
const LONGEST_END = END_LENGTH + 0xffff;

/** An archive that cannot be read; `message` is the end of a sentence. */
export class ArchiveProblem extends Error {}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly start: number;
}

/** True for a file that begins like a zip archive. */
export async function isArchive(file: Blob): Promise<boolean> {
  return (await file.slice(0, 4).text()) === 'PK\u0003\u0004';
}

async function viewOf(file: Blob, start: number, length: number): Promise<DataView> {
  if (start < 0 || start + length > file.size)
    throw new ArchiveProblem('the archive is cut off; download it again');
  return new DataView(await file.slice(start, start + length).arrayBuffer());
}

async function entriesOf(file: Blob): Promise<readonly Entry[]> {
  const length = Math.min(file.size, LONGEST_END);
  const end = await viewOf(file, file.size - length, length);
  let at = length - END_LENGTH;
  while (at >= 0 && end.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw new ArchiveProblem('the archive is cut off; download it again');
  const count = end.getUint16(at + 10, true);
  const bytes = end.getUint32(at + 12, true);
  const start = end.getUint32(at + 16, true);
  if (count === 0xffff || start === 0xffffffff)
    throw new ArchiveProblem('the archive has more than 4 GiB; unpack it and choose its JSON');
  const view = await viewOf(file, start, bytes);
  const entries: Entry[] = [];
  for (let next = 0; next + 46 <= bytes && view.getUint32(next, true) === CENTRAL;) {
    const nameLength = view.getUint16(next + 28, true);
    const rest = view.getUint16(next + 30, true) + view.getUint16(next + 32, true);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, next + 46, nameLength));
    entries.push({
      name,
      method: view.getUint16(next + 10, true),
      packedBytes: view.getUint32(next + 20, true),
      bytes: view.getUint32(next + 24, true),
      start: view.getUint32(next + 42, true),
    });
    next += 46 + nameLength + rest;
  }
  return entries;
}

async function textOf(file: Blob, entry: Entry): Promise<string> {
  const head = await viewOf(file, entry.start, 30);
  const start = entry.start + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const packed = file.slice(start, start + entry.packedBytes);
  if (entry.method === 0) return packed.text();
  if (entry.method !== 8)
    throw new ArchiveProblem(`${entry.name} is packed in a way that is not read; unpack it`);
  try {
    const plain = packed.stream().pipeThrough(new DecompressionStream('deflate-raw'));
    return await new Response(plain).text();
  } catch {
    throw new ArchiveProblem(`${entry.name} is damaged; download the archive again`);
  }
}

/**
 * The texts of the archive's chats: the files named conversations….json, in any folder, in the order of their names; where
 * there is none, every other JSON file. ArchiveProblem when there is neither, or one has more than `most` bytes.
 */
export async function archivedTexts(file: Blob, most: number): Promise<readonly string[]> {
  const json = (await entriesOf(file)).filter(({ name }) => /\.json$/i.test(name));
  const chats = json.filter(({ name }) => /(?:^|\/)conversations[^/]*\.json$/i.test(name));
  const wanted = (chats.length > 0 ? chats : json).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (wanted.length === 0) throw new ArchiveProblem('the archive has no JSON file in it');
  const texts: string[] = [];
  for (const entry of wanted) {
    if (entry.bytes > most)
      throw new ArchiveProblem(`${entry.name} has ${entry.bytes} bytes, and the most is ${most}`);
    texts.push(await textOf(file, entry));
  }
  return texts;
}

/**
 * Owns the memory of an interrupted run: one line a finished piece of it, in a file named for all that the results depend
 * on. Owns no results of its own.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { ModelManifest } from '../../src/models/spec';

/** A file itself, or the TypeScript of a folder. */
function filesUnder(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Digest of code and settings: where anything differs, results of an earlier run don't count. */
export function journalKey(root: string, paths: readonly string[], settings: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const path of paths) {
    for (const file of filesUnder(join(root, path))) hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

/** SHA-256 of every graph and every part of weights. */
export function weightDigests({ files }: Pick<ModelManifest, 'files'>): readonly string[] {
  return files.filter(({ path }) => path.startsWith('onnx/')).map(({ sha256 }) => sha256);
}

export class Journal<Entry> {
  readonly path: string;
  readonly #idOf: (entry: Entry) => string;

  constructor(path: string, idOf: (entry: Entry) => string) {
    this.path = path;
    this.#idOf = idOf;
    mkdirSync(dirname(path), { recursive: true });
  }

  /** What earlier runs finished, by the problem's id; a last line that was cut off is dropped from the file. */
  read(): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    if (!existsSync(this.path)) return entries;
    const text = readFileSync(this.path, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole !== text) writeFileSync(this.path, whole);
    for (const line of whole.split('\n').slice(0, -1)) {
      const entry = JSON.parse(line) as Entry;
      entries.set(this.#idOf(entry), entry);
    }
    return entries;
  }

  add(entry: Entry): void {
    appendFileSync(this.path, `${JSON.stringify(entry)}\n`);
  }

  clear(): void {
    rmSync(this.path, { force: true });
  }
}

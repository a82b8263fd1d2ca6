/** Owns the writing of one system's entry into public/models/posttraining.json, as the recipe's own writer does. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface SystemEntry {
  readonly id: string;
  readonly model: string;
  readonly figure: {
    readonly name: string;
    readonly before: number;
    readonly after: number;
    readonly interval: readonly [number, number];
  };
  readonly command: string;
  readonly commit: string;
  readonly note: string;
}

/** Puts the entry in place of that of its id; the others stay as they are. */
export function recordSystem(root: string, entry: SystemEntry): void {
  const path = join(root, 'public/models/posttraining.json');
  const file: { systems: { id: string }[] } = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as { systems: { id: string }[] })
    : { systems: [] };
  const at = file.systems.findIndex(({ id }) => id === entry.id);
  if (at < 0) file.systems.push(entry);
  else file.systems[at] = entry;
  writeFileSync(`${path}.part`, `${JSON.stringify(file, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}

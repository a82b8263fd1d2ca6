/** Owns the ways in which a browser hands over a folder: the directory picker, an input, a drop. Each gives files by path. */

/** What was handed over: its name, and files by path relative to it. */
export interface PickedFolder {
  readonly name: string;
  readonly files: ReadonlyMap<string, File>;
}

/** A folder with more than this is a whole disk; reading on would only freeze the page. */
const MAX_FILES = 2001;

/** Chromium's own, so no type of the DOM names it. */
interface DirectoryHandle {
  readonly name: string;
  readonly kind: 'directory';
  values(): AsyncIterable<DirectoryHandle | FileHandle>;
}
interface FileHandle {
  readonly name: string;
  readonly kind: 'file';
  getFile(): Promise<File>;
}
type PickerWindow = Window & { showDirectoryPicker?: () => Promise<DirectoryHandle> };

/** True where the browser has a picker of its own for folders. */
export function hasDirectoryPicker(): boolean {
  return typeof (window as PickerWindow).showDirectoryPicker === 'function';
}

async function readHandle(
  handle: DirectoryHandle,
  prefix: string,
  files: Map<string, File>,
): Promise<void> {
  for await (const child of handle.values()) {
    if (files.size >= MAX_FILES) return;
    if (child.kind === 'directory') await readHandle(child, `${prefix}${child.name}/`, files);
    else files.set(`${prefix}${child.name}`, await child.getFile());
  }
}

/** Asks for a folder; null when the person thought better of it. */
export async function pickDirectory(): Promise<PickedFolder | null> {
  try {
    const handle = await (window as PickerWindow).showDirectoryPicker?.();
    if (handle === undefined) return null;
    const files = new Map<string, File>();
    await readHandle(handle, '', files);
    return { name: handle.name, files };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** The folder of an `<input webkitdirectory>`; null when nothing was chosen. */
export function folderOfInput(list: FileList | null): PickedFolder | null {
  const all = Array.from(list ?? []).slice(0, MAX_FILES);
  const [first] = all;
  if (first === undefined) return null;
  const [name = 'model'] = first.webkitRelativePath.split('/');
  return { name, files: new Map(all.map((file) => [file.webkitRelativePath || file.name, file])) };
}

function readEntries(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

async function readEntry(
  entry: FileSystemEntry,
  prefix: string,
  files: Map<string, File>,
): Promise<void> {
  if (files.size >= MAX_FILES) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    files.set(`${prefix}${entry.name}`, file);
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a hundred at a time.
  for (let part = await readEntries(reader); part.length > 0; part = await readEntries(reader))
    for (const child of part) await readEntry(child, `${prefix}${entry.name}/`, files);
}

/** What was dropped: a bundle, or files by path. Must be called in the drop event itself. */
export async function filesOfDrop(data: DataTransfer): Promise<File | PickedFolder | null> {
  const entries = Array.from(data.items, (item) => item.webkitGetAsEntry()).filter(
    (entry) => entry !== null,
  );
  const [only] = data.files;
  const [entry] = entries;
  if (only !== undefined && data.files.length === 1 && entry?.isDirectory !== true) return only;
  if (entry === undefined) {
    // A browser without entries gives the files of a drop, and no folders.
    const files = new Map(Array.from(data.files, (file) => [file.name, file]));
    return files.size === 0 ? null : { name: 'dropped', files };
  }
  const files = new Map<string, File>();
  for (const each of entries) await readEntry(each, '', files);
  return { name: entry.name, files };
}

/** True when a folder is among what was dropped. Must be called in the drop event itself. */
export function hasFolder(data: DataTransfer): boolean {
  return Array.from(data.items).some((item) => item.webkitGetAsEntry()?.isDirectory === true);
}

/** True while files are dragged, not text. */
export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true;
}

/** Owns a file that goes with a question: what is kept of it, and how the model reads it. Reads no files. */

export interface AttachedFile {
  readonly name: string;
  /** What the model reads: the whole text, or its beginning. */
  readonly text: string;
  /** Of the file's letters those that `text` has, above 0 and at most 1. */
  readonly share: number;
  /** Of `text`, as counted before sending; null where a server counts its own. */
  readonly tokens: number | null;
}

/** The question with its files before it, as they stand in a small model's training: first the text, then what is asked. */
export function questionWithFiles(text: string, files: readonly AttachedFile[] = []): string {
  const blocks = files.map((file) => {
    const name = file.share < 1 ? `${file.name} (its beginning)` : file.name;
    return `${name}:\n${file.text.trim()}`;
  });
  return [...blocks, text].join('\n\n');
}

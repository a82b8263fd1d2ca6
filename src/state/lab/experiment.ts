/** Owns experiments and figures as they are exported: what was asked, with which model, and every number that came out. Pure. */
import type { Provenance } from '../../core/lab/memory-curves';

/** What a figure shows beyond its words: the request as it was sent to the engine, and all that came back. */
export interface ExperimentDetails {
  readonly kind: 'compare' | 'fork' | 'recall' | 'lesson' | 'cost';
  readonly request: unknown;
  readonly result: unknown;
}

export interface ExperimentRecord {
  readonly kind: ExperimentDetails['kind'] | 'figure';
  readonly title: string;
  /** One sentence that is true of the result. */
  readonly sentence: string;
  readonly provenance: Provenance | null;
  readonly model: string;
  readonly variant: string;
  readonly device: string;
  readonly request: unknown;
  /** Of a plain figure: its table. */
  readonly result: unknown;
}

/** The record as a JSON file: typed arrays become lists, byte arrays are left out; NaN and ∞ are written as words. */
export function experimentJson(record: ExperimentRecord): string {
  return JSON.stringify(
    { format: 'tidepool-experiment', version: 1, ...record },
    (_key, value: unknown) =>
      value instanceof Uint8Array
        ? `${value.length} bytes`
        : ArrayBuffer.isView(value) && !(value instanceof DataView)
          ? Array.from(value as unknown as ArrayLike<number>)
          : typeof value === 'number' && !Number.isFinite(value)
            ? String(value)
            : value,
    2,
  );
}

/** A title as a file's name: "Half-life of each head" → "half-life-of-each-head". */
export function fileNameOf(title: string): string {
  const name = title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return name === '' ? 'figure' : name;
}

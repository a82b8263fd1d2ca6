/**
 * What files a model has, known before anything big is fetched: made from a manifest on our own origin, from the file
 * list of a hub, or from a folder on disk. Owns no fetching.
 */

/** Where a model's files come from. */
export type ModelSource = 'site' | 'hub' | 'disk';

export interface ListedFile {
  /** Relative to the model folder, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hex; null where the source tells none (a small hub file, a file on disk). */
  readonly sha256: string | null;
  /** Lower-case hex SHA-1 of `blob <bytes>\0<content>`, which a hub tells of small files; null where not told. */
  readonly gitSha1: string | null;
}

/** The ONNX files of one variant; a model of several sessions (Qwen3.5) has several graphs. */
export interface ListedVariant {
  /** The variant's transformers.js dtype: q4, q4f16, quantized, fp16, fp32… */
  readonly dtype: string;
  /** Path of each graph by session name (`model`, or `embed_tokens` and `decoder_model_merged`). */
  readonly graphs: Readonly<Record<string, string>>;
  /** Paths of external data files, in order, by session name; empty when the weights are inside. */
  readonly externalData: Readonly<Record<string, readonly string[]>>;
}

export interface ModelListing {
  readonly source: ModelSource;
  /** `tidepool`, `onnx-community/granite-4.0-h-350m-ONNX`, or the name of the folder. */
  readonly id: string;
  /** Commit of a hub repository; null elsewhere. */
  readonly revision: string | null;
  /** Absolute address of the folder, with closing slash; `disk:<id>/` for files from disk. */
  readonly baseUrl: string;
  readonly files: readonly ListedFile[];
  readonly variants: readonly ListedVariant[];
}

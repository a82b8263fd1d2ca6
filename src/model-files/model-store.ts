/**
 * Owns which models are kept in this browser: their listings, how far their files have come, their deletion. Page and
 * engine worker share it. Owns no network (model-download.ts, fetch-file.ts).
 */
import type { ListedFile, ListedVariant, ModelListing, ModelSource } from '../core/model-listing';
import { parseManifest } from '../models/spec';
import {
  keptKeyOf,
  keptPrefixOf,
  listingOfManifest,
  LISTING,
  MANIFEST,
  pathsOfVariant,
  sourceOfPrefix,
} from './file-keys';
import { PartStore, type KeptEntry } from './part-store';
import { readListing } from './read-listing';

/** A model of which anything is kept. */
export interface KeptModel {
  /** Prefix of its addresses in the cache; tells it from all others. */
  readonly prefix: string;
  readonly source: ModelSource;
  /** `tidepool`, `onnx-community/…`: as in its listing. */
  readonly id: string;
  readonly revision: string | null;
  /** Null while too little of a model has come to know its files. */
  readonly listing: ModelListing | null;
  /** All that is kept of it. */
  readonly bytes: number;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** Variants that are here whole, by dtype. */
  readonly variants: readonly string[];
}

export interface KeptShare {
  readonly keptBytes: number;
  readonly totalBytes: number;
  readonly isWhole: boolean;
}

/** Small files that running a model needs where its listing names them. */
const SMALL_FILES: ReadonlySet<string> = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
]);
/** Small files that some models need besides; the engine asks for them only then. */
const HELPFUL_FILES: ReadonlySet<string> = new Set([
  'special_tokens_map.json',
  'chat_template.jinja',
  'chat_template.json',
  MANIFEST,
]);

/** Everything that running a variant needs, small files first. */
function filesNeeded(listing: ModelListing, variant: ListedVariant): readonly ListedFile[] {
  const paths = new Set(pathsOfVariant(variant));
  return [
    ...listing.files.filter(({ path }) => SMALL_FILES.has(path)),
    ...listing.files.filter(({ path }) => paths.has(path)),
  ];
}

/** Everything that running a variant needs or may need: what a download brings. */
export function filesForUse(listing: ModelListing, variant: ListedVariant): readonly ListedFile[] {
  return [
    ...listing.files.filter(({ path }) => HELPFUL_FILES.has(path)),
    ...filesNeeded(listing, variant),
  ];
}

/** The variant of that dtype; RangeError when the listing has none. */
export function variantOf(listing: ModelListing, dtype: string): ListedVariant {
  const variant = listing.variants.find((candidate) => candidate.dtype === dtype);
  if (variant === undefined) throw new RangeError(`${listing.id} has no variant ${dtype}`);
  return variant;
}

/** `https://site/models/x/onnx/model.onnx?sha256=…&part=2` of model `https://site/models/x/` -> `onnx/model.onnx`. */
function pathOf(prefix: string, url: string): string {
  return decodeURIComponent(url.slice(prefix.length).split('?', 1)[0] ?? '');
}

/** Prefix of an entry that an older version kept, which did not say it. */
function guessPrefix(url: string, known: readonly string[]): string {
  const own = known.find((prefix) => url.startsWith(prefix));
  if (own !== undefined) return own;
  return /^.*?\/models\/[^/]+\//.exec(url)?.[0] ?? new URL('./', url).href;
}

export class ModelStore {
  readonly parts: PartStore;

  constructor(caches: CacheStorage | undefined) {
    this.parts = new PartStore(caches);
  }

  /** All models of which anything is kept, largest first. */
  async models(): Promise<readonly KeptModel[]> {
    const entries = await this.parts.entries();
    const known = entries.flatMap(({ url }) =>
      url.endsWith(`/${MANIFEST}`) ? [url.slice(0, -MANIFEST.length)] : [],
    );
    const byPrefix = new Map<string, KeptEntry[]>();
    for (const entry of entries) {
      const prefix = entry.model ?? guessPrefix(entry.url, known);
      const list = byPrefix.get(prefix) ?? [];
      list.push(entry);
      byPrefix.set(prefix, list);
    }
    const models = await Promise.all(
      [...byPrefix].map(([prefix, list]) => this.#modelOf(prefix, list)),
    );
    return models.sort((a, b) => b.bytes - a.bytes);
  }

  async #modelOf(prefix: string, entries: readonly KeptEntry[]): Promise<KeptModel> {
    const files = new Map<string, number>();
    for (const { url, bytes } of entries) {
      const path = pathOf(prefix, url);
      files.set(path, (files.get(path) ?? 0) + bytes);
    }
    const listing = await this.listing(prefix);
    const variants: string[] = [];
    for (const variant of listing?.variants ?? []) {
      if (listing !== null && (await this.share(listing, variant.dtype)).isWhole)
        variants.push(variant.dtype);
    }
    return {
      prefix,
      source: sourceOfPrefix(prefix),
      id: listing?.id ?? prefix.split('/').at(-2) ?? prefix,
      revision: listing?.revision ?? null,
      listing,
      bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
      files: [...files].map(([path, bytes]) => ({ path, bytes })),
      variants,
    };
  }

  /** The kept listing of a model, checked; null when none is kept or it cannot be read. */
  async listing(prefix: string): Promise<ModelListing | null> {
    const isOfSite = sourceOfPrefix(prefix) === 'site';
    const text = await this.parts.text(prefix + (isOfSite ? MANIFEST : LISTING));
    if (text === null) return null;
    try {
      const json: unknown = JSON.parse(text);
      return isOfSite ? listingOfManifest(parseManifest(json), prefix) : readListing(json);
    } catch {
      return null;
    }
  }

  /** Keeps the listing of a model from a hub or a disk, so that it starts without them. Rejects without room. */
  async keepListing(listing: ModelListing): Promise<void> {
    if (listing.source === 'site') return;
    const prefix = keptPrefixOf(listing);
    await this.parts.putText(prefix + LISTING, prefix, JSON.stringify(listing));
  }

  /** Keeps the manifest of a model of our site, when all that it names and a variant needs is kept. Rejects without room. */
  async keepManifest({ baseUrl }: ModelListing, text: string): Promise<void> {
    await this.parts.putText(baseUrl + MANIFEST, baseUrl, text);
  }

  /** How much of what a variant needs is kept, going by the entries; their content is checked when it is read. */
  async share(listing: ModelListing, dtype: string): Promise<KeptShare> {
    const prefix = keptPrefixOf(listing);
    let keptBytes = 0;
    let totalBytes = 0;
    let isWhole = true;
    for (const file of filesNeeded(listing, variantOf(listing, dtype))) {
      const key = keptKeyOf(prefix, file);
      totalBytes += file.bytes;
      keptBytes += await this.parts.keptBytes(key);
      isWhole &&= await this.parts.isWhole(key);
    }
    return { keptBytes, totalBytes, isWhole };
  }

  /** Deletes all that is kept of a model, or of one variant what no other variant that is here whole needs. */
  async delete(model: string | ModelListing, dtype?: string): Promise<void> {
    const prefix = typeof model === 'string' ? model : keptPrefixOf(model);
    const listing = typeof model === 'string' ? await this.listing(model) : model;
    const kept = (await this.models()).find((candidate) => candidate.prefix === prefix);
    if (kept === undefined) return;
    const others = kept.variants.filter((variant) => variant !== dtype);
    if (dtype !== undefined && listing !== null && others.length > 0) {
      const needed = new Set(
        others.flatMap((other) =>
          filesForUse(listing, variantOf(listing, other)).map(({ path }) => path),
        ),
      );
      for (const file of filesForUse(listing, variantOf(listing, dtype))) {
        if (!needed.has(file.path)) await this.parts.drop(keptKeyOf(prefix, file));
      }
      return;
    }
    const known = (await this.models()).map((candidate) => candidate.prefix);
    for (const { url, model: own } of await this.parts.entries()) {
      if ((own ?? guessPrefix(url, known)) === prefix) await this.parts.deleteKey(url);
    }
  }

  async deleteAll(): Promise<void> {
    for (const { url } of await this.parts.entries()) await this.parts.deleteKey(url);
  }
}

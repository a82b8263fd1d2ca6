/** Owns the types of registry.json, the models that the app offers as data, and its reading. Owns no fetching. */
import registryJson from './registry.json';

export interface RegistryVariant {
  /** transformers.js' name: q4, q4f16, quantized, fp16, fp32. */
  readonly dtype: string;
  /** Of all ONNX files and their data that a text needs. */
  readonly bytes: number;
  /** True where a page gave a rounded figure; the hub tells the true one before anything is fetched. */
  readonly isRounded: boolean;
  /** Its weights lie beside the graph and stay packed on WASM; not said in the registry. */
  readonly isInParts?: boolean;
}

/** How a thought is switched: not at all, by the template, or never off. */
export interface ThinkingFact {
  readonly kind: 'never' | 'switch' | 'always';
  readonly how: string;
}

export type ModelHome =
  /** Folder relative to the app's base URL. */
  | { readonly kind: 'site'; readonly path: string }
  /** Repository of the ONNX export; null where none was found. */
  | { readonly kind: 'hub'; readonly repo: string | null };

/** One model. A fact that no public source gave is null. */
export interface RegistryEntry {
  readonly id: string;
  readonly title: string;
  readonly maker: string;
  /**
   * `larger`: comes with the site where the build has its files, and is fetched when it is wanted. `variant`: the embedded
   * one with one system of the family in it; so too.
   */
  readonly role: 'embedded' | 'larger' | 'variant' | 'test' | 'hybrid' | 'contrast';
  readonly summary: string;
  readonly home: ModelHome;
  readonly parameters: number | null;
  /** Used for one token; null where all are. */
  readonly activeParameters: number | null;
  /** True where the count is the maker's rounded one. */
  readonly isNominal: boolean;
  readonly contextTokens: number | null;
  /** Fields of config.json that tell the layers and their states; null: the files come with the app. */
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly variants: readonly RegistryVariant[];
  readonly licence: { readonly name: string; readonly url: string | null } | null;
  readonly languages: { readonly count: number; readonly names: readonly string[] | null } | null;
  readonly thinking: ThinkingFact | null;
  readonly note: string | null;
  readonly sources: readonly {
    readonly url: string;
    /** ISO date. */
    readonly checked: string;
    readonly facts: readonly string[];
  }[];
}

/** A model whose files come with the app. */
export interface EmbeddedEntry extends RegistryEntry {
  readonly home: { readonly kind: 'site'; readonly path: string };
}

// The inferred types of a JSON module are wider than these; tests/unit/models/registry.test.ts holds the file to its
// schema, which says the same.
export const REGISTRY = registryJson.models as unknown as readonly RegistryEntry[];

function isOfSite(entry: RegistryEntry): entry is EmbeddedEntry {
  return entry.home.kind === 'site';
}

/** The models whose files come from this site, where the build has them. */
export const SITE_MODELS: readonly EmbeddedEntry[] = REGISTRY.filter(isOfSite);

/** The models that come with every build, the one that starts first. */
export const EMBEDDED_MODELS: readonly EmbeddedEntry[] = SITE_MODELS.filter(
  ({ role }) => role === 'embedded' || role === 'test',
);

/** The family at toy size; listed where the build has their files. */
export const VARIANT_MODELS: readonly EmbeddedEntry[] = SITE_MODELS.filter(
  ({ role }) => role === 'variant',
);

/** The one that takes over from the embedded one where the build has it and the device bears it. */
export const LARGER_MODEL: EmbeddedEntry | null =
  SITE_MODELS.find(({ role }) => role === 'larger') ?? null;

/** Absolute address of a model folder, with its closing slash. */
export function modelUrlOf(entry: EmbeddedEntry, baseUrl: string): string {
  return new URL(entry.home.path, baseUrl).href;
}

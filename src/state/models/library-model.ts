/** Owns the one shape in which a model of any origin stands in the library, and how registry, hub and disk become it. */
import { t } from '../../core/language/translate';
import type { ModelListing } from '../../core/model-listing';
import { weightBytesOf } from '../../models/hub-listing';
import type { RegistryEntry, RegistryVariant, ThinkingFact } from '../../models/registry';
import { readStack, type Stack } from '../../models/stack';
import type { Inspection } from './hub-client';

export interface LibraryModel {
  /** Tells it from all others: id of the registry, `hub:owner/name`, `disk:name`. */
  readonly key: string;
  readonly title: string;
  /** Null where nobody is named. */
  readonly maker: string | null;
  readonly role: RegistryEntry['role'] | 'found' | 'disk';
  readonly summary: string;
  /** Repository on the hub; null where it has none. */
  readonly repo: string | null;
  readonly parameters: number | null;
  readonly activeParameters: number | null;
  readonly isNominal: boolean;
  readonly contextTokens: number | null;
  readonly stack: Stack | null;
  readonly variants: readonly RegistryVariant[];
  readonly licence: { readonly name: string; readonly url: string | null } | null;
  readonly languages: RegistryEntry['languages'];
  readonly thinking: ThinkingFact | null;
  readonly note: string | null;
  readonly sources: RegistryEntry['sources'];
  /** Its files, once they are known. */
  readonly listing: ModelListing | null;
  /** Contents by path of a model from disk. */
  readonly blobs: ReadonlyMap<string, Blob> | null;
}

/** True sizes of a listing's variants. */
export function sizesOf(listing: ModelListing): readonly RegistryVariant[] {
  const { source, variants } = listing;
  return variants.map(({ dtype, externalData }) => ({
    dtype,
    bytes: weightBytesOf(listing, dtype),
    isRounded: false,
    // The packages of this site are made so; what a hub's data files hold is not known.
    isInParts: source === 'site' && Object.values(externalData).some(({ length }) => length > 0),
  }));
}

export function modelOfEntry(entry: RegistryEntry): LibraryModel {
  const { id, config, home, ...facts } = entry;
  return {
    ...facts,
    key: id,
    repo: home.kind === 'hub' ? home.repo : null,
    stack: config === null ? null : readStack(config),
    listing: null,
    blobs: null,
  };
}

/** What looking it up on the hub adds: true files and layers; the hub's own words where the registry has none. */
export function withInspection(model: LibraryModel, found: Inspection): LibraryModel {
  const { listing, stack, licence, languages, thinking } = found;
  return {
    ...model,
    listing,
    stack,
    variants: sizesOf(listing),
    contextTokens: model.contextTokens ?? stack.contextTokens,
    licence: model.licence ?? (licence === null ? null : { name: licence, url: null }),
    languages:
      model.languages ??
      (languages.length === 0 ? null : { count: languages.length, names: languages }),
    thinking: model.thinking ?? thinking,
  };
}

const NOBODYS = {
  activeParameters: null,
  isNominal: false,
  parameters: null,
  contextTokens: null,
  stack: null,
  variants: [],
  licence: null,
  languages: null,
  thinking: null,
  note: null,
  sources: [],
  listing: null,
  blobs: null,
} as const;

/** A repository that the registry does not name. */
export function modelOfRepo(repo: string): LibraryModel {
  const [owner = '', name = ''] = repo.split('/');
  return {
    ...NOBODYS,
    key: `hub:${repo}`,
    title: name.replace(/-ONNX$/i, ''),
    maker: owner,
    role: 'found',
    summary: t(
      'Not among the models that were looked through for this app; it may or may not work.',
    ),
    repo,
  };
}

/** A folder or bundle from disk; `blobs` is null for one that was kept in an earlier visit. */
export function modelOfDisk(
  listing: ModelListing,
  blobs: ReadonlyMap<string, Blob> | null,
  stack: Stack | null,
  thinking: ThinkingFact | null,
): LibraryModel {
  return {
    ...NOBODYS,
    key: `disk:${listing.id}`,
    title: listing.id,
    maker: null,
    role: 'disk',
    summary: t('Opened from this computer.'),
    repo: null,
    contextTokens: stack?.contextTokens ?? null,
    stack,
    variants: sizesOf(listing),
    thinking,
    listing,
    blobs,
  };
}

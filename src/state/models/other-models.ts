/** Owns which models besides the one that answers are here or on a server, and how each is loaded. Loads none. */
import { placeOfServer, type ServerTarget } from '../../core/server/server-target';
import { modelUrlOf, SITE_MODELS } from '../../models/registry';
import type { LoadTarget } from '../model-status.svelte';
import { targetOf, type Servers } from '../servers.svelte';
import type { LibraryModel } from './library-model';
import type { ModelLibrary } from './model-library.svelte';

export type ModelChoice =
  | { readonly kind: 'tab'; readonly key: string; readonly title: string; readonly bytes: number }
  | {
      readonly kind: 'server';
      readonly key: string;
      readonly title: string;
      readonly place: string;
      readonly target: ServerTarget;
    };

type Library = Pick<ModelLibrary, 'models' | 'kept' | 'current' | 'find'>;

/** All of it is in this browser, or comes with the app. */
function isHere(library: Library, { key, role, blobs, listing }: LibraryModel): boolean {
  const isOfApp = role === 'embedded' || role === 'variant' || role === 'test';
  const isKept = (library.kept[key]?.length ?? 0) > 0;
  return isOfApp || blobs !== null || (isKept && listing !== null);
}

/** Models of this tab besides the one that answers. */
export function tabChoices(library: Library): readonly ModelChoice[] {
  return library.models
    .filter((model) => model.key !== library.current.key && isHere(library, model))
    .map(({ key, title, variants }) => {
      const kept = library.kept[key];
      const sizes = variants.filter(({ dtype }) => kept?.includes(dtype) ?? true);
      const bytes = Math.max(0, ...sizes.map((variant) => variant.bytes));
      return { kind: 'tab', key, title, bytes };
    });
}

/** Models of the servers that were added, besides the one that answers. */
export function serverChoices(
  library: Library,
  servers: Pick<Servers, 'connections' | 'used' | 'chosenModel'>,
): readonly ModelChoice[] {
  return servers.connections.flatMap((connection) =>
    connection.models
      .filter(
        (model) =>
          servers.used(library.current.key) !== connection || servers.chosenModel !== model,
      )
      .map((model) => ({
        kind: 'server' as const,
        key: `${connection.id} ${model}`,
        title: model.split(/[/\\]/).at(-1) ?? model,
        place: placeOfServer(connection.address),
        target: targetOf(connection, model),
      })),
  );
}

/** What is loaded for a choice; RangeError where a model of the library has gone. `baseUrl`: of the app, with closing slash. */
export function loadTargetOf(choice: ModelChoice, library: Library, baseUrl: string): LoadTarget {
  if (choice.kind === 'server') return { modelUrl: choice.key, server: choice.target };
  const entry = SITE_MODELS.find(({ id }) => id === choice.key);
  if (entry !== undefined) return { modelUrl: modelUrlOf(entry, baseUrl) };
  const model = library.find(choice.key);
  if (!model?.listing) throw new RangeError(`the model ${choice.key} is not here`);
  const [variant] = library.kept[choice.key] ?? [];
  return {
    modelUrl: model.listing.baseUrl,
    listing: model.listing,
    ...(model.blobs === null ? {} : { blobs: model.blobs }),
    ...(variant === undefined ? {} : { variant }),
  };
}

/**
 * Owns what `import … from 'tidepool.js'` gives, and where the library takes its surroundings from. Built by
 * `npm run build:lib`; nothing of the app is in it.
 */
import { EngineClient } from '../engine/engine-client';
import {
  makeLanguageModel,
  type LanguageModelFactory,
  type LibraryOptions,
} from './language-model';

/** `LanguageModel` for another model, another device or other limits. */
export function languageModel(options: LibraryOptions = {}): LanguageModelFactory {
  return makeLanguageModel(options, {
    spawn: () => new EngineClient(),
    fetch: (url) => fetch(url),
    caches: 'caches' in globalThis ? caches : undefined,
    baseUrl: document.baseURI,
    defaultModelUrl: new URL(/* @vite-ignore */ './models/tidepool/', import.meta.url).href,
  });
}

/** The model in `models/tidepool/` beside the library. */
export const LanguageModel = languageModel();

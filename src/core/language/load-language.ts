/** Owns which file has a language's words. Each is fetched when its language is chosen; English has none. */
import { recogniserOf } from './recognise';
import { LANGUAGES, type LanguageCode, type Words } from './translate';

/** Its words. Rejects where the file does not arrive. */
export async function loadLanguage(code: Exclude<LanguageCode, 'en'>): Promise<Words> {
  const { default: table } = await (code === 'de' ? import('./de.json') : import('./es.json'));
  return { page: table.page, said: recogniserOf(table.said) };
}

/** The language that a tag such as "de-AT" names; null for one that the page does not speak. */
export function languageOfTag(tag: string | null): LanguageCode | null {
  const primary = tag?.toLowerCase().split('-', 1)[0];
  return LANGUAGES.find((code) => code === primary) ?? null;
}

/** The first of the person's languages that the page speaks, else English. */
export function preferredLanguage(tags: readonly string[]): LanguageCode {
  for (const tag of tags) {
    const code = languageOfTag(tag);
    if (code !== null) return code;
  }
  return 'en';
}

/**
 * Owns the finding of what a model's makers published of it, by the name under which a server lists it: its chat template,
 * for servers that write no prompts for others, and its config. Of a model that comes with the app, or from the hub. Asks
 * for nothing else, and never rejects.
 */
import { isModelHost } from '../../models/model-hosts';
import { modelUrlOf, SITE_MODELS } from '../../models/registry';

export interface PublishedFrom {
  readonly fetch: (url: string) => Promise<Response>;
  /** Address of the app, with closing slash. */
  readonly baseUrl: string;
  readonly hub: () => string;
}

/** Where the files of `owner/name` lie, or of a folder whose last part is the name of a model that comes with the app. */
function folderOf({ baseUrl, hub }: PublishedFrom, model: string): string | null {
  const name = model.replace(/\/+$/, '').split('/').at(-1) ?? '';
  const own = SITE_MODELS.find(({ id }) => id === name.toLowerCase());
  if (own !== undefined) return modelUrlOf(own, baseUrl);
  const repo = /^[\w.-]+\/[\w.-]+$/.exec(model.replace(/@[\w.-]+$/, ''))?.[0];
  if (repo === undefined) return null;
  const folder = `${hub()}/${repo}/resolve/main/`;
  return isModelHost(folder, new URL(baseUrl).origin) ? folder : null;
}

/** The text of a published file; null where it is not to be had. */
export async function publishedFile(
  from: PublishedFrom,
  model: string,
  path: string,
): Promise<string | null> {
  const folder = folderOf(from, model);
  if (folder === null) return null;
  try {
    const response = await from.fetch(`${folder}${path}`);
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

/** The chat template, from a file of its own or from the tokenizer's config; null where there is none. */
export async function publishedTemplate(
  from: PublishedFrom,
  model: string,
): Promise<string | null> {
  const template = await publishedFile(from, model, 'chat_template.jinja');
  if (template !== null) return template;
  try {
    const text = await publishedFile(from, model, 'tokenizer_config.json');
    const config = JSON.parse(text ?? '{}') as { readonly chat_template?: unknown };
    return typeof config.chat_template === 'string' ? config.chat_template : null;
  } catch {
    return null;
  }
}

/**
 * Owns the finding of a model's published chat template, for servers that write no prompts for others: of a model that
 * comes with the app, or from the hub by its name. Asks for nothing else, and never rejects.
 */
import { isModelHost } from '../../models/model-hosts';
import { EMBEDDED_MODELS, modelUrlOf } from '../../models/registry';

export interface TemplateHost {
  readonly fetch: (url: string) => Promise<Response>;
  /** Address of the app, with closing slash. */
  readonly baseUrl: string;
  readonly hub: () => string;
}

async function textAt(host: TemplateHost, url: string): Promise<string | null> {
  try {
    const response = await host.fetch(url);
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

/** Of `owner/name`, or of a folder whose last part is the name of a model that comes with the app. */
export async function publishedTemplate(host: TemplateHost, model: string): Promise<string | null> {
  const name = model.replace(/\/+$/, '').split('/').at(-1) ?? '';
  const own = EMBEDDED_MODELS.find(({ id }) => id === name.toLowerCase());
  if (own !== undefined) return textAt(host, `${modelUrlOf(own, host.baseUrl)}chat_template.jinja`);
  const repo = /^[\w.-]+\/[\w.-]+$/.exec(model.replace(/@[\w.-]+$/, ''))?.[0];
  const files = `${host.hub()}/${repo ?? ''}/resolve/main/`;
  if (repo === undefined || !isModelHost(files, new URL(host.baseUrl).origin)) return null;
  const template = await textAt(host, `${files}chat_template.jinja`);
  if (template !== null) return template;
  try {
    const config = JSON.parse((await textAt(host, `${files}tokenizer_config.json`)) ?? '{}') as {
      readonly chat_template?: unknown;
    };
    return typeof config.chat_template === 'string' ? config.chat_template : null;
  } catch {
    return null;
  }
}

/** Owns where a model's chat template is: for the loader and for the cards alike. */

/** A template by its name, where a config lists several. */
function named(value: unknown): { readonly name?: unknown; readonly template?: unknown } {
  return typeof value === 'object' && value !== null ? value : {};
}

/**
 * The chat template of a folder; null where it has none. The file of its own wins over the one in the config, as in Hugging
 * Face transformers: newer exports write it, and leave an older one standing. Of several the default is meant.
 * @param file text of `chat_template.jinja`, null where there is no such file
 * @param config contents of `tokenizer_config.json`
 */
export function chatTemplateOf(file: string | null, config: unknown): string | null {
  if (file !== null && file.trim() !== '') return file;
  const { chat_template: own } = (config ?? {}) as { readonly chat_template?: unknown };
  if (typeof own === 'string') return own;
  if (!Array.isArray(own)) return null;
  const listed = own.map(named);
  const found = listed.find(({ name }) => name === 'default') ?? listed[0];
  return typeof found?.template === 'string' ? found.template : null;
}

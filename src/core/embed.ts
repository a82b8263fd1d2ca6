/** Owns what the address of an embedded chat asks for: `?embed=1&model=ID&limit=64&theme=dark`. Anyone may write it. */
import type { ThinkingLimit } from './budget/thinking-limit';

export interface Embed {
  /** The limit that the chat begins with; null: the usual one. */
  readonly limit: ThinkingLimit | null;
  readonly theme: 'system' | 'light' | 'dark';
  /** What of the address could not be followed, as sentences. */
  readonly problems: readonly string[];
}

const MAX_LIMIT = 1_000_000;
const THEMES = ['system', 'light', 'dark'] as const;

/** "off", "unlimited" or a whole number of tokens; undefined for anything else. */
function readLimit(text: string): ThinkingLimit | undefined {
  if (text === 'off') return 0;
  if (text === 'unlimited') return text;
  const limit = /^\d{1,7}$/.test(text) ? Number(text) : NaN;
  return limit <= MAX_LIMIT ? limit : undefined;
}

/** Null where the page is no embedded chat. `models` are the ids that `model` may name. */
export function readEmbed(query: URLSearchParams, models: readonly string[]): Embed | null {
  if (query.get('embed') !== '1') return null;
  const problems: string[] = [];
  const model = query.get('model');
  if (model !== null && !models.includes(model))
    problems.push(`This page has no model "${model.slice(0, 40)}": its own one answers.`);
  const asked = query.get('limit');
  const limit = asked === null ? null : readLimit(asked);
  if (limit === undefined)
    problems.push(
      'The address names no thinking limit that can be set: it is off, unlimited or a whole number of tokens.',
    );
  const theme = THEMES.find((one) => one === query.get('theme')) ?? 'system';
  return { limit: limit ?? null, theme, problems };
}

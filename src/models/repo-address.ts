/**
 * Owns the reading of what a person types or pastes to name a model of the hub: owner/name, or an address of its page in any of
 * the forms that the hub, its libraries and other programs write. Owns no fetching.
 */
import { EngineError } from '../core/errors';
import { shortenText } from '../core/text/letters';

/** What was named. `page` is a page of the hub that is no model. */
type NamedThing =
  | { readonly kind: 'model'; readonly repo: string }
  | { readonly kind: 'space' | 'dataset' | 'page'; readonly name: string }
  | { readonly kind: 'elsewhere'; readonly host: string }
  | { readonly kind: 'nothing' };

/** Hosts of the hub itself; hf.co leads there. */
const HUB_HOSTS: readonly string[] = ['huggingface.co', 'www.huggingface.co', 'hf.co', 'www.hf.co'];
/** Where a space runs: owner-name.hf.space. */
const SPACE_HOST = '.hf.space';

/** First parts of the hub's own addresses: nobody is called so. */
const HUB_PAGES: readonly string[] = [
  ...['blog', 'chat', 'collections', 'docs', 'enterprise', 'inference', 'join', 'learn', 'login'],
  ...['new', 'organizations', 'papers', 'posts', 'pricing', 'search', 'settings', 'tasks', 'users'],
];

const NOTHING: NamedThing = { kind: 'nothing' };

/** As the hub allows a name: letters, digits, `-`, `_`, `.`, at most 96, none of `-` and `.` at an end or twice. */
function isName(part: string): boolean {
  return /^\w(?:[\w.-]{0,94}\w)?$/.test(part) && !part.includes('..') && !part.includes('--');
}

/** Without what is copied along: commands, the name of the site, quotation marks, brackets, a full stop behind. */
function bare(text: string): string {
  return text
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .trim()
    .replace(/\s+[·|–-]\s+hugging face$/i, '')
    .replace(/^(?:git\s+clone|hf\s+download|huggingface-cli\s+download|ollama\s+run)\s+/i, '')
    .replace(/^[<("'“‘`]+/, '')
    .replace(/[>)"'”’`.,;!]+$/, '');
}

/** Host and path of an address, with or without its scheme; null host for a bare path. `known` is a host without doubt. */
function hostAndPath(
  text: string,
  known: string | null,
): { readonly host: string | null; readonly path: string } {
  const [, scheme = '', rest = ''] = /^(?:([a-z][a-z\d+.-]*):\/\/|git@)?(.*)$/is.exec(text) ?? [];
  const isGit = /^git@/i.test(text);
  if (/^(?:hf|huggingface)$/i.test(scheme)) return { host: HUB_HOSTS[0] ?? null, path: rest };
  const [first = '', ...others] = (isGit ? rest.replace(':', '/') : rest).split('/');
  const host = first.toLowerCase().replace(/^[^@]*@/, '');
  const isHost =
    scheme !== '' ||
    isGit ||
    host === known ||
    HUB_HOSTS.includes(host) ||
    host.endsWith(SPACE_HOST) ||
    // Owner/name has two parts; a name with a dot before two or more is an address.
    (/^[\w-]+(?:\.[\w-]+)+(?::\d+)?$/.test(host) && others.filter(Boolean).length >= 2);
  return isHost ? { host, path: others.join('/') } : { host: null, path: rest };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // A stray per cent sign: no name has one, so it is refused below.
  }
}

function readAddress(text: string, hub: string): NamedThing {
  const mirror = URL.canParse(hub) ? new URL(hub) : null;
  const { host, path } = hostAndPath(bare(text), mirror?.host ?? null);
  const isMirror = mirror !== null && host === mirror.host;
  if (host?.endsWith(SPACE_HOST) === true) return { kind: 'space', name: host };
  if (host !== null && !HUB_HOSTS.includes(host) && !isMirror) return { kind: 'elsewhere', host };
  const parts = decoded(path.replace(/[?#].*$/s, ''))
    .split('/')
    .filter((part) => part !== '');
  const below = isMirror ? mirror.pathname.split('/').filter(Boolean) : [];
  if (below.every((part, at) => parts[at] === part)) parts.splice(0, below.length);
  if (parts[0] === 'api') parts.shift();
  const [first = ''] = parts;
  if (first === 'spaces' || first === 'datasets') {
    const kind = first === 'spaces' ? 'space' : 'dataset';
    return { kind, name: parts.slice(1, 3).join('/') };
  }
  if (first === 'models' && parts.length > 2) parts.shift();
  const [owner = '', written = '', ...rest] = parts;
  if (HUB_PAGES.includes(owner) || owner === 'models') return { kind: 'page', name: owner };
  // Other programs put the file they want behind a colon, git its own ending.
  const name = written.replace(/[:@].*$/s, '').replace(/\.git$/, '');
  if (!isName(owner) || !isName(name)) return NOTHING;
  // Without a host, more than two parts are a path of something else, unless they go on as the hub's addresses do.
  const goesOn = /^(?:tree|blob|resolve|raw|discussions|commits?|edit|blame)$/.test(rest[0] ?? '');
  if (host === null && rest.length > 0 && !goesOn) return NOTHING;
  return { kind: 'model', repo: `${owner}/${name}` };
}

const FORM = 'It has the form owner/name, for example onnx-community/granite-4.0-h-350m-ONNX.';

/**
 * The repository, owner/name, that `text` names. `hub` is the hub or mirror in use: its addresses count like the hub's own,
 * under its path too. EngineError `model-missing`, naming what it is instead, when it is no model.
 */
export function repoOf(text: string, hub: string): string {
  const named = readAddress(text, hub);
  switch (named.kind) {
    case 'model':
      return named.repo;
    case 'space':
      throw new EngineError(
        'model-missing',
        `${shortenText(named.name, 100) || 'That'} is a space of the hub: a program that runs there, not a model.`,
        'Its page names the models that it uses; look one of those up.',
      );
    case 'dataset':
      throw new EngineError(
        'model-missing',
        `${shortenText(named.name, 100) || 'That'} is a dataset of the hub, not a model.`,
        `Look up a model. ${FORM}`,
      );
    case 'page':
      throw new EngineError(
        'model-missing',
        `“${named.name}” is a page of the hub, not a model.`,
        `Open a model’s own page and copy its address. ${FORM}`,
      );
    case 'elsewhere':
      throw new EngineError(
        'model-missing',
        `${shortenText(named.host, 100)} is not the hub that is asked (${URL.canParse(hub) ? new URL(hub).host : HUB_HOSTS[0]}).`,
        `Type the model’s name alone, or set a mirror’s address in “Hub and mirror” first. ${FORM}`,
      );
    case 'nothing':
      throw new EngineError(
        'model-missing',
        text.trim() === ''
          ? 'No model is named.'
          : `“${shortenText(text.trim(), 100)}” is no name of a model on the hub.`,
        FORM,
      );
    default: {
      const never: never = named;
      return never;
    }
  }
}

/**
 * The only door to `{@html}`: lets through the few tags that our own renderer writes and turns everything else to text.
 * It is the second wall. The first is that the renderer escapes all model text; this one holds should that ever fail.
 */

/** Text finds its own direction; code and formulas go from left to right. */
const AUTO = { dir: /^auto$/ } as const;
/** Words of ours, in any language of the page. */
const OWN_WORDS = /^[\p{L} ]{1,30}$/u;
const LTR = { dir: /^ltr$/ } as const;

/** Attribute values that our renderer writes, each matched whole. Values never hold quotes or angle brackets. */
const ATTRIBUTES: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  a: {
    href: /^(?:https?:\/\/[^\s`]+|mailto:[^\s`]*)$/,
    rel: /^noopener noreferrer nofollow$/,
    target: /^_blank$/,
  },
  ...Object.fromEntries(
    ['p', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'blockquote', 'table'].map((tag) => [tag, AUTO]),
  ),
  ol: { ...AUTO, start: /^\d{1,9}$/ },
  th: { class: /^align-(?:left|center|right)$/, scope: /^col$/ },
  td: { class: /^align-(?:left|center|right)$/ },
  code: { ...LTR, class: /^language-[a-z0-9-]{1,30}$/ },
  pre: { tabindex: /^0$/ },
  div: {
    ...LTR,
    class: /^(?:code-block|code-bar|table-scroll|maths-block)$/,
    role: /^group$/,
    tabindex: /^0$/,
    'aria-label': OWN_WORDS,
  },
  span: {
    ...LTR,
    class:
      /^(?:code-language|image-text|link-host|maths|maths-block|maths-source|task|hljs-[a-z_-]+(?: [a-z]+_){0,2})$/,
    role: /^img$/,
    'aria-label': OWN_WORDS,
  },
  button: { type: /^button$/, class: /^copy-code$/ },
};

const TAGS: ReadonlySet<string> = new Set(
  'p br hr h2 h3 h4 h5 h6 strong em del code pre blockquote ul ol li table thead tbody tr th td a div span button'.split(
    ' ',
  ),
);
const VOID_TAGS: ReadonlySet<string> = new Set(['br', 'hr']);

/** A tag as our renderer writes it: lower case, double quotes, no `<`, `>` or `"` inside a value. */
const TAG = /<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"<>]*")*)>/y;
const ATTRIBUTE = / ([a-z-]+)="([^"<>]*)"/g;

function isAllowedTag(name: string, attributes: string): boolean {
  if (!TAGS.has(name)) return false;
  const allowed = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
  const keys = new Set<string>();
  for (const [, key = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
    const pattern = allowed && Object.hasOwn(allowed, key) ? allowed[key] : undefined;
    if (!pattern?.test(value)) return false;
    keys.add(key);
  }
  // A link without `rel` and `target` would hand this page to the one it opens.
  return name !== 'a' || keys.size === 3;
}

/**
 * The same HTML with every tag, attribute or value outside the list shown as text, and all tags balanced, so that a
 * fragment can neither run anything, load anything nor close what it did not open. Linear in its input.
 */
export function sanitiseHtml(html: string): string {
  const open: string[] = [];
  let out = '';
  let from = 0;
  for (let at = html.indexOf('<'); at !== -1; at = html.indexOf('<', from)) {
    out += html.slice(from, at);
    TAG.lastIndex = at;
    const match = TAG.exec(html);
    const [whole = '', slash = '', name = '', attributes = ''] = match ?? [];
    const isClose = slash === '/';
    const isGood =
      match !== null &&
      (isClose ? attributes === '' && open.at(-1) === name : isAllowedTag(name, attributes));
    if (!isGood) {
      out += '&lt;';
      from = at + 1;
      continue;
    }
    if (isClose) open.pop();
    else if (!VOID_TAGS.has(name)) open.push(name);
    out += whole;
    from = at + whole.length;
  }
  out += html.slice(from);
  for (const name of open.reverse()) out += `</${name}>`;
  return out;
}

/** What the DOM takes from us: a `TrustedHTML` object where the browser has Trusted Types, else a string. */
export type SafeHtml = string & { readonly __safeHtml: unique symbol };

interface HtmlPolicy {
  createHTML(html: string): unknown;
}

interface PolicyFactory {
  createPolicy(name: string, rules: { createHTML(html: string): string }): HtmlPolicy;
}

/** The policy name that the Content-Security-Policy has to list, beside Svelte's own `svelte-trusted-html`. */
const TRUSTED_TYPES_POLICY = 'tidepool-markdown';

function makePolicy(): HtmlPolicy {
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  return factory === undefined
    ? { createHTML: sanitiseHtml }
    : factory.createPolicy(TRUSTED_TYPES_POLICY, { createHTML: sanitiseHtml });
}

let policy: HtmlPolicy | undefined;

/** Sanitises and stamps markup of our renderer. `{@html}` takes TrustedHTML as it is, though its type says string. */
export function trustHtml(html: string): SafeHtml {
  policy ??= makePolicy();
  return policy.createHTML(html) as SafeHtml;
}

// Reads every sentence of the page out of the source, by which the tables in src/core/language are looked up. Owns no
// translation. `node scripts/page-sentences.js` prints what a table lacks or no longer needs, as lines to fill in.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'svelte/compiler';

const ROOT = resolve(import.meta.dirname, '..');

/** @typedef {{ type: string, [field: string]: unknown }} Node */
/** @typedef {{ page: Map<string, string | null>, said: Set<string>, problems: string[] }} Sentences `page`: the key, and its form for one */

/** @param {unknown} value @returns {value is Node} */
const isNode = (value) =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

/** @param {unknown} value @param {(node: Node) => void} visit */
function walk(value, visit) {
  if (Array.isArray(value)) for (const one of value) walk(one, visit);
  else if (isNode(value)) {
    visit(value);
    for (const field of Object.values(value))
      if (typeof field === 'object' && field !== null) walk(field, visit);
  } else if (typeof value === 'object' && value !== null && 'nodes' in value)
    walk(value.nodes, visit);
}

/** @param {unknown} node @returns {string | null} */
const textOf = (node) =>
  isNode(node) && node.type === 'Literal' && typeof node['value'] === 'string'
    ? node['value']
    : null;

/** @param {unknown} node @returns {string} */
const nameOf = (node) => (isNode(node) && node.type === 'Identifier' ? String(node['name']) : '');

/**
 * The sentences that an expression may be, with numbered blanks; what is not written here is looked up in the file's
 * constants or left out.
 * @param {unknown} node @param {Map<string, unknown>} constants @returns {string[]}
 */
function saidBy(node, constants) {
  if (!isNode(node)) return [];
  const text = textOf(node);
  if (text !== null) return [text];
  if (node.type === 'TemplateLiteral') {
    const quasis = /** @type {{ value: { cooked: string } }[]} */ (node['quasis']);
    return [quasis.map(({ value }, at) => (at === 0 ? '' : `{${at}}`) + value.cooked).join('')];
  }
  if (node.type === 'ConditionalExpression')
    return [...saidBy(node['consequent'], constants), ...saidBy(node['alternate'], constants)];
  if (node.type === 'BinaryExpression' && node['operator'] === '+') {
    const [left, right] = [saidBy(node['left'], constants), saidBy(node['right'], constants)];
    return left.length === 1 && right.length === 1 ? [`${left[0]}${right[0]}`] : [];
  }
  const constant = constants.get(nameOf(node));
  return constant === undefined ? [] : saidBy(constant, new Map());
}

/** @param {string} path relative to the repository @param {string} source @param {Sentences} found */
function readSource(path, source, found) {
  const isSvelte = path.endsWith('.svelte');
  const ast = parse(isSvelte ? source : `<script lang="ts">${source}</script>`, { modern: true });
  /** @type {Map<string, unknown>} */
  const constants = new Map();
  walk([ast.module, ast.instance], (node) => {
    if (node.type === 'VariableDeclarator') constants.set(nameOf(node['id']), node['init']);
  });
  walk([ast.module, ast.instance, ast.fragment], (node) => {
    const callee = nameOf(node['callee']);
    const given = /** @type {unknown[]} */ (node['arguments'] ?? []);
    if (
      path.startsWith('src/') &&
      node.type === 'CallExpression' &&
      (callee === 't' || callee === 'plural')
    ) {
      const texts = given.slice(callee === 't' ? 0 : 1, callee === 't' ? 1 : 3).map(textOf);
      const key = texts.at(-1) ?? null;
      if (key === null || texts.includes(null))
        found.problems.push(`${path}: ${callee}(…) is given a sentence that is not written there`);
      else found.page.set(key, callee === 't' ? (found.page.get(key) ?? null) : (texts[0] ?? null));
    }
    // What a file of the site holds stands in a blank of an error (src/models/site-file.ts).
    const told =
      node.type === 'NewExpression' && callee === 'EngineError'
        ? given.slice(1, 3)
        : node.type === 'CallExpression' && callee === 'siteFile'
          ? given.slice(1, 2)
          : [];
    for (const one of told)
      for (const sentence of saidBy(one, constants))
        if (/\p{L}{2,}/u.test(sentence.replace(/\{\d+\}/g, ''))) found.said.add(sentence);
  });
}

/** Files of the app, tests and fakes apart. @returns {string[]} */
function sourcePaths() {
  return ['src', 'workers'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:svelte|ts)$/.test(entry.name))
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(ROOT.length + 1)
          .replaceAll('\\', '/'),
      )
      .filter((path) => !/\.d\.ts$|\/fake-|\/core\/language\//.test(path)),
  );
}

/** Everything that is said on the page, or to it. @returns {Sentences} */
export function readSentences() {
  /** @type {Sentences} */
  const found = { page: new Map(), said: new Set(), problems: [] };
  for (const path of sourcePaths().sort())
    readSource(path, readFileSync(join(ROOT, path), 'utf8'), found);
  // Data whose sentences are shown: the library's cards, the starters' labels.
  /** @type {{ models: { summary: string, note: string | null }[] }} */
  const registry = JSON.parse(readFileSync(join(ROOT, 'src/models/registry.json'), 'utf8'));
  for (const { summary, note } of registry.models)
    for (const sentence of [summary, note]) if (sentence !== null) found.said.add(sentence);
  const starters = readFileSync(join(ROOT, 'src/ui/chat/starters/starters.json'), 'utf8');
  for (const [, label = ''] of starters.matchAll(/"label": "([^"]+)"/g)) found.said.add(label);
  return found;
}

/** All source in one text, in which the fixed parts of a sentence can be looked for. @returns {string} */
export function readAllSource() {
  return sourcePaths()
    .concat('src/models/registry.json', 'src/ui/chat/starters/starters.json')
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join('\n');
}

/** What the tables lack, and what they no longer need, for those who fill it in. */
function printWork() {
  const { page, said } = readSentences();
  for (const code of ['de', 'es']) {
    /** @type {{ page: Record<string, unknown>, said: Record<string, unknown> }} */
    const table = JSON.parse(readFileSync(join(ROOT, `src/core/language/${code}.json`), 'utf8'));
    console.log(`src/core/language/${code}.json`);
    for (const [key, one] of page)
      if (table.page[key] === undefined)
        console.log(
          `  add to page: ${JSON.stringify(key)}: ${JSON.stringify(one === null ? '' : { one: '', other: '' })},`,
        );
    for (const key of said)
      if (table.said[key] === undefined) console.log(`  add to said: ${JSON.stringify(key)}: "",`);
    for (const key of Object.keys(table.page))
      if (!page.has(key)) console.log(`  take out of page: ${JSON.stringify(key)}`);
  }
}

if (process.argv[1] === import.meta.filename) printWork();

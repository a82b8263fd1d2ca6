/** Owns the readable report, EVAL.md, made of the same numbers as eval.json. */
import type { Table, Tables } from '../../src/core/evaluation/budget-curve';
import {
  CHAT_PLACES,
  type ChatPlace,
  type InChatResult,
  type InChatShares,
} from '../../src/core/evaluation/in-chat';
import type { Problem } from '../../src/core/evaluation/problem';
import type { EvalReport } from './eval-json';
import type { AskedTurn } from './in-chat';
import type { PlayedChat } from './sample-chats';

/** Families that need their steps written down: arithmetic and several hops. */
const STEP_FAMILIES: readonly string[] = [
  'addition',
  'subtraction',
  'multiplication',
  'word_problems',
  'state',
  'relations',
  'logic',
];

export interface WrongAnswer {
  readonly problem: Problem;
  readonly answer: string;
}

/** A problem asked in a chat: how it went, and what was said in the chat of two questions. */
export interface ComparedChat extends InChatResult {
  readonly turns: readonly AskedTurn[];
}

export interface ReportParts {
  readonly report: EvalReport;
  readonly wrong: readonly WrongAnswer[];
  readonly inChat: readonly ComparedChat[];
  readonly chats: readonly PlayedChat[];
  /** Perplexity by variant, fp32 among them, as packaging measured it. */
  readonly packaged: Readonly<Record<string, number>>;
  /** Remarks such as a variant that could not be loaded. */
  readonly notes: readonly string[];
  /** Wall and processor time of the whole run. */
  readonly seconds: number;
  readonly cpuSeconds: number;
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(1)} %`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join(
    '\n',
  );
}

function shareTable(name: string, tables: Tables, budgets: readonly string[]): string {
  return table(
    [name, ...budgets],
    Object.entries(tables).map(([key, shares]) => [
      key,
      ...budgets.map((budget) => percent(shares[budget])),
    ]),
  );
}

/** Mean over the families that need steps. */
function stepShare(families: Tables, budget: string): number | undefined {
  const shares = STEP_FAMILIES.flatMap((family) => families[family]?.[budget] ?? []);
  return shares.length === 0 ? undefined : shares.reduce((a, b) => a + b, 0) / shares.length;
}

/** Whether no entry is below the one before, and the last is above the first. */
function isRising(values: readonly number[]): boolean {
  const rises = values.every((value, i) => i === 0 || value >= (values[i - 1] ?? 0));
  return rises && (values.at(-1) ?? 0) > (values[0] ?? 0);
}

function verdict(isMet: boolean | null): string {
  return isMet === null ? 'not measured' : isMet ? 'met' : 'not met';
}

function targets(
  { overall, families, wellFormed }: EvalReport,
  budgets: readonly string[],
): string {
  const top = overall['unlimited'];
  const lowest = Object.entries(families)
    .flatMap(([name, shares]) =>
      shares['unlimited'] === undefined ? [] : [{ name, share: shares['unlimited'] }],
    )
    .sort((a, b) => a.share - b.share)[0];
  const without = stepShare(families, '0');
  const withAll = stepShare(families, 'unlimited');
  const gap = without === undefined || withAll === undefined ? undefined : withAll - without;
  const curve = budgets.flatMap((budget) => overall[budget] ?? []);
  const formed = budgets.flatMap((budget) => wellFormed[budget] ?? []);
  const leastFormed = Math.min(...formed);
  return table(
    ['Target', 'Measured', ''],
    [
      [
        '90 % over all families, unlimited',
        percent(top),
        verdict(top === undefined ? null : top >= 0.9),
      ],
      [
        'never under 75 % in one family, unlimited',
        lowest === undefined ? '–' : `${percent(lowest.share)} (${lowest.name})`,
        verdict(lowest === undefined ? null : lowest.share >= 0.75),
      ],
      [
        'limit 0 at least 35 points lower on arithmetic and multi-step families',
        gap === undefined ? '–' : `${(gap * 100).toFixed(1)} points`,
        verdict(gap === undefined ? null : gap >= 0.35),
      ],
      [
        'rising with every step of the limit',
        curve.map((share) => (share * 100).toFixed(1)).join(' → '),
        verdict(isRising(curve)),
      ],
      [
        'well-formed at every limit: 99 %',
        `${percent(leastFormed)} at the lowest`,
        verdict(leastFormed >= 0.99),
      ],
    ],
  );
}

/** How much higher a perplexity is than that of the full floats, which may not be at hand. */
function againstFloat(value: number, float: number | undefined): string {
  if (float === undefined) return '–';
  const change = 100 * (value / float - 1);
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(2)} %`;
}

/** A table of variants; the column of changes only where there is an fp32 to compare with. */
function perplexityTable(values: Readonly<Record<string, number>>): string {
  const float = values['fp32'];
  return table(
    ['Variant', 'Perplexity', ...(float === undefined ? [] : ['Against fp32'])],
    Object.entries(values).map(([variant, value]) => [
      variant,
      value.toFixed(4),
      ...(float === undefined ? [] : [againstFloat(value, float)]),
    ]),
  );
}

function quote(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
}

function chatText({ title, limit, tools, users, replies }: PlayedChat, index: number): string {
  const lines = [
    `### ${index + 1}. ${title}`,
    '',
    `Limit ${limit}${tools.length > 0 ? `, tools: ${tools.join(', ')}` : ''}.`,
  ];
  users.forEach((user, i) => {
    const reply = replies[i];
    lines.push('', `**You:** ${user}`);
    if (reply === undefined) return;
    if (reply.thought.trim() !== '')
      lines.push('', `*Thought, ${reply.thoughtTokens} tokens:*`, '', quote(reply.thought));
    const finish = reply.finish === 'end' ? '' : ` *(${reply.finish})*`;
    lines.push('', '**Tidepool:**', '', `${quote(reply.answer) || '> '}${finish}`);
  });
  return lines.join('\n');
}

const PLACE_NAMES: Readonly<Record<ChatPlace, string>> = {
  alone: 'Alone',
  second: 'Second question',
  fourth: 'Fourth question',
};

/** Chats that the report shows: problems that were right alone and wrong as the second question. */
const SHOWN_CHATS = 3;

/** The same problems asked alone and later in a chat. */
function inChatSections(shares: InChatShares, chats: readonly ComparedChat[]): string[] {
  const places = (cell: (place: ChatPlace) => string): string[] => CHAT_PLACES.map(cell);
  const lost = chats
    .filter(({ outcomes }) => outcomes.alone.isCorrect && !outcomes.second.isCorrect)
    .slice(0, SHOWN_CHATS);
  return [
    '## Later in a chat',
    `${shares.problems} of the problems, up to ten of each family, asked again as the second and as the fourth question of a chat.
Before them stand other problems, each of another family, with the model's own answers to them, rendered as the app
renders a chat. Thinking is unlimited, with the same room in the context; "alone" is the answer to the same problem above.`,
    table(
      ['', ...places((place) => PLACE_NAMES[place])],
      [
        ['Accuracy', ...places((place) => percent(shares[place]))],
        [
          '95 % interval',
          ...places((place) =>
            shares.interval[place].map((share) => (share * 100).toFixed(1)).join('–'),
          ),
        ],
        ['Well-formed', ...places((place) => percent(shares.wellFormed[place]))],
        [
          `Right of the ${shares.kept.alone} solved alone`,
          ...places((place) => String(shares.kept[place])),
        ],
      ],
    ),
    table(
      ['Family', ...places((place) => PLACE_NAMES[place])],
      Object.entries(shares.families).map(([family, share]) => [
        family,
        ...places((place) => percent(share[place])),
      ]),
    ),
    ...(lost.length === 0 ? [] : ['Right alone, wrong as the second question:']),
    ...lost.map(({ turns }) => turns.map(turnText).join('\n\n')),
  ];
}

function turnText({ question, answer }: AskedTurn): string {
  return `**You:** ${question.replaceAll('\n', ' ')}\n\n${quote(answer) || '> '}`;
}

function numbers(table: Table, budgets: readonly string[]): string[] {
  return budgets.map((budget) => table[budget]?.toFixed(1) ?? '–');
}

/** The report as Markdown. `budgets` in the order of its columns. */
export function evalMarkdown(parts: ReportParts, budgets: readonly string[]): string {
  const { report, wrong, inChat, chats, packaged, notes, seconds, cpuSeconds } = parts;
  const { model, interval } = report;
  const megabytes = (model.bytes / 1e6).toFixed(1);
  const sections = [
    `# Evaluation of ${model.name}`,
    `Written by \`${report.command}\` at commit \`${report.commit}\`: ${report.n} held-out problems, greedy decoding by the
app's own loop, template and thinking limit, in Node on one thread of WebAssembly. The model is \`${model.file}\`,
${(model.parameters / 1e6).toFixed(2)} M parameters, ${megabytes} MB, SHA-256 \`${model.sha256.slice(0, 12)}…\`. The run took
${(seconds / 60).toFixed(1)} minutes, ${(cpuSeconds / 60).toFixed(1)} of them computing. "Unlimited" is held to a context of
${report.contextTokens} tokens.`,
    ...notes.map((note) => `Note: ${note}`),
    '## Accuracy by thinking limit',
    table(
      ['', ...budgets],
      [
        ['Accuracy', ...budgets.map((budget) => percent(report.overall[budget]))],
        [
          '95 % interval',
          ...budgets.map(
            (budget) => interval[budget]?.map((share) => (share * 100).toFixed(1)).join('–') ?? '–',
          ),
        ],
        ['Well-formed', ...budgets.map((budget) => percent(report.wellFormed[budget]))],
        ['Thought tokens', ...numbers(report.thoughtTokens, budgets)],
        ['All sampled tokens', ...numbers(report.tokens, budgets)],
      ],
    ),
    "A limit may be passed by up to 16 tokens or 10 % to reach the end of a sentence. Well-formed: each thought closed once, an\nanswer that says something, no tag in it, ended by the model within the answer's limit.",
    '## Targets',
    targets(report, budgets),
    '## By family',
    shareTable('Family', report.families, budgets),
    '## By difficulty',
    shareTable('Difficulty', report.byDifficulty, budgets),
    '## By phrasing',
    '"test" are ways to ask that training never saw.',
    shareTable('Phrasing', report.byPhrasing, budgets),
    ...(report.inChat === undefined ? [] : inChatSections(report.inChat, inChat)),
    '## Perplexity',
    `On ${report.perplexityTokens} tokens of held-out generated text: stories, chat and tasks of the test side.`,
    perplexityTable(report.perplexity),
    ...(packaged['fp32'] === undefined
      ? []
      : [
          'Measured by packaging against the float32 graph, on the replies alone of other held-out text; above +1 % for 8 bits\nor +3 % for 4 bits it refuses to package:',
          perplexityTable(packaged),
        ]),
    table(
      [`Source (${model.variant})`, 'Perplexity'],
      Object.entries(report.perplexityBySource).map(([source, value]) => [
        source,
        value.toFixed(3),
      ]),
    ),
  ];
  if (wrong.length > 0) {
    sections.push(
      '## What it gets wrong',
      'One wrong answer a family at the largest limit.',
      ...wrong.map(
        ({ problem, answer }) =>
          `**${problem.family}**, difficulty ${problem.difficulty}: ${problem.question.replaceAll('\n', ' ')}\n\n${quote(answer) || '> '}\n\nRight is: ${problem.gold}`,
      ),
    );
  }
  if (chats.length > 0) sections.push('## Sample chats', ...chats.map(chatText));
  return `${sections.join('\n\n')}\n`;
}

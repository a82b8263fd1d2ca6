/** Owns the words of the command line. */
import type { ThinkingLimit } from '../../src/core/budget/thinking-limit';

export interface EvalOptions {
  /** Folder of the model, as given. */
  readonly model: string;
  readonly budgets: readonly ThinkingLimit[];
  /** Null: all. */
  readonly families: readonly string[] | null;
  /** Problems a family; Infinity: all. */
  readonly limit: number;
  /** Folder for eval.json and EVAL.md; null: where they are shipped, or a scratch folder for a part. */
  readonly out: string | null;
  /** Forgets what an interrupted run has already done. */
  readonly isFresh: boolean;
  readonly hasPerplexity: boolean;
  readonly hasChats: boolean;
  /** Asks problems again later in a chat; only where the limits hold "unlimited". */
  readonly hasInChat: boolean;
}

export const DEFAULT_BUDGETS: readonly ThinkingLimit[] = [0, 16, 32, 64, 128, 256, 'unlimited'];
const DEFAULT_MODEL = 'public/models/tidepool';

export const HELP = `Evaluates a shipped model on the held-out problems, in Node on one thread of WASM, greedily.

  npm run eval [-- OPTIONS]

  --model FOLDER     default ${DEFAULT_MODEL}
  --budgets A,B,...  thinking limits, default ${DEFAULT_BUDGETS.join(',')}
  --families A,B     default all
  --limit N          problems a family, default all
  --out FOLDER       for eval.json and EVAL.md; default: the model's folder and model/EVAL.md,
                     for a part of the evaluation test-results/eval
  --fresh            begins anew; without it an interrupted run goes on where it was
  --no-perplexity, --no-chats, --no-in-chat
                     the last: no problems asked again as the second and fourth question of a chat,
                     which is done at most for 10 a family and only with the limit "unlimited"

Ctrl+C prints what there is so far; files are replaced only by a run that came to its end.`;

const FLAGS = ['--help', '-h', '--fresh', '--no-perplexity', '--no-chats', '--no-in-chat'];

function parseBudget(word: string): ThinkingLimit {
  if (word === 'unlimited') return word;
  const limit = Number(word);
  if (!/^\d+$/.test(word)) {
    throw new RangeError(`--budgets: "${word}" is not a whole number or "unlimited"`);
  }
  return limit;
}

function order(limit: ThinkingLimit): number {
  return limit === 'unlimited' ? Infinity : limit;
}

/** Reads the words after `npm run eval --`; null when help is asked; RangeError on what can't be read. */
export function parseOptions(words: readonly string[]): EvalOptions | null {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  const queue = words.flatMap((word) =>
    /^--[a-z]+=/.test(word) ? word.split(/=(.*)/s, 2) : [word],
  );
  for (let i = 0; i < queue.length; i += 1) {
    const word = queue[i] ?? '';
    if (FLAGS.includes(word)) flags.add(word);
    else if (['--model', '--budgets', '--families', '--limit', '--out'].includes(word)) {
      i += 1;
      const value = queue[i];
      if (value === undefined || value === '')
        throw new RangeError(`${word} needs a value; see --help`);
      values.set(word, value);
    } else throw new RangeError(`unknown option "${word}"; see --help`);
  }
  if (flags.has('--help') || flags.has('-h')) return null;
  const limit = values.get('--limit');
  if (limit !== undefined && !/^[1-9]\d*$/.test(limit)) {
    throw new RangeError(`--limit: "${limit}" is not a whole number from 1 on`);
  }
  const budgets = values.get('--budgets')?.split(',').map(parseBudget) ?? DEFAULT_BUDGETS;
  return {
    model: values.get('--model') ?? DEFAULT_MODEL,
    budgets: [...new Set(budgets)].sort((a, b) => order(a) - order(b)),
    families: values.get('--families')?.split(',') ?? null,
    limit: limit === undefined ? Infinity : Number(limit),
    out: values.get('--out') ?? null,
    isFresh: flags.has('--fresh'),
    hasPerplexity: !flags.has('--no-perplexity'),
    hasChats: !flags.has('--no-chats'),
    hasInChat: !flags.has('--no-in-chat') && budgets.includes('unlimited'),
  };
}

/** True when every problem is run at every usual limit: only then the shipped files are replaced. */
export function isWhole(options: EvalOptions): boolean {
  return (
    options.limit === Infinity &&
    options.families === null &&
    options.hasPerplexity &&
    options.hasChats &&
    options.hasInChat &&
    DEFAULT_BUDGETS.every((budget) => options.budgets.includes(budget))
  );
}

/** Owns the words of the judge's command line. */
import type { ThinkingLimit } from '../../src/core/budget/thinking-limit';

/** How the answer is had: `free`, as ProfBench does, or held to one of the two words. */
export const READINGS = ['free', 'forced'] as const;
export type Reading = (typeof READINGS)[number];

export interface JudgeOptions {
  readonly model: string;
  readonly tasks: string;
  readonly thinking: ThinkingLimit;
  /** Write the model's replies to the tasks here, and judge nothing; null: judge. */
  readonly replies: string | null;
  /** Record the figure of this reading in public/models/posttraining.json; null: only print. */
  readonly record: Reading | null;
  /** All figures as JSON; null: only printed. */
  readonly out: string | null;
}

const DEFAULTS = { model: 'public/models/tidepool', tasks: 'public/judge/tasks.jsonl' };

export const HELP = `Measures a shipped model as a judge of labelled replies, beside judges that always say the same.

  npm run judge [-- OPTIONS]

  --model FOLDER     default ${DEFAULTS.model}
  --tasks FILE       default ${DEFAULTS.tasks}
  --thinking N       the judge's thinking limit in tokens, or "unlimited"; default 0
  --record READING   writes the figure into public/models/posttraining.json: free or forced
  --out FILE         writes all figures as JSON
  --replies FILE     writes the model's own replies to the tasks instead, as JSON lines

Each criterion of each reply is asked once, greedily, in ProfBench's prompt, and read in two ways: free (what the model
writes; neither yes nor no counts as no) and forced (tokens that are neither can't be drawn).`;

function readLimit(word: string): ThinkingLimit {
  if (word === 'unlimited') return word;
  if (!/^\d+$/.test(word))
    throw new RangeError(`--thinking: "${word}" is not a whole number or "unlimited"`);
  return Number(word);
}

/** Null when help is asked; RangeError on what can't be read. */
export function parseJudgeOptions(words: readonly string[]): JudgeOptions | null {
  if (words.includes('--help')) return null;
  const values = new Map<string, string>();
  for (let at = 0; at < words.length; at += 2) {
    const [name = '', value] = words.slice(at, at + 2);
    if (!['--model', '--tasks', '--thinking', '--record', '--out', '--replies'].includes(name))
      throw new RangeError(`unknown option "${name}"; see --help`);
    if (value === undefined) throw new RangeError(`${name} needs a value; see --help`);
    values.set(name, value);
  }
  const recordWord = values.get('--record');
  const record = READINGS.find((reading) => reading === recordWord) ?? null;
  if (recordWord !== undefined && record === null)
    throw new RangeError(`--record: "${recordWord}" is not ${READINGS.join(' or ')}`);
  return {
    model: values.get('--model') ?? DEFAULTS.model,
    tasks: values.get('--tasks') ?? DEFAULTS.tasks,
    thinking: readLimit(values.get('--thinking') ?? '0'),
    replies: values.get('--replies') ?? null,
    record,
    out: values.get('--out') ?? null,
  };
}

/** Owns the benchmark's command line. */
import { parseArgs } from 'node:util';

export const BENCH_MODELS = ['tidepool', 'lagoon', 'base'] as const;
export type BenchModelName = (typeof BENCH_MODELS)[number];

function isBenchModel(name: string): name is BenchModelName {
  return (BENCH_MODELS as readonly string[]).includes(name);
}

export interface Options {
  readonly model: BenchModelName;
  readonly rounds: number;
  /** A few minutes less: fewer rounds and lengths, no loads, no app page; writes to `.cache/bench/` only. */
  readonly isQuick: boolean;
  /** Rounds that would begin later are left out, and the results say so. */
  readonly minutes: number;
  readonly out: string;
  /** Names of contenders to leave out. */
  readonly without: readonly string[];
}

export const HELP = `npm run bench -- [options]
  --quick            3 rounds, short contexts, decode and prefill only; result in .cache/bench/quick.json
  --rounds N         rounds, each with every contender in turn (default 7, quick 3)
  --model NAME       tidepool (shipped, default), lagoon (shipped; wllama runs SmolLM2-135M, which it is made from) or
                     base (24 M parameters, random weights, made by the recipe)
  --without A,B      leave out contenders: transformers, transformers-q4, wllama-q8_0, wllama-q4_0, wllama-q4_1,
                     smollm2-q8, smollm2-q4
  --minutes N        about how long it may take (default 8); what no longer fits is left out and named
  --out FILE         default tests/bench/results.json
PYTHON names the interpreter that makes GGUF files and the base model (packages: gguf, onnx, numpy; base and lagoon: torch too).`;

/** Options of an argument list, or null where help was asked for. Error for what it does not know. */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      model: { type: 'string', default: 'tidepool' },
      without: { type: 'string', default: '' },
      minutes: { type: 'string', default: '8' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const rounds = Number(values.rounds ?? (values.quick ? '3' : '7'));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds ?? ''} is not a whole number of 1 or more`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes} is not a number above 0`);
  const { model } = values;
  if (!isBenchModel(model))
    throw new Error(`--model ${model}: there are ${BENCH_MODELS.join(', ')}`);
  return {
    model,
    rounds,
    isQuick: values.quick,
    minutes,
    out: values.out ?? (values.quick ? '.cache/bench/quick.json' : 'tests/bench/results.json'),
    without: values.without.split(',').filter((name) => name !== ''),
  };
}

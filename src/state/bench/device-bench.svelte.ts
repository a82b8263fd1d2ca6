/** Owns a measurement of this device: our engine and stock transformers.js in turns, its progress, stop and result. */
import { t } from '../../core/language/translate';
import type { Contender, ContenderRun } from '../../core/bench/contender';
import { Prompts } from '../../core/bench/prompts';
import { spreadOf, type Spread } from '../../core/bench/spread';
import { TidepoolContender } from '../../engine/bench/tidepool-contender';
import { TransformersContender } from '../../engine/bench/transformers-contender';
import type { Engine } from '../../engine/engine';
import { measurementJson } from './measurement-json';

export type BenchPhase = 'idle' | 'running' | 'done' | 'stopped' | 'failed';

/** A figure that is measured; rates want to be high, times low. */
export interface FigureKind {
  readonly key: 'load' | 'first128' | 'first1024' | 'prefill512' | 'decode128' | 'decode1024';
  readonly label: string;
  readonly unit: 'ms' | 'tokens/s';
}

export const FIGURES: readonly FigureKind[] = [
  {
    key: 'decode128',
    get label() {
      return t('Writing, 128 tokens behind it');
    },
    unit: 'tokens/s',
  },
  {
    key: 'decode1024',
    get label() {
      return t('Writing, 1024 tokens behind it');
    },
    unit: 'tokens/s',
  },
  {
    key: 'prefill512',
    get label() {
      return t('Reading 512 tokens');
    },
    unit: 'tokens/s',
  },
  {
    key: 'first128',
    get label() {
      return t('First token after 128');
    },
    unit: 'ms',
  },
  {
    key: 'first1024',
    get label() {
      return t('First token after 1024');
    },
    unit: 'ms',
  },
  {
    key: 'load',
    get label() {
      return t('Loading');
    },
    unit: 'ms',
  },
];

export interface MeasuredContender {
  readonly name: 'tidepool' | 'transformers';
  readonly title: string;
  readonly values: Readonly<Partial<Record<FigureKind['key'], readonly number[]>>>;
}

const PLANS = [
  { context: 128, newTokens: 48, decode: 'decode128', first: 'first128' },
  { context: 512, newTokens: 2, decode: null, first: null },
  { context: 1024, newTokens: 32, decode: 'decode1024', first: 'first1024' },
] as const;

export interface DeviceBenchOptions {
  /** Folder that holds the model's folder, with its closing slash. */
  readonly modelsUrl: string;
  readonly modelName: string;
  readonly createEngine: () => Engine;
}

class Stopped extends Error {}

/** Spread of a contender's figure, or null when there is none yet. */
export function figureOf(
  contender: MeasuredContender,
  key: FigureKind['key'],
): (Spread & { readonly count: number }) | null {
  const values = contender.values[key] ?? [];
  return values.length === 0 ? null : { ...spreadOf(values), count: values.length };
}

export class DeviceBench {
  phase = $state<BenchPhase>('idle');
  /** What is being done, or what went wrong. */
  note = $state('');
  doneRuns = $state(0);
  totalRuns = $state(0);
  contenders = $state.raw<readonly MeasuredContender[]>([]);
  /** Runs in which both said the same, and those in which they did not. */
  equalRuns = $state(0);
  unequalRuns = $state(0);
  threads = $state(1);
  readonly #options: DeviceBenchOptions;
  #running: Contender[] = [];
  #stop: ((error: Stopped) => void) | null = null;

  constructor(options: DeviceBenchOptions) {
    this.#options = options;
  }

  /** Measures `rounds` rounds; resolves when it has ended, however. */
  async run(rounds: number): Promise<void> {
    if (this.phase === 'running') return;
    this.phase = 'running';
    this.doneRuns = 0;
    this.totalRuns = (rounds + 1) * PLANS.length * 2;
    this.equalRuns = 0;
    this.unequalRuns = 0;
    this.contenders = [];
    const stopped = new Promise<never>((_, reject) => {
      this.#stop = reject;
    });
    try {
      await Promise.race([this.#measure(rounds), stopped]);
      this.phase = 'done';
      this.note = '';
    } catch (error) {
      this.phase = error instanceof Stopped ? 'stopped' : 'failed';
      this.note =
        error instanceof Stopped ? '' : error instanceof Error ? error.message : String(error);
    } finally {
      this.#stop = null;
      const running = this.#running;
      this.#running = [];
      for (const contender of running) await contender.dispose();
    }
  }

  stop(): void {
    this.#stop?.(new Stopped());
  }

  /** The measurement as plain data, with what it was measured on. */
  asJson(): object {
    return measurementJson({
      device: `WASM, ${this.threads} thread${this.threads === 1 ? '' : 's'}`,
      model: this.#options.modelName,
      file: 'onnx/model_quantized.onnx',
      transformersJs: '4.3.2',
      phase: this.phase,
      equalRuns: this.equalRuns,
      unequalRuns: this.unequalRuns,
      contenders: this.contenders,
    });
  }

  async #measure(rounds: number): Promise<void> {
    const { modelsUrl, modelName, createEngine } = this.#options;
    const modelUrl = `${modelsUrl}${modelName}/`;
    this.note = t('Loading Tidepool’s engine…');
    const ours = new TidepoolContender({ createEngine, modelUrl, device: 'wasm' });
    this.#running.push(ours);
    const loaded = await ours.load();
    this.threads = loaded.threads;
    this.#add('tidepool', 'load', loaded.loadMs);
    this.note = t('Loading transformers.js…');
    const stock = new TransformersContender({
      baseUrl: modelsUrl,
      name: modelName,
      dtype: 'q8',
      threads: loaded.threads,
      build: 'plain',
      file: loaded.file,
      fileBytes: loaded.fileBytes,
    });
    this.#running.push(stock);
    this.#add('transformers', 'load', (await stock.load()).loadMs);
    const prompts = new Prompts({
      encode: (text) => stock.api.encode(text),
      decode: (ids) => stock.api.decode(ids),
    });
    for (let round = 0; round <= rounds; round += 1) {
      this.note =
        round === 0 ? t('Warming up…') : t('Round {round} of {rounds}', { round, rounds });
      for (const plan of PLANS) {
        const prompt = await prompts.ofLength(plan.context, round);
        const request = {
          promptIds: prompt.ids,
          promptText: prompt.text,
          newTokens: plan.newTokens,
          reuse: false,
        };
        const pair: { name: MeasuredContender['name']; contender: Contender }[] = [
          { name: 'tidepool', contender: ours },
          { name: 'transformers', contender: stock },
        ];
        // The other one begins in each second round.
        if (round % 2 === 1) pair.reverse();
        const said: Partial<Record<MeasuredContender['name'], ContenderRun>> = {};
        for (const { name: who, contender } of pair) {
          const run = await contender.run(request);
          said[who] = run;
          this.doneRuns += 1;
          // The first run of a length compiles.
          if (round > 0) this.#keep(who, plan, run);
        }
        this.#compare(said.tidepool?.ids, said.transformers?.ids);
      }
    }
  }

  #keep(name: MeasuredContender['name'], plan: (typeof PLANS)[number], run: ContenderRun): void {
    if (plan.first !== null) this.#add(name, plan.first, run.firstTokenMs);
    if (plan.context === 512)
      this.#add(name, 'prefill512', (plan.context * 1000) / run.firstTokenMs);
    if (plan.decode !== null && run.decodeMs > 0)
      this.#add(name, plan.decode, ((run.tokens - 1) * 1000) / run.decodeMs);
  }

  #compare(
    ours: readonly number[] | null | undefined,
    theirs: readonly number[] | null | undefined,
  ) {
    if (ours?.length === theirs?.length && ours?.every((id, i) => id === theirs?.[i]) === true)
      this.equalRuns += 1;
    else this.unequalRuns += 1;
  }

  #add(name: MeasuredContender['name'], key: FigureKind['key'], value: number): void {
    const title = name === 'tidepool' ? 'Tidepool' : 'transformers.js 4.3.2';
    const found = this.contenders.find((contender) => contender.name === name);
    const values = { ...found?.values, [key]: [...(found?.values[key] ?? []), value] };
    this.contenders = [
      ...this.contenders.filter((contender) => contender.name !== name),
      { name, title, values },
    ].sort((a, b) => a.name.localeCompare(b.name));
  }
}

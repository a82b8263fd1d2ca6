/** Owns the benchmark's run: builds, starts the browser, lets the rounds run, writes and prints the results. */
import type { Browser } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { format } from 'prettier';
import { build } from 'vite';
import { reasonToBuild } from '../build-state.js';
import { measureApp } from './app-page';
import { launch, PeersPage } from './browser';
import { bytesPerToken, entries, QUANTIZED as OWN_FILE, type Entry } from './contenders';
import { measureLoads } from './loads';
import {
  fileBytes,
  lengthenedCopy,
  makeBase,
  makeBaseModel,
  makeGguf,
  plainCopy,
  type BenchModel,
  type GgufFiles,
} from './model-folders';
import { tablesOf } from './markdown';
import { HELP, parseOptions, type Options } from './options';
import { Prompts } from '../../src/core/bench/prompts';
import {
  contextLayersOf,
  figureOf,
  layerRatiosOf,
  pairedRatio,
  raceResultsOf,
  ratiosOf,
  rounded,
  type ContenderResult,
  type ContextLayers,
  type Figure,
} from './results';
import { Rounds, Samples, type LengthPlan } from './rounds';
import { serve } from './server.js';

const say = (line: string): void => console.log(line);

/** Area for the bandwidth of main memory: beyond every cache. */
const STREAM_BYTES = 256 * 1024 * 1024;

/** Folders of the two models that race, as the lab has them. */
const HYBRID = 'tidepool';
const TWIN = 'tidepool-twin';
const RACE_CONTEXTS = [128, 512, 2048, 4096, 8192, 16_384, 32_768];

type Race = ReturnType<typeof raceResultsOf>;

function raceRatios(race: Race | null): Race['ratios'] {
  return race === null ? {} : race.ratios;
}

function raceWithoutRatios({ rows, fasterFrom, smallerFrom }: Race): Omit<Race, 'ratios'> {
  return { rows, fasterFrom, smallerFrom };
}

function isLeftOut({ without }: Options, name: string): boolean {
  return without.some((left) => name === left || name.startsWith(`${left}-`));
}

/** Runs the benchmark; the exit code. */
export async function main(root: string, args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === null) {
    say(HELP);
    return 0;
  }
  const startedAt = performance.now();
  const cache = resolve(root, '.cache/bench');
  const dist = resolve(root, process.env['TIDEPOOL_DIST'] ?? 'dist');
  const reason = reasonToBuild(root, dist);
  if (reason !== undefined) {
    say(`building the site: ${reason}`);
    await build({ root, logLevel: 'warn' });
  }
  await build({
    configFile: resolve(root, 'tests/bench/peers/vite.config.ts'),
    build: { outDir: join(cache, 'peers') },
  });
  const models = join(cache, 'models');
  const isLagoon = options.model === 'lagoon';
  const model = isLagoon
    ? plainCopy(join(dist, 'models/lagoon'), 'lagoon', models)
    : lengthenedCopy(
        options.model === 'base' ? makeBase(root, cache) : resolve(root, 'public/models/tidepool'),
        options.model,
        models,
      );
  const wantsBase = ['wllama-q8_0', 'wllama-q4_1', 'smollm2-q8', 'smollm2-q4'].some(
    (name) => !isLeftOut(options, name),
  );
  const base = isLagoon && wantsBase ? makeBaseModel(root, models) : null;
  if (base !== null && 'missing' in base) say(`without SmolLM2: ${base.missing}`);
  const smollm2 = base === null || 'missing' in base ? null : base;
  const wantsWllama = ['wllama-q8_0', isLagoon ? 'wllama-q4_1' : 'wllama-q4_0'].some(
    (name) => !isLeftOut(options, name),
  );
  const gguf = !wantsWllama
    ? { missing: 'left out by --without' }
    : isLagoon
      ? (smollm2?.gguf ?? { missing: 'SmolLM2 is not there' })
      : makeGguf(root, model);
  if ('missing' in gguf) say(`without wllama: ${gguf.missing}`);

  const server = await serve([
    ['/peers/', join(cache, 'peers')],
    ['/bench-models/', join(cache, 'models')],
    ['/', dist],
  ]);
  const browser = await launch();
  try {
    const measured = await measure(browser, server.url, {
      dist,
      model,
      gguf,
      baseFolder: smollm2?.folder ?? null,
      options,
      startedAt,
    });
    const results = {
      command: `npm run bench${args.length === 0 ? '' : ` -- ${args.join(' ')}`}`,
      commit: commitOf(root),
      measuredOn: new Date().toISOString().slice(0, 10),
      device: {
        processor: cpus()[0]?.model.trim() ?? 'unknown',
        cores: cpus().length,
        memoryGiB: rounded(totalmem() / 2 ** 30),
        system: process.platform,
      },
      versions: versionsOf(root, browser),
      model: {
        name: model.name,
        parameters: model.parameters,
        shippedContext: model.shippedContext,
        measuredContext: model.config.max_position_embeddings,
      },
      rounds: options.rounds,
      ...('missing' in gguf ? { withoutWllama: gguf.missing } : {}),
      ...measured,
    };
    await writeResults(resolve(root, options.out), results, options);
    say(`${rounded((performance.now() - startedAt) / 1000)} s in all; wrote ${options.out}`);
    say(`\n${tablesOf(results)}`);
    for (const sentence of results.leftOut) say(`left out: ${sentence}`);
    if (results.checks.mismatches.length === 0) return 0;
    say('NOT EQUAL: our engine and transformers.js gave other greedy tokens on the same file.');
    return 1;
  } finally {
    await browser.close();
    await server.close();
  }
}

interface Setting {
  readonly dist: string;
  readonly model: BenchModel;
  readonly gguf: GgufFiles | { readonly missing: string };
  /** SmolLM2 for transformers.js, beside Lagoon. */
  readonly baseFolder: string | null;
  readonly options: Options;
  readonly startedAt: number;
}

async function measure(
  browser: Browser,
  url: string,
  { dist, model, gguf, baseFolder, options, startedAt }: Setting,
) {
  const worker = readdirSync(join(dist, 'assets')).find((name) => name.startsWith('engine.worker'));
  if (worker === undefined) throw new Error(`${dist}/assets holds no engine worker; build anew`);
  const workerUrl = `/assets/${worker}`;
  const page = await PeersPage.open(browser, url);
  const probe = await page.call('load', 'tidepool', {
    kind: 'tidepool',
    workerUrl,
    modelUrl: `/bench-models/${model.name}/`,
    device: 'wasm',
  });
  const all = entries(
    model,
    'missing' in gguf ? null : gguf,
    baseFolder,
    workerUrl,
    probe.threads,
  ).filter(({ name }) => !isLeftOut(options, name));
  const threads = new Map<string, number>([['tidepool', probe.threads]]);
  for (const { name, options: how } of all) {
    if (name === 'tidepool') continue;
    threads.set(name, (await page.call('load', name, how)).threads);
    say(`loaded ${name}`);
  }
  const cachedBytes = all[0]?.weightBytes ?? 0;
  const bandwidth = {
    /** Read again and again over an area as large as our weights, which a cache may hold. */
    overWeights: await page.call('bandwidth', cachedBytes, 400),
    fromMemory: await page.call('bandwidth', STREAM_BYTES, 800),
  };
  const encoder = all.find(({ options: how }) => how.kind === 'transformers');
  if (encoder === undefined)
    throw new Error('transformers.js makes the prompts; do not leave out both');
  const prompts = new Prompts({
    encode: (text) => page.call('encode', encoder.name, text),
    decode: (ids) => page.call('decode', encoder.name, ids),
  });
  const rounds = new Rounds(page, all, prompts, say);
  // A token of a larger model takes ten and more times as long as one of Tidepool's.
  const isLarge = options.model !== 'tidepool';
  const until = (share: number): number => startedAt + share * options.minutes * 60_000;
  const plans: LengthPlan[] = [
    ...(options.isQuick || isLarge ? [] : [{ context: 16, newTokens: 32 }]),
    { context: 128, newTokens: isLarge ? 32 : 64 },
    { context: 512, newTokens: 2 },
    { context: 1024, newTokens: options.isQuick ? 2 : isLarge ? 16 : 32 },
  ];
  await rounds.fromNothing(
    plans,
    options.rounds,
    until(options.isQuick ? Infinity : isLarge ? 0.75 : 0.5),
  );
  const prompt = await prompts.ofLength(128, 0);
  const app = new Samples();
  const layers: ContextLayers[] = [];
  let race = null as Race | null;
  if (!options.isQuick) {
    // What has been measured stays when a later part fails; the results name the part and the reason.
    const orLeaveOut = async (part: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        rounds.leftOut.push(`${part}: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
    await orLeaveOut('long contexts', () =>
      rounds.goingOn(
        options.model === 'lagoon' ? [4096] : [4096, 8192],
        options.model === 'lagoon' ? 16 : 32,
        options.rounds,
        until(options.model === 'lagoon' ? 0.8 : 0.6),
      ),
    );
    await orLeaveOut('layers', async () => {
      if (options.model === 'lagoon') throw new Error('timed for graphs of one file only');
      if (performance.now() > until(isLarge ? 0.9 : 0.7)) throw new Error('out of time');
      const answer = await page.call('layers', {
        modelUrl: `/bench-models/${model.name}/`,
        path: OWN_FILE,
        contexts: [128, 8192],
        rounds: options.rounds,
        tokens: 24,
      });
      layers.push(...answer.map(({ context, rounds: times }) => contextLayersOf(context, times)));
      say('layers: timed by ONNX Runtime’s profile');
    });
    // The base shape has no twin.
    if (!isLarge)
      await orLeaveOut('race with the all-attention twin', async () => {
        if (!existsSync(join(dist, 'models', TWIN, 'manifest.json')))
          throw new Error(`${dist}/models/${TWIN} is not there`);
        if (performance.now() > until(0.75)) throw new Error('out of time');
        const points = await page.call('race', workerUrl, {
          type: 'race',
          models: [HYBRID, TWIN].map((id) => ({ id, modelUrl: `/models/${id}/` })),
          device: probe.threads > 1 ? 'wasm-threads' : 'wasm',
          contexts: RACE_CONTEXTS,
          readUpTo: 2048,
          rounds: 3,
          steps: 5,
        });
        race = raceResultsOf(points, HYBRID, TWIN);
        say(`race: from 128 to ${RACE_CONTEXTS.at(-1) ?? 0} tokens`);
      });
    await page.close();
    const clock = { rounds: options.rounds, deadline: until(isLarge ? 1 : 0.85) };
    await orLeaveOut('loads and memory', () =>
      measureLoads(browser, url, { entries: all, prompt }, rounds.samples, clock),
    );
    for (const { name, isCounted } of all)
      if (isCounted === false)
        rounds.leftOut.push(
          `memory of ${name}: Chromium’s count of a page leaves the kernels’ memory out`,
        );
    // The app's page holds the shipped model only.
    if (!isLarge)
      await orLeaveOut('the app’s own page', async () => {
        await measureApp(browser, url, app, { rounds: options.rounds, deadline: until(1) });
      });
  }

  const contenders: Record<string, ContenderResult> = {};
  for (const entry of all) {
    contenders[entry.name] = {
      title: entry.title,
      file: entry.options.kind === 'tidepool' ? OWN_FILE : entry.options.file,
      fileBytes:
        entry.options.kind === 'tidepool' ? fileBytes(model, OWN_FILE) : entry.options.fileBytes,
      threads: threads.get(entry.name) ?? 1,
      weightBytes: entry.weightBytes,
      figures: figuresOf(entry, rounds.samples, model, bandwidth.overWeights),
    };
  }
  const { agreement } = rounds;
  return {
    bandwidthBytesPerSecond: {
      overWeights: rounded(bandwidth.overWeights),
      fromMemory: rounded(bandwidth.fromMemory),
    },
    contenders,
    ...(layers.length === 0 ? {} : { layers }),
    ...(race === null ? {} : { race: raceWithoutRatios(race) }),
    ...(app.of('app').size === 0 ? {} : { app: { figures: appFigures(app) } }),
    ratios: {
      ...ratiosOf(contenders),
      ...layerRatiosOf(layers),
      ...raceRatios(race),
      decodeWithLabOpen: pairedRatio(
        app.of('app').get('decodeLabOpen'),
        app.of('app').get('decode'),
      ),
    },
    leftOut: rounds.leftOut,
    checks: {
      greedyEqualRuns: agreement.equalRuns,
      mismatches: agreement.mismatches,
      sharedText: Object.fromEntries(
        [...agreement.sharedText].map(([name, shares]) => [
          name,
          rounded(shares.reduce((sum, share) => sum + share, 0) / shares.length),
        ]),
      ),
    },
  };
}

function appFigures(samples: Samples): Record<string, Figure> {
  return Object.fromEntries(
    [...samples.of('app')].map(([name, values]) => [name, figureOf(values.map(rounded))]),
  );
}

function figuresOf(
  entry: Entry,
  samples: Samples,
  model: BenchModel,
  bytesPerSecond: number,
): Record<string, Figure> {
  const figures: Record<string, Figure> = {};
  for (const [name, values] of samples.of(entry.name)) {
    const figure = figureOf(values.map(rounded));
    const context = /^decode(\d+)$/.exec(name)?.[1];
    figures[name] =
      context === undefined
        ? figure
        : {
            ...figure,
            ofBandwidthLimit: rounded(
              (bytesPerToken(entry, model.config, Number(context)) * figure.median) /
                bytesPerSecond,
            ),
          };
  }
  return figures;
}

function commitOf(root: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  // Results of a run before this one change nothing that is measured.
  const others = ['--', '.', ':(exclude)tests/bench/results*.json'];
  const isDirty = git('status', '--porcelain', '--untracked-files=no', ...others) !== '';
  return `${git('rev-parse', '--short', 'HEAD')}${isDirty ? ' with changes' : ''}`;
}

function versionsOf(root: string, browser: Browser): Record<string, string> {
  const version = (name: string): string =>
    (
      JSON.parse(readFileSync(resolve(root, 'node_modules', name, 'package.json'), 'utf8')) as {
        version: string;
      }
    ).version;
  return {
    chromium: browser.version(),
    node: process.version,
    onnxruntimeWeb: version('onnxruntime-web'),
    transformersJs: version('@huggingface/transformers'),
    wllama: version('@wllama/wllama'),
  };
}

/** Tidepool's results stand at the top, those of the others under their names; each run keeps the rest. */
async function writeResults(path: string, results: object, { model }: Options): Promise<void> {
  const kept = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)
    : {};
  const { base, lagoon } = kept;
  const whole =
    model === 'tidepool'
      ? { ...results, ...(base ? { base } : {}), ...(lagoon ? { lagoon } : {}) }
      : { ...kept, [model]: results };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await format(JSON.stringify(whole), { parser: 'json', printWidth: 100 }));
}

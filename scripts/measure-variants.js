/**
 * Measures what each ONNX file of a model folder costs on WebAssembly, one thread: `npm run measure -- FOLDER`. Each file
 * in a process of its own. Times are CPU time of the process, so that other programs disturb them little. Owns no page
 * and no GPU (scripts/bench does).
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-web';

const PREFILL = 512; // tokens of the measured prompt
const STEPS = 100; // decode steps whose median counts
const REPEATS = 3; // prefills whose median counts

/**
 * @typedef {{ bytes: number, loadMs: number, tokenMs: number, prefillMs: number, memoryBytes: number }} Cost
 * @typedef {Record<string, ort.Tensor>} Feeds
 */

/** @param {readonly number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/**
 * CPU milliseconds of an action, all threads of the process.
 * @param {() => Promise<unknown>} action
 */
async function cpuMs(action) {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Zeros in an input's type.
 * @param {string} type
 * @param {number[]} dims
 */
function zeros(type, dims) {
  const size = dims.reduce((a, b) => a * b, 1);
  if (type === 'float16') return new ort.Tensor('float16', new Uint16Array(size), dims);
  return new ort.Tensor('float32', new Float32Array(size), dims);
}

/**
 * States of an empty context. Of the sizes that a graph leaves open, the batch is 1 and the past has no tokens.
 * @param {ort.InferenceSession} session
 * @returns {Feeds}
 */
function emptyStates(session) {
  /** @type {Feeds} */
  const feeds = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor || !input.name.startsWith('past_')) continue;
    const dims = input.shape.map((size, at) =>
      typeof size === 'number' ? size : at === 0 ? 1 : 0,
    );
    feeds[input.name] = zeros(input.type, dims);
  }
  return feeds;
}

/**
 * Runs `count` tokens after `past` ones; gives the states after them.
 * @param {ort.InferenceSession} session
 * @param {Feeds} states
 * @param {number} past
 * @param {number} count
 * @returns {Promise<Feeds>}
 */
async function step(session, states, past, count) {
  const ids = BigInt64Array.from({ length: count }, (_, i) => BigInt(10 + ((past + i) % 200)));
  const outputs = await session.run({
    ...states,
    input_ids: new ort.Tensor('int64', ids, [1, count]),
    attention_mask: new ort.Tensor('int64', new BigInt64Array(past + count).fill(1n), [
      1,
      past + count,
    ]),
    num_logits_to_keep: new ort.Tensor('int64', [1n], []),
  });
  return Object.fromEntries(
    Object.keys(states).map((name) => {
      const value =
        outputs[name.replace('past_key_values', 'present').replace('past_', 'present_')];
      if (value === undefined) throw new Error(`${name} has no output that goes with it`);
      return [name, value];
    }),
  );
}

/**
 * What one file costs; alone in its process, since the runtime never gives memory back.
 * @param {string} path
 * @returns {Promise<Cost>}
 */
async function measure(path) {
  const folder = pathToFileURL(
    join(createRequire(import.meta.url).resolve('onnxruntime-web'), '..'),
  );
  ort.env.wasm.wasmPaths = `${folder.href}/`;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const bytes = readFileSync(path);
  const before = process.memoryUsage.rss();
  /** @type {ort.InferenceSession | undefined} */
  let opened;
  const loadMs = await cpuMs(async () => {
    opened = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  });
  if (opened === undefined) throw new Error(`${path} did not load`);
  const session = opened;
  const empty = emptyStates(session);
  const prefills = [];
  for (let i = 0; i < REPEATS; i += 1)
    prefills.push(await cpuMs(() => step(session, empty, 0, PREFILL)));
  let states = await step(session, empty, 0, 16);
  const tokens = [];
  for (let at = 16; at < 16 + STEPS; at += 1) {
    tokens.push(await cpuMs(async () => (states = await step(session, states, at, 1))));
  }
  return {
    bytes: bytes.length,
    loadMs,
    tokenMs: median(tokens),
    prefillMs: median(prefills),
    memoryBytes: process.resourceUsage().maxRSS * 1024 - before,
  };
}

/** @param {string} folder */
function table(folder) {
  const files = readdirSync(join(folder, 'onnx')).filter((name) => name.endsWith('.onnx'));
  if (files.length === 0)
    throw new Error(`${folder}/onnx holds no .onnx file; package a model there first`);
  console.log('| file | MB | load ms | ms a token | ms for 512 | memory MB |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const file of files.sort()) {
    const said = execFileSync(
      process.execPath,
      [fileURLToPath(import.meta.url), '--one', folder, file],
      { encoding: 'utf8' },
    );
    const cost = /** @type {Cost} */ (JSON.parse(said));
    const mb = (/** @type {number} */ value) => (value / 1e6).toFixed(1);
    console.log(
      `| ${basename(file)} | ${mb(cost.bytes)} | ${cost.loadMs.toFixed(0)} | ${cost.tokenMs.toFixed(2)} | ${cost.prefillMs.toFixed(0)} | ${mb(cost.memoryBytes)} |`,
    );
  }
}

const words = process.argv.slice(2);
if (words[0] === '--one' && words[1] !== undefined && words[2] !== undefined) {
  console.log(JSON.stringify(await measure(join(words[1], 'onnx', words[2]))));
} else {
  const folder = words[0] ?? 'public/models/tidepool';
  if (words.length > 1 || !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    console.error(
      `usage: npm run measure -- MODEL_FOLDER (${folder} is no folder, or there are too many words)`,
    );
    process.exitCode = 2;
  } else table(folder);
}

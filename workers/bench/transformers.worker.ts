/**
 * Exposes stock transformers.js, `from_pretrained` and `generate()` with its TextStreamer, to be measured beside our
 * engine. Of this project it has only the addresses of ONNX Runtime's files, so that nothing is asked of a CDN.
 */
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  DynamicCache,
  env,
  Tensor,
  TextStreamer,
  type PreTrainedModel,
  type PreTrainedTokenizer,
} from '@huggingface/transformers';
import { expose } from 'comlink';
import asyncifyMjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import asyncifyWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import plainMjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import plainWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import type {
  StockApi,
  StockEvent,
  StockLoadRequest,
  StockRunRequest,
  StockRunResult,
} from '../../src/protocol/stock-api';

const FILES = {
  asyncify: { mjs: asyncifyMjs, wasm: asyncifyWasm },
  plain: { mjs: plainMjs, wasm: plainWasm },
} as const;

/**
 * Most tokens read in one piece when a run goes on from a cache: the scores of plain attention over 8192 tokens at once
 * would need gigabytes. A run without reuse is read in one piece, as stock does.
 */
const PIECE = 512;

interface Loaded {
  readonly model: PreTrainedModel;
  readonly tokenizer: PreTrainedTokenizer;
}

let loaded: Loaded | null = null;
let cache: { readonly entries: DynamicCache; tokens: readonly number[] } | null = null;

function required(): Loaded {
  if (loaded === null) throw new RangeError('no model is loaded');
  return loaded;
}

function tensorOf(ids: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
}

function isPrefix(prefix: readonly number[], of: readonly number[]): boolean {
  return prefix.length < of.length && prefix.every((id, i) => id === of[i]);
}

const api: StockApi = {
  async load({ baseUrl, name, dtype, threads, build }: StockLoadRequest): Promise<void> {
    env.allowLocalModels = true;
    env.allowRemoteModels = false;
    // A path, not an address: it looks for optional files (the tokenizer's) at paths only.
    env.localModelPath = new URL(baseUrl).pathname;
    const { wasm } = env.backends.onnx;
    if (wasm === undefined) throw new RangeError('transformers.js has no WASM here');
    const { mjs, wasm: binary } = FILES[build];
    wasm.wasmPaths = {
      mjs: new URL(mjs, import.meta.url).href,
      wasm: new URL(binary, import.meta.url).href,
    };
    wasm.numThreads = threads;
    const [tokenizer, model] = await Promise.all([
      AutoTokenizer.from_pretrained(name),
      AutoModelForCausalLM.from_pretrained(name, {
        device: 'wasm',
        ...(dtype === null ? {} : { dtype }),
      }),
    ]);
    loaded = { model, tokenizer };
  },

  async encode(text: string): Promise<readonly number[]> {
    return required().tokenizer.encode(text, { add_special_tokens: false });
  },

  async decode(ids: readonly number[]): Promise<string> {
    return required().tokenizer.decode([...ids], {
      skip_special_tokens: false,
      clean_up_tokenization_spaces: false,
    });
  },

  async render(messages, enableThinking): Promise<readonly number[]> {
    const options = {
      add_generation_prompt: true,
      return_tensor: false,
      return_dict: false,
      // Not in the library's types: further fields reach the template as variables.
      enable_thinking: enableThinking,
    };
    return required().tokenizer.apply_chat_template(
      messages.map(({ role, content }) => ({ role, content })),
      options,
    ) as number[];
  },

  async run(request: StockRunRequest, port: MessagePort): Promise<StockRunResult> {
    const { model, tokenizer } = required();
    const { promptIds, newTokens, reuse, stopsAtEnd } = request;
    const generate = async (
      ids: readonly number[],
      tokens: number,
      streamer: TextStreamer | null,
    ): Promise<number[]> => {
      const output = await model.generate({
        inputs: tensorOf(ids),
        max_new_tokens: tokens,
        do_sample: false,
        // An id that no token has: nothing ends a run but its length.
        ...(stopsAtEnd ? {} : { eos_token_id: -1 }),
        ...(streamer === null ? {} : { streamer }),
        // Without a mask as long as the ids, generate() reads all of them again behind the cache.
        ...(reuse && cache !== null
          ? { past_key_values: cache.entries, attention_mask: tensorOf(ids.map(() => 1)) }
          : {}),
      });
      const all = Array.from((output as Tensor).data as BigInt64Array, Number);
      if (reuse && cache !== null) cache.tokens = all.slice(0, -1);
      return all.slice(ids.length);
    };
    const ids: number[] = [];
    const say = (event: StockEvent): void => port.postMessage(event);
    const streamer = new TextStreamer(tokenizer, {
      skip_prompt: true,
      skip_special_tokens: false,
      callback_function: (text: string) => say({ type: 'text', text }),
      token_callback_function: (tokens: bigint[]) => {
        for (const token of tokens) {
          ids.push(Number(token));
          say({ type: 'token', id: Number(token) });
        }
      },
    });
    try {
      let held = 0;
      if (reuse) {
        if (cache === null || !isPrefix(cache.tokens, promptIds))
          cache = { entries: new DynamicCache(), tokens: [] };
        held = cache.tokens.length;
        while (promptIds.length - cache.tokens.length > PIECE) {
          const end = cache.tokens.length + PIECE;
          await generate(promptIds.slice(0, end), 1, null);
        }
      }
      await generate(promptIds, newTokens, streamer);
      return { ids, readTokens: promptIds.length - held };
    } finally {
      say({ type: 'end' });
    }
  },
};

expose(api);

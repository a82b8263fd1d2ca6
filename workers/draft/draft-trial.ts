/** Owns the lab's trial of drafting: one greedy reply without and with drafts, and what runs cost here. */
import { EngineError } from '../../src/core/errors';
import type {
  DraftTrialRequest,
  DraftTrialResult,
  DraftTrialToken,
} from '../../src/protocol/lab-api';
import { createDetokeniser, textOf } from '../../src/core/text/detokeniser';
import type { ModelSpec } from '../../src/core/model-spec';
import type { ThinkFormat } from '../../src/models/think-format';
import { buildPrompt } from '../prompt';
import type { ChatTokenizer } from '../runtime/hub';
import type { ModelSession } from '../runtime/session';
import { TokenCursor, type StepSession } from '../token-cursor';
import type { DraftModule } from './draft-module';
import { DRAFT_DEFAULTS, DraftingSession } from './drafting-session';
import { measureRunCosts } from './run-costs';

export interface TrialModel {
  readonly session: ModelSession;
  readonly module: DraftModule | null;
  readonly spec: ModelSpec;
  readonly tokenizer: ChatTokenizer;
  readonly format: ThinkFormat;
}

export interface TrialHost {
  /** Lets messages in; throws where the job was stopped. */
  readonly wait: () => Promise<void>;
  readonly progress: (done: number, total: number) => void;
}

/** Tokens of context under the measured runs. */
const CONTEXT = 128;
const ROUNDS = 30;
const MOST_AT_ONCE = DRAFT_DEFAULTS.most + 1;

interface Written {
  readonly tokens: readonly (DraftTrialToken & { readonly id: number })[];
  readonly ms: number;
}

function best(logits: Float32Array): number {
  let at = 0;
  for (let i = 1; i < logits.length; i += 1) if ((logits[i] ?? 0) > (logits[at] ?? 0)) at = i;
  return at;
}

async function write(
  { tokenizer, format }: TrialModel,
  session: StepSession,
  prompt: readonly number[],
  tokens: number,
  wait: () => Promise<void>,
): Promise<Written> {
  const cursor = new TokenCursor(session, session.emptyStates(), prompt);
  const written: (DraftTrialToken & { id: number })[] = [];
  const detokeniser = createDetokeniser(tokenizer);
  try {
    let logits = await cursor.read(prompt);
    const startedAt = performance.now();
    while (written.length < tokens) {
      const id = best(logits);
      if (format.endIds.includes(id)) break;
      const { guess } = cursor;
      written.push({
        id,
        text: detokeniser.push(id),
        draft:
          guess === null
            ? null
            : guess === id
              ? { isKept: true }
              : { isKept: false, text: textOf(tokenizer, [guess]) },
      });
      logits = await cursor.read([id]);
      if (written.length % 16 === 0) await wait();
    }
    return { tokens: written, ms: performance.now() - startedAt };
  } finally {
    cursor.dispose();
  }
}

/** EngineError `model-unsupported` for a model without a module. */
export async function draftTrial(
  model: TrialModel,
  { messages, tokens }: DraftTrialRequest,
  { wait, progress }: TrialHost,
): Promise<DraftTrialResult> {
  const { session, module, spec, tokenizer, format } = model;
  if (module === null)
    throw new EngineError(
      'model-unsupported',
      `${spec.name} has no module of multi-token prediction that works on this device.`,
      'Load “Tidepool with drafts” on WASM: Models, or ?model=tidepool-mtp in the address.',
    );
  const { ids } = buildPrompt(tokenizer, format, {
    messages,
    tools: [],
    enableThinking: format.think !== null,
  });
  const drafting = new DraftingSession(session, module, {
    ...DRAFT_DEFAULTS,
    maxPositions: spec.maxPositions,
    plain: session,
    mayDraft: () => true,
  });
  try {
    // The first of all warms up the caches, and counts for nothing.
    await write(model, session, ids, Math.min(8, tokens), wait);
    progress(1, 4);
    const plain = await write(model, session, ids, tokens, wait);
    progress(2, 4);
    const drafted = await write(model, drafting, ids, tokens, wait);
    const counts = { ...drafting.counts };
    progress(3, 4);
    const text = Array.from({ length: CONTEXT }, (_, i) => ids[i % ids.length] ?? 0);
    const costs = await measureRunCosts(session, module, text, spec.hiddenSize, {
      most: MOST_AT_ONCE,
      rounds: ROUNDS,
      wait,
    });
    progress(4, 4);
    return {
      tokens: drafted.tokens.map(({ text: word, draft }) => ({ text: word, draft })),
      counts,
      isEqual:
        plain.tokens.map(({ id }) => id).join() === drafted.tokens.map(({ id }) => id).join(),
      plainMs: plain.ms,
      draftedMs: drafted.ms,
      costs,
    };
  } finally {
    drafting.dispose();
  }
}

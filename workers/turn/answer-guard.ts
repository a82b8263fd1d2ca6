/**
 * Owns the form that an answer is held to: the tokens that may come next, so that what is written in the end satisfies the
 * schema, also where the tokens run out. Loaded when a reply asks for it. Owns no drawing and no thought, which is free.
 */
import { EngineError } from '../../src/core/errors';
import { AnswerMachine, type AnswerState } from '../../src/core/json-schema/answer-machine';
import { grammarOf, type JsonSchema } from '../../src/core/json-schema/read-schema';
import { TokenMask } from '../../src/core/json-schema/token-mask';
import { TokenTable } from '../../src/core/json-schema/token-table';
import { bytesOfToken } from '../../src/core/text/detokeniser';
import type { ChatTokenizer } from '../runtime/hub';

/** Characters that JSON may need one by one; a vocabulary without one of them could come to a dead end. */
const NEEDED = '{}[]":,-.0123456789 abcdefghijklmnopqrstuvwxyz\\';

/** Sorting a vocabulary takes a moment, and each reply of a model needs the same. */
const tables = new WeakMap<ChatTokenizer, TokenTable>();

function tableOf(tokenizer: ChatTokenizer, vocabSize: number): TokenTable {
  const known = tables.get(tokenizer);
  if (known !== undefined) return known;
  const table = new TokenTable(vocabSize, (id) =>
    tokenizer.pieceOf(id) === undefined || tokenizer.isAdded(id)
      ? null
      : bytesOfToken(tokenizer, id),
  );
  const lacking = table.lacks(NEEDED);
  if (lacking.length > 0)
    throw new EngineError(
      'schema',
      `This model’s tokenizer has no token for ${lacking.join(' ')} alone, so its answers cannot be held to a schema.`,
      'Choose another model, or ask without a schema.',
    );
  tables.set(tokenizer, table);
  return table;
}

export class AnswerGuard {
  readonly #table: TokenTable;
  readonly #machine: AnswerMachine;
  readonly #mask: TokenMask;
  #state: AnswerState;
  #row = new Float32Array(0);

  /** @param begun the answer's beginning, when it goes on. EngineError `schema` where it, or the schema, will not do. */
  constructor(tokenizer: ChatTokenizer, vocabSize: number, schema: JsonSchema, begun: string) {
    const grammar = grammarOf(schema);
    this.#table = tableOf(tokenizer, vocabSize);
    this.#machine = new AnswerMachine(grammar, this.#table.costs);
    this.#mask = new TokenMask(this.#table, this.#machine);
    const state = this.#machine.read(this.#machine.start, new TextEncoder().encode(begun));
    if (state === null)
      throw new EngineError(
        'schema',
        'What the answer has so far does not fit the schema.',
        'Generate the answer again, or ask without a schema.',
      );
    this.#state = state;
  }

  /** Fewest tokens to an answer that satisfies the schema. */
  get least(): number {
    return this.#state.least;
  }

  /** Nothing more may follow. */
  get isOver(): boolean {
    return this.#state.isWhole && this.#state.leaves.length === 0;
  }

  /**
   * The logits with only those left that keep the answer within its form and let it end within `tokensLeft` tokens; its
   * end where it may end. Valid until the next call. EngineError `schema` where no answer fits into so many.
   */
  mask(logits: Float32Array, tokensLeft: number, endIds: readonly number[]): Float32Array {
    if (this.least > tokensLeft)
      throw new EngineError(
        'schema',
        `The shortest answer of this form takes up to ${this.least} tokens more, and ${Math.max(0, tokensLeft)} are left.`,
        'Allow longer answers in the settings, start a new chat, or use a smaller schema.',
      );
    if (this.#row.length !== logits.length) this.#row = new Float32Array(logits.length);
    const row = this.#row.fill(-Infinity);
    this.#mask.forEach(this.#state, tokensLeft, (id) => {
      row[id] = logits[id] ?? -Infinity;
    });
    if (this.#state.isWhole) for (const id of endIds) row[id] = logits[id] ?? -Infinity;
    return row;
  }

  /** A token of the answer was drawn from the mask. */
  take(id: number): void {
    const bytes = this.#table.bytesOf(id);
    const next = bytes === null ? null : this.#machine.read(this.#state, bytes);
    if (next === null) throw new RangeError(`token ${id} is not of the answer's form`);
    this.#state = next;
  }
}

/**
 * Owns the long read: a text that is read to its end, with what each token costs, what the states take, and what is still
 * known of facts that were hidden on the way. Owns no opening of models.
 */
import { isRecalled } from '../../src/core/lab/recall-task';
import { GREEDY } from '../../src/core/sampling/greedy';
import type { LongReadRequest, Needle, NeedleAnswer } from '../../src/protocol/distance-api';
import { LabReader } from '../lab/reader';
import type { LayerStates } from '../runtime/layer-states';
import { SnapshotCache } from '../runtime/snapshots';
import type { Runner } from './open-runner';
import type { DistanceHost } from './race';

/** Tokens read in one piece, as in generation. */
const CHUNK = 256;
/** Scores of one head in one piece: attention over a long cache takes fewer tokens at once, 8 MB a head. */
const MOST_SCORES = 2 ** 21;
/** Pages draw a curve of some hundred points. */
const REPORT_MS = 250;

/** Tokens that may be read at once after so many. */
export function chunkAfter(tokens: number): number {
  return Math.max(1, Math.min(CHUNK, Math.floor(MOST_SCORES / (tokens + CHUNK))));
}

/** The tokens of a text, sentence by sentence, with the needles among them. */
export class TokenSource {
  readonly #encode: (text: string) => readonly number[];
  readonly #sentences: Iterator<string>;
  readonly #needles: readonly Needle[];
  #waiting: number[] = [];
  #given = 0;
  #hasEnded = false;
  /** Tokens up to each needle's last, of those that were placed. */
  readonly #ends: number[] = [];

  constructor(
    text: string,
    needles: readonly Needle[],
    encode: (text: string) => readonly number[],
  ) {
    this.#encode = encode;
    this.#needles = needles;
    this.#sentences = text.split(/(?<=\n\n|[.!?] )/)[Symbol.iterator]();
  }

  /** Needles that were given out whole. */
  get needlesGiven(): number {
    return this.#ends.filter((end) => end <= this.#given).length;
  }

  /** Up to `count` tokens more; [] at the end. */
  next(count: number): number[] {
    while (this.#waiting.length < count && !this.#hasEnded) this.#fill();
    const tokens = this.#waiting.splice(0, count);
    this.#given += tokens.length;
    return tokens;
  }

  #fill(): void {
    const needle = this.#needles[this.#ends.length];
    if (needle !== undefined && this.#given + this.#waiting.length >= needle.after) {
      this.#add(`${needle.sentence}\n\n`);
      this.#ends.push(this.#given + this.#waiting.length);
      return;
    }
    const next = this.#sentences.next();
    if (next.done === true) this.#hasEnded = true;
    else this.#add(next.value);
  }

  #add(text: string): void {
    // A spread of a long pasted text may be too long for a call.
    for (const id of this.#encode(text)) this.#waiting.push(id);
  }
}

/** What stands before and after the text in the form that the model's chats have. */
function frameOf({ tokenizer }: Runner, question: string): { head: string; tail: string } {
  const mark = 'Text.';
  const messages = [{ role: 'user' as const, content: `${mark} ${question}` }];
  const options = { tools: [], enableThinking: false, addGenerationPrompt: true };
  const rendered = tokenizer.render(messages, options).join('');
  const cut = rendered.indexOf(mark);
  return { head: rendered.slice(0, cut), tail: rendered.slice(cut + mark.length) };
}

/** Asks for needles from where the text stands; the states are left alone. */
async function ask(
  runner: Runner,
  states: LayerStates,
  needles: readonly Needle[],
  answerTokens: number,
): Promise<NeedleAnswer[]> {
  const { session, spec, tokenizer, format } = runner;
  const reader = new LabReader(
    { session, spec, tokenizer, format, snapshots: new SnapshotCache(0) },
    () => false,
    () => {},
  );
  const answers: NeedleAnswer[] = [];
  try {
    for (const [needle, { question, expected }] of needles.entries()) {
      const asked = await reader.read(states, tokenizer.encode(frameOf(runner, question).tail));
      try {
        const { text } = await reader.write(asked, {
          tokens: answerTokens,
          sampling: GREEDY,
          run: needle,
        });
        const close = format.think?.closeText.trim();
        const answer = close === undefined ? text : (text.split(close).at(-1) ?? text);
        answers.push({ needle, answer: answer.trim(), isRight: isRecalled(answer, expected) });
      } finally {
        asked.states.release();
      }
    }
    return answers;
  } finally {
    reader.dispose();
  }
}

/** Reads the text; every token is really read. */
export async function readLong(
  runner: Runner,
  request: Omit<LongReadRequest, 'type' | 'model' | 'device'>,
  { post, turn }: DistanceHost,
): Promise<void> {
  const { session, tokenizer, spec } = runner;
  const { needles, checkpoints, answerTokens } = request;
  // Room for a question and its answer.
  const most = Math.min(request.tokens, spec.maxPositions - 256);
  const source = new TokenSource(request.text, needles, (text) =>
    tokenizer.encode(tokenizer.lettersOf(text)),
  );
  const answer = async (states: LayerStates): Promise<void> => {
    const known = needles.slice(0, source.needlesGiven);
    if (known.length > 0)
      post({
        type: 'answers',
        tokens: states.tokens,
        answers: await ask(runner, states, known, answerTokens),
      });
  };
  let states = session.emptyStates();
  let askedAt = 0;
  let since = { tokens: 0, ms: 0, reportedAt: performance.now() };
  const report = (): void => {
    const { ssm, conv, kv } = states.bytes;
    post({
      type: 'reading',
      point: {
        tokens: states.tokens,
        msPerToken: since.tokens === 0 ? 0 : since.ms / since.tokens,
        ssmBytes: ssm,
        convBytes: conv,
        kvBytes: kv,
      },
    });
    since = { tokens: 0, ms: 0, reportedAt: performance.now() };
  };
  const read = async (ids: readonly number[]): Promise<void> => {
    const before = states;
    const startedAt = performance.now();
    states = (await session.step(ids, before)).states;
    since.ms += performance.now() - startedAt;
    since.tokens += ids.length;
    before.release();
  };
  try {
    await read(tokenizer.encode(frameOf(runner, '').head));
    for (;;) {
      await turn();
      const stop = checkpoints.find((tokens) => tokens > states.tokens) ?? Infinity;
      const room = Math.min(stop, most) - states.tokens;
      const ids = source.next(Math.min(chunkAfter(states.tokens), room));
      if (ids.length === 0) break;
      await read(ids);
      if (performance.now() - since.reportedAt >= REPORT_MS) report();
      if (states.tokens !== stop) continue;
      report();
      await answer(states);
      askedAt = states.tokens;
    }
    report();
    if (askedAt !== states.tokens) await answer(states);
  } finally {
    states.release();
  }
}

/** Owns the prompts: ids of an exact length in the shipped model's own form, other ones each round. */

const QUESTIONS = [
  'What is {a} + {b}?',
  'Which is larger, {a} or {b}?',
  'Tell me a story about a fox and a kite.',
  'I have {a} shells and find {b} more. How many do I have?',
  'What is {b} times {c}?',
  'Hello! How are you today?',
];

const ANSWERS = [
  '{s}',
  '{a} and {b} are two numbers, and one of them is larger.',
  'Once upon a time there was a fox who lived by the sea. One day the wind took a red kite, and the fox ran after it.',
  'You have {s} shells.',
  'Let me see. It is a product of {b} and {c}.',
  'I am fine, thank you. What can I do for you?',
];

const LAST =
  '<|im_start|>user\nTell me a story about a fox and a kite.<|im_end|>\n<|im_start|>assistant\n<think></think>';

/** A conversation of at least `turns` turns; another one for each `seed`. */
function conversation(seed: number, turns: number): string {
  const text: string[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const a = 11 + ((seed * 37 + turn * 17) % 80);
    const b = 10 + ((seed * 53 + turn * 29) % 70);
    const c = 2 + ((seed + turn) % 8);
    const fill = (line: string): string =>
      line
        .replace('{a}', String(a))
        .replace('{b}', String(b))
        .replace('{c}', String(c))
        .replace('{s}', String(a + b));
    const kind = (seed + turn) % QUESTIONS.length;
    text.push(
      `<|im_start|>user\n${fill(QUESTIONS[kind] ?? '')}<|im_end|>\n`,
      `<|im_start|>assistant\n<think></think>${fill(ANSWERS[kind] ?? '')}<|im_end|>\n`,
    );
  }
  return text.join('');
}

/** The shipped tokenizer, as stock transformers.js has it. */
export interface Coder {
  encode(text: string): Promise<readonly number[]>;
  decode(ids: readonly number[]): Promise<string>;
}

/** A prompt in both forms, one the other's tokens. */
export interface Prompt {
  readonly ids: readonly number[];
  readonly text: string;
}

export class Prompts {
  readonly #coder: Coder;

  constructor(coder: Coder) {
    this.#coder = coder;
  }

  /** Exactly `length` tokens that end in a question; no two seeds begin alike. */
  async ofLength(length: number, seed: number): Promise<Prompt> {
    const last = await this.#coder.encode(LAST);
    // Too short for a conversation: the end of the question, after a letter of the round's own.
    if (length <= last.length) {
      const opening = await this.#coder.encode(String.fromCharCode(97 + (seed % 26)));
      return this.#written([...opening, ...last.slice(last.length - length + opening.length)]);
    }
    const opening = await this.#coder.encode(
      `<|im_start|>system\nRound ${seed} of the benchmark.<|im_end|>\n`,
    );
    const body = await this.#coder.encode(conversation(seed, Math.ceil(length / 20) + 2));
    const room = length - last.length - opening.length;
    for (let skip = 0; skip < 40; skip += 1) {
      const ids = [...opening, ...body.slice(skip, skip + Math.max(0, room)), ...last];
      const prompt = await this.#written(ids.slice(ids.length - length));
      const again = await this.#coder.encode(prompt.text);
      // A cut within a word may be read as other tokens.
      if (again.length === length && again.every((id, i) => id === prompt.ids[i])) return prompt;
    }
    throw new Error(`no prompt of ${length} tokens reads the same as text; change prompts.ts`);
  }

  /** What a second question adds to a conversation, whose last reply is closed by it. */
  async question(seed: number): Promise<Prompt> {
    const a = 20 + ((seed * 31) % 70);
    const text = `<|im_end|>\n<|im_start|>user\nWhat is ${a} + ${a + 9}?<|im_end|>\n<|im_start|>assistant\n<think></think>`;
    return { ids: await this.#coder.encode(text), text };
  }

  async #written(ids: readonly number[]): Promise<Prompt> {
    return { ids, text: await this.#coder.decode(ids) };
  }
}

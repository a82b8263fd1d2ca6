/**
 * Owns the telling apart of thought, answer and tool call in text that carries their tags inline, as servers without a
 * parser for the model send it. Text comes in pieces that may cut a tag anywhere; the outcome is that of the whole.
 */

export type TextChannel = 'thought' | 'answer' | 'tool-call';

export interface TextPiece {
  readonly channel: TextChannel;
  readonly text: string;
}

export interface ThinkTags {
  readonly open: string;
  readonly close: string;
}

export const THINK_TAGS: ThinkTags = { open: '<think>', close: '</think>' };

const CALL_OPEN = '<tool_call>';
const CALL_CLOSE = '</tool_call>';

/** Length of the longest end of `text` that begins `tag`. */
function overlap(text: string, tag: string): number {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length -= 1)
    if (text.endsWith(tag.slice(0, length))) return length;
  return 0;
}

export class TagSplitter {
  readonly #tags: ThinkTags;
  #channel: TextChannel;
  #held = '';

  /** @param start where the text begins: `thought` after a prompt that has opened it */
  constructor(start: 'thought' | 'answer', tags: ThinkTags = THINK_TAGS) {
    this.#channel = start;
    this.#tags = tags;
  }

  /** Where text that comes now belongs. */
  get channel(): TextChannel {
    return this.#channel;
  }

  push(text: string): readonly TextPiece[] {
    const pieces: TextPiece[] = [];
    let rest = this.#held + text;
    this.#held = '';
    for (;;) {
      const tags = this.#tagsHere();
      const found = tags
        .map((tag) => ({ ...tag, at: rest.indexOf(tag.text) }))
        .filter(({ at }) => at >= 0)
        .sort((a, b) => a.at - b.at)[0];
      if (found === undefined) {
        const keep = Math.max(0, ...tags.map((tag) => overlap(rest, tag.text)));
        this.#held = rest.slice(rest.length - keep);
        this.#add(pieces, rest.slice(0, rest.length - keep));
        return pieces;
      }
      this.#add(pieces, rest.slice(0, found.at));
      rest = rest.slice(found.at + found.text.length);
      this.#channel = found.to;
    }
  }

  /** What was held back because it might have become a tag. */
  flush(): readonly TextPiece[] {
    const pieces: TextPiece[] = [];
    this.#add(pieces, this.#held);
    this.#held = '';
    return pieces;
  }

  #add(pieces: TextPiece[], text: string): void {
    if (text !== '') pieces.push({ channel: this.#channel, text });
  }

  /** Tags that mean something here; one that is void (a second open, a close without an open) leaves the channel as it is. */
  #tagsHere(): readonly { readonly text: string; readonly to: TextChannel }[] {
    const { open, close } = this.#tags;
    switch (this.#channel) {
      case 'thought':
        return [
          { text: close, to: 'answer' },
          { text: open, to: 'thought' },
        ];
      case 'answer':
        return [
          { text: open, to: 'thought' },
          { text: close, to: 'answer' },
          { text: CALL_OPEN, to: 'tool-call' },
        ];
      case 'tool-call':
        return [{ text: CALL_CLOSE, to: 'answer' }];
      default:
        return this.#channel satisfies never;
    }
  }
}

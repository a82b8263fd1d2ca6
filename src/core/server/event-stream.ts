/**
 * Owns the reading of server-sent events out of the bytes of an answer, however they are cut: bytes in, the data of
 * each event out. Owns no meaning of the data (chat-chunk.ts).
 */

/** What ends a stream of an OpenAI-compatible server; not all of them send it. */
export const STREAM_END = '[DONE]';

export class EventStreamReader {
  readonly #decoder = new TextDecoder();
  #line = '';
  #data: string[] = [];
  #endedInCarriageReturn = false;

  /** The data of the events that these bytes completed, in order. */
  push(bytes: Uint8Array): readonly string[] {
    return this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  /** At the end of the answer: the event that no blank line closed. Some servers end without one. */
  flush(): readonly string[] {
    const events = [...this.#take(this.#decoder.decode())];
    if (this.#line !== '') this.#takeLine(this.#line, events);
    this.#line = '';
    this.#dispatch(events);
    return events;
  }

  #take(text: string): readonly string[] {
    const events: string[] = [];
    // A CR at the end of the last bytes may have its LF at the beginning of these.
    const fresh = this.#endedInCarriageReturn && text.startsWith('\n') ? text.slice(1) : text;
    if (text !== '') this.#endedInCarriageReturn = text.endsWith('\r');
    const lines = (this.#line + fresh).split(/\r\n|\n|\r/);
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#takeLine(line, events);
    return events;
  }

  #takeLine(line: string, events: string[]): void {
    if (line === '') {
      this.#dispatch(events);
      return;
    }
    // A line that begins with a colon is a sign of life; fields other than the data say nothing here.
    if (line.startsWith('data:')) this.#data.push(line.slice(5).replace(/^ /, ''));
  }

  #dispatch(events: string[]): void {
    if (this.#data.length > 0) events.push(this.#data.join('\n'));
    this.#data = [];
  }
}

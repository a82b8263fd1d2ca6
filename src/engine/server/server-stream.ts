/**
 * Owns the reading of one answer of a server as chunks: streamed, or all at once where the server ignores `stream`.
 * Knows when an answer was whole and when the connection broke off. Owns no limit and no chat.
 */
import { EngineError } from '../../core/errors';
import { errorText, parseChunk, readChunk, type Chunk } from '../../core/server/chat-chunk';
import { EventStreamReader, STREAM_END } from '../../core/server/event-stream';
import { failedInside, notAServer, streamCut, type Whom } from '../../core/server/server-problem';

export interface AnswerChunk extends Chunk {
  /** The whole reply came in this one. */
  readonly isWhole: boolean;
}

/** True for what fetch throws when its signal has been given. */
export function isAbort(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AbortError';
}

/**
 * Gives the chunks of an answer in order. Rejects with EngineError where the server says that it failed or where the
 * stream ends before its end, with AbortError where `signal` ended it.
 */
export async function* readAnswer(
  response: Response,
  whom: Whom,
  signal: AbortSignal,
): AsyncGenerator<AnswerChunk> {
  const type = response.headers.get('Content-Type') ?? '';
  if (/application\/json/i.test(type)) {
    yield await readWhole(response, whom, signal);
    return;
  }
  if (/text\/html/i.test(type)) throw notAServer(whom, 'it sent a web page');
  const { body } = response;
  if (body === null) throw streamCut(whom);
  const events = new EventStreamReader();
  const reader = body.getReader();
  let isFinished = false;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw signal.aborted || isAbort(cause) || cause instanceof EngineError
          ? cause
          : streamCut(whom, cause);
      });
      const data = done ? events.flush() : events.push(value);
      for (const text of data) {
        if (text === STREAM_END) {
          isFinished = true;
          continue;
        }
        const chunk = parseChunk(text);
        // Half a line of JSON comes when a server dies while it writes; what was whole has been read.
        if (chunk === null) continue;
        if (chunk.error !== null) throw failedInside(whom, chunk.error);
        isFinished ||= chunk.finish !== null;
        yield { ...chunk, isWhole: false };
      }
      if (done) break;
    }
  } finally {
    // Of a server that goes on writing nobody reads any more.
    await reader.cancel().catch(() => undefined);
  }
  if (!isFinished) throw streamCut(whom);
}

async function readWhole(
  response: Response,
  whom: Whom,
  signal: AbortSignal,
): Promise<AnswerChunk> {
  let value: unknown;
  try {
    value = await response.json();
  } catch (cause) {
    if (signal.aborted || isAbort(cause)) throw cause;
    throw streamCut(whom, cause);
  }
  const said = errorText((value as { error?: unknown } | null)?.error);
  if (said !== '') throw failedInside(whom, said);
  const chunk = readChunk(value);
  return { ...chunk, finish: chunk.finish ?? 'stop', isWhole: true };
}

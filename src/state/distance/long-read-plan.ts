/** Owns what a long read is set up with: the text that ships, the facts hidden in it, where it is asked for them. */
import { EngineError } from '../../core/errors';
import { recallText } from '../../core/lab/recall-task';
import type { LongReadRequest, Needle } from '../../protocol/distance-api';

/** Read at most; the text that ships has some 112,000 tokens. */
export const LONG_READ_TOKENS = 100_000;

/** Asked after so many tokens: each four times as far as the one before, and at the end. */
const CHECKPOINTS: readonly number[] = [128, 512, 2048, 8192, 32_768];

/** Depths to choose from, as shares of the whole. */
export const DEPTHS: readonly number[] = [0, 0.25, 0.5, 0.75, 1];

/** Tokens between the last needle and the end. */
const LAST_ROOM = 128;

const ANSWER_TOKENS = 24;

/** One fact for each depth; the same for the same seed. */
function needlesAt(depths: readonly number[], tokens: number, seed: number): Needle[] {
  const sorted = [...depths].sort((a, b) => a - b);
  const { questions } = recallText({
    kind: 'story',
    length: sorted.length,
    keys: sorted.length,
    depth: 0,
    seed,
  });
  return questions.map(({ key, text, expected }, at) => ({
    after: Math.max(0, Math.round((sorted[at] ?? 0) * tokens) - LAST_ROOM),
    sentence: `${key} has ${expected} points.`,
    question: text,
    expected,
  }));
}

export interface LongReadSettings {
  readonly text: string;
  readonly tokens: number;
  readonly depths: readonly number[];
  readonly seed: number;
}

export function planLongRead({
  text,
  tokens,
  depths,
  seed,
}: LongReadSettings): Omit<LongReadRequest, 'type' | 'model' | 'device'> {
  return {
    text,
    tokens,
    needles: needlesAt(depths, tokens, seed),
    checkpoints: CHECKPOINTS.filter((checkpoint) => checkpoint < tokens),
    answerTokens: ANSWER_TOKENS,
  };
}

/** Some hosts unpack a .gz file on its way; what arrives then is text already. */
function isPacked(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The text that ships with the site. EngineError `network` where it does not arrive. */
export async function fetchLongText(
  baseUrl: string,
  fetchFile: (url: string) => Promise<Response>,
): Promise<string> {
  const lost = (cause?: unknown): EngineError =>
    new EngineError(
      'network',
      'The text that ships with this site did not arrive.',
      'Check the connection and begin again, or paste a text of your own.',
      { cause },
    );
  const answer = await fetchFile(new URL('texts/long-read.txt.gz', baseUrl).href).catch(
    (cause: unknown) => {
      throw lost(cause);
    },
  );
  if (!answer.ok) throw lost();
  try {
    const blob = await answer.blob();
    const bytes = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
    if (!isPacked(bytes)) return await blob.text();
    return await new Response(blob.stream().pipeThrough(new DecompressionStream('gzip'))).text();
  } catch (cause) {
    throw lost(cause);
  }
}

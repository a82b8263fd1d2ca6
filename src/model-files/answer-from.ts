/** Owns an answer to a request for a file that is at hand: whole, or from the byte that is asked for. */

/** Answers a request for a file with its content, from the byte that is asked for. */
export function answerFrom(blob: Blob, init: RequestInit | undefined): Response {
  const range = new Headers(init?.headers).get('Range') ?? '';
  const from = Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
  return new Response(blob.slice(from), {
    status: from > 0 ? 206 : 200,
    headers: from > 0 ? { 'Content-Range': `bytes ${from}-${blob.size - 1}/${blob.size}` } : {},
  });
}

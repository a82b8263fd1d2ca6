/**
 * Owns the sentences for what goes wrong between this page and a server: what happened, with values, and the remedy for
 * the server that it is. Pure; owns no retry.
 */
import { EngineError } from '../errors';
import { kindsOfPort, SERVER_TRAITS, type ServerKind } from './server-kind';

export interface Whom {
  /** Null while it is not known. */
  readonly kind: ServerKind | null;
  /** Address without a closing slash. */
  readonly address: string;
  /** Origin of the page, which a server must let in. */
  readonly pageOrigin: string;
}

/** What Chrome says of a site's right to ask this computer or the local network; null where it cannot be asked. */
export type LocalNetworkLeave = 'granted' | 'denied' | 'prompt' | null;

const HERE_INSTEAD = 'or ask the model in this tab (“Answer here instead”).';
const KEPT = 'What you wrote is kept.';

function placeOf({ address }: Whom): string {
  return new URL(address).host;
}

function portOf({ address }: Whom): number {
  const { port, protocol } = new URL(address);
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** What to do for the server that it is, or for each that it may be. */
function lettingIn(whom: Whom): string {
  const kinds =
    whom.kind === null || whom.kind === 'other' ? kindsOfPort(portOf(whom)) : [whom.kind];
  if (kinds.length === 0) return SERVER_TRAITS.other.letIn(whom.pageOrigin);
  return kinds
    .map((kind) => `${SERVER_TRAITS[kind].name}: ${SERVER_TRAITS[kind].letIn(whom.pageOrigin)}`)
    .join(' ');
}

/** The browser gave the page nothing: nobody there, or not let in. `isThere`: something answered without leave to read it. */
export function unreachable(
  whom: Whom,
  {
    isThere,
    leave,
    cause,
  }: { readonly isThere: boolean; readonly leave: LocalNetworkLeave; readonly cause: unknown },
): EngineError {
  const place = placeOf(whom);
  if (leave === 'denied') {
    return new EngineError(
      'server',
      `The browser was told not to let this page reach this computer or its network, so ${place} was not asked.`,
      'Allow it in the site’s settings (the sign before the address: “Apps on device” or “Local network”), then try again.',
      { cause },
    );
  }
  if (isThere) {
    return new EngineError(
      'server',
      `${place} is there but lets no page of ${whom.pageOrigin} read its answers (CORS).`,
      lettingIn(whom),
      { cause },
    );
  }
  const asks =
    leave === 'prompt'
      ? ' Chrome asks once whether this page may reach this computer: allow it.'
      : '';
  return new EngineError(
    'server',
    `No answer that this page may read came from ${place}. Either no server runs there, or it does not let ${whom.pageOrigin} in (CORS).`,
    `Is it running, and is the port right?${asks} If it runs: ${lettingIn(whom)} ${KEPT}`,
    { cause },
  );
}

/** The connection ended before the reply did. */
export function streamCut(whom: Whom, cause?: unknown): EngineError {
  return new EngineError(
    'server',
    `${placeOf(whom)} stopped answering in the middle of the reply.`,
    `See whether the server still runs, then press Continue; ${HERE_INSTEAD} What came until then is kept.`,
    cause === undefined ? undefined : { cause },
  );
}

/** The server says in the middle of a reply that it failed. */
export function failedInside(whom: Whom, said: string): EngineError {
  return new EngineError(
    'server',
    `${placeOf(whom)} gave up in the middle of the reply: ${shorten(said)}`,
    `Look into the server’s log, then press Continue; ${HERE_INSTEAD}`,
  );
}

/** It answered, but nothing that an OpenAI-compatible server would say. */
export function notAServer(whom: Whom, what: string): EngineError {
  return new EngineError(
    'server',
    `${placeOf(whom)} answers, but not like an OpenAI-compatible server: ${what}.`,
    'Check the address: it is the one before /v1, for example http://localhost:8080.',
  );
}

const CONTEXT_SIGNS =
  /context (?:length|size|window)|maximum context|exceed(?:s|ed)? .*context|too many tokens|prompt is too long|exceed_context_size/i;
const LOADING_SIGNS =
  /loading model|model is loading|not ready|warming up|no models? loaded|not loaded/i;

/** The sentence for an answer with an error status; `said` is what its body says. */
export function refusedAnswer(
  whom: Whom,
  status: number,
  said: string,
  model: string,
): EngineError {
  const place = placeOf(whom);
  const quoted = said === '' ? '' : ` It says: ${shorten(said)}`;
  if (CONTEXT_SIGNS.test(said)) {
    return new EngineError(
      'prompt-too-long',
      `The conversation does not fit the context of ${model} on ${place}.${quoted}`,
      whom.kind === 'ollama'
        ? 'Shorten the message or start a new chat, or give the model more context: OLLAMA_CONTEXT_LENGTH.'
        : whom.kind === 'llama.cpp'
          ? 'Shorten the message or start a new chat, or start llama-server with a larger -c.'
          : whom.kind === 'vllm'
            ? 'Shorten the message or start a new chat, or start vLLM with a larger --max-model-len.'
            : 'Shorten the message or start a new chat.',
    );
  }
  if (status === 401 || status === 403) {
    const isOllama = whom.kind === 'ollama' && status === 403;
    return new EngineError(
      'server',
      isOllama
        ? `${place} does not let this page in (403).`
        : `${place} does not accept the key (${status}).${quoted}`,
      isOllama
        ? SERVER_TRAITS.ollama.letIn(whom.pageOrigin)
        : 'Enter the server’s key under “Models on a server”: for llama.cpp and vLLM what --api-key says, else the one of your account.',
    );
  }
  if (status === 503 || LOADING_SIGNS.test(said)) {
    return new EngineError(
      'server',
      `${model} is not ready on ${place} (${status}).${quoted}`,
      whom.kind === 'lm-studio'
        ? 'Load the model in LM Studio, then ask again.'
        : `Large models take minutes to load: ask again in a moment, ${HERE_INSTEAD}`,
    );
  }
  if (status === 404 || status === 405) {
    return new EngineError(
      'server',
      `${place} knows no such path or no model ${model} (${status}).${quoted}`,
      whom.kind === 'ollama'
        ? `Fetch the model: ollama pull ${model}; or test the connection and choose one that is there.`
        : 'Test the connection under “Models on a server” and choose a model that it lists; the address is the one before /v1.',
    );
  }
  if (status === 429) {
    return new EngineError(
      'rate-limited',
      `${place} has had too many questions (429).${quoted}`,
      `Wait a little, then ask again; ${HERE_INSTEAD}`,
    );
  }
  return new EngineError(
    'server',
    `${place} answered ${status}.${quoted}`,
    status >= 500
      ? `The trouble is on the server: look into its log, ${HERE_INSTEAD}`
      : `The server does not take this question as it was asked; test the connection, ${HERE_INSTEAD}`,
  );
}

/** Thinking went on after everything that was done against it. */
export function willNotStopThinking(whom: Whom): EngineError {
  return new EngineError(
    'server',
    `The model on ${placeOf(whom)} begins to think again each time its thought is closed, so the reply was ended at the limit.`,
    'Set the limit to “no limit” for this model, choose an effort where the server has one, or another model.',
  );
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const short = line.length > 300 ? `${line.slice(0, 300)}…` : line;
  return /[.!?…]$/.test(short) ? short : `${short}.`;
}

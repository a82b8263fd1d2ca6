/** Asks a fake server through the real engine, over real HTTP, and gathers what the page would see. */
import { ServerEngine } from '../../../../src/engine/server/server-engine';
import type { ServerHost } from '../../../../src/engine/server/server-http';
import type { ServerTarget } from '../../../../src/core/server/server-target';
import type {
  EngineEvent,
  GenerateRequest,
  GenerateResult,
  LoadedModel,
} from '../../../../src/protocol/engine-api';
import {
  FAKE_MODEL,
  startFakeLlmServer,
  type FakeLlmServer,
  type FakeOptions,
} from '../../../fake-llm-server';

/** A template that opens the thought, as the shipped model's does. */
const PUBLISHED =
  '{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]<think>\n';

/** Short sentences of eight tokens, so that a limit finds an end within its grace. */
export const LONG_THOUGHT = Array.from({ length: 240 }, (_, at) =>
  at % 8 === 7 ? ' done.' : ` step${at}`,
);
export const SCRIPT = { thought: LONG_THOUGHT, answer: ['The ', 'answer ', 'is ', '42.'] };

export function hostOf(change: Partial<ServerHost> = {}): ServerHost {
  return {
    fetch: (url, init) => fetch(url, init),
    page: {
      protocol: 'http:',
      origin: 'http://localhost:4310',
      allowed: { loopback: true, origins: [] },
    },
    localNetworkLeave: () => Promise.resolve(null),
    publishedTemplate: () => Promise.resolve(PUBLISHED),
    now: () => new Date(2026, 10, 28, 9, 15),
    ...change,
  };
}

export function requestOf(change: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    id: 'one',
    messages: [{ role: 'user', content: 'What is it?' }],
    thinkingLimit: 32,
    closingSentence: '',
    maxAnswerTokens: 64,
    sampling: { temperature: 0.2, topK: 40, topP: 0.95, minP: 0.1, repetitionPenalty: 1, seed: 1 },
    stopStrings: [],
    tools: [],
    candidates: 0,
    ...change,
  };
}

export interface Reply {
  readonly events: readonly EngineEvent[];
  readonly result: GenerateResult | null;
  readonly error: unknown;
  readonly thought: string;
  readonly answer: string;
  readonly notices: readonly string[];
}

export interface Asking {
  readonly server: FakeLlmServer;
  readonly engine: ServerEngine;
  readonly model: LoadedModel;
  reply(
    change?: Partial<GenerateRequest>,
    onEvent?: (event: EngineEvent, run: { stop(): void; answerNow(): void }) => void,
  ): Promise<Reply>;
}

/** Starts a fake and loads its model; `work` is done with both, then the fake is closed. */
export async function withServer(
  options: FakeOptions,
  work: (asking: Asking) => Promise<void>,
  change: { readonly host?: Partial<ServerHost>; readonly target?: Partial<ServerTarget> } = {},
): Promise<void> {
  const server = await startFakeLlmServer(options);
  const engine = new ServerEngine(hostOf(change.host));
  try {
    const target = {
      address: server.url,
      key: options.key ?? '',
      kind: options.kind,
      model: FAKE_MODEL,
      effort: null,
      ...change.target,
    };
    const model = await engine.load(
      { modelUrl: '', device: 'auto', server: target },
      () => undefined,
    );
    server.asked.length = 0;
    await work({ server, engine, model, reply: (...given) => replyOf(engine, ...given) });
  } finally {
    await server.close();
  }
}

async function replyOf(
  engine: ServerEngine,
  change: Partial<GenerateRequest> = {},
  onEvent: (event: EngineEvent, run: { stop(): void; answerNow(): void }) => void = () => undefined,
): Promise<Reply> {
  const events: EngineEvent[] = [];
  const run = engine.generate(requestOf(change), (batch) => {
    for (const event of batch) {
      events.push(event);
      onEvent(event, run);
    }
  });
  let result: GenerateResult | null = null;
  let error: unknown = null;
  try {
    result = await run.done;
  } catch (cause) {
    error = cause;
  }
  const text = (channel: string): string =>
    events
      .map((event) => (event.type === 'token' && event.channel === channel ? event.text : ''))
      .join('');
  return {
    events,
    result,
    error,
    thought: text('thought'),
    answer: text('answer'),
    notices: events.flatMap((event) => (event.type === 'notice' ? [event.text] : [])),
  };
}

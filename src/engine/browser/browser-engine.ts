/**
 * Owns the browser's own model as an engine: whether it may be had, its download, its context, and its replies through the
 * engine for servers, with the thinking limit kept from this side. Owns no reply (server-reply.ts).
 */
import { EngineError } from '../../core/errors';
import type { PromptMessage } from '../../core/chat/prompt-message';
import type { LoadedModel, LoadProgress, LoadRequest } from '../../protocol/engine-api';
import { ForwardingEngine } from '../forwarding-engine';
import { ServerEngine } from '../server/server-engine';
import { BROWSER_MODEL, NativeAnswers, nativeMessages, nativeProblem } from './native-answers';
import {
  measure,
  nativeModel,
  windowOf,
  type NativeModel,
  type NativeSession,
} from './native-model';

/** Under this address the model is asked; nothing is ever sent to it. */
const ADDRESS = 'http://localhost';
/** A token for so many letters, where the browser measures nothing. */
const LETTERS_A_TOKEN = 4;

export class BrowserEngine extends ForwardingEngine {
  readonly #find: () => NativeModel | null;
  #answers: NativeAnswers | null = null;
  /** Keeps the model ready, and measures. */
  #session: NativeSession | null = null;
  #loading: AbortController | null = null;
  protected override readonly front: ServerEngine;

  constructor(find: () => NativeModel | null = () => nativeModel()) {
    super();
    this.#find = find;
    this.front = new ServerEngine({
      fetch: (url, init) => {
        if (this.#answers === null)
          return Promise.reject(
            new EngineError(
              'not-loaded',
              'The browser’s own model is not loaded.',
              'Choose it again.',
            ),
          );
        return this.#answers.fetch(url, init);
      },
      page: { protocol: 'http:', origin: ADDRESS, allowed: { loopback: true, origins: [] } },
      localNetworkLeave: () => Promise.resolve(null),
      publishedTemplate: () => Promise.resolve(null),
      now: () => new Date(),
    });
  }

  override async load(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<LoadedModel> {
    const model = this.#find();
    if (model === null)
      throw new EngineError(
        'model-unsupported',
        'This browser has no model of its own.',
        'Choose another model, or open this page in a browser that has one.',
      );
    const tell = (loaded: number): void =>
      onProgress({ stage: 'browser', loadedBytes: loaded, totalBytes: 1, fromCache: false });
    const availability = await model.availability();
    if (availability === 'unavailable')
      throw new EngineError(
        'model-unsupported',
        'The browser has a model of its own, but says that it cannot run on this device.',
        'It may lack memory, a graphics card or free disk space. Choose another model.',
      );
    tell(availability === 'available' ? 1 : 0);
    this.#session?.destroy();
    const loading = new AbortController();
    this.#loading = loading;
    let session: NativeSession;
    try {
      session = await model.create({
        signal: loading.signal,
        monitor: (monitor) =>
          monitor.addEventListener('downloadprogress', (event) => {
            const { loaded } = event as ProgressEvent;
            tell(Math.min(1, loaded));
          }),
      });
    } catch (cause) {
      if (loading.signal.aborted)
        throw new EngineError('internal', 'Another model was chosen meanwhile.', 'Choose again.');
      throw nativeProblem(cause);
    }
    this.#session = session;
    this.#answers = new NativeAnswers(model, windowOf(session));
    return this.front.load(
      {
        ...request,
        server: {
          address: ADDRESS,
          key: '',
          kind: 'browser',
          model: BROWSER_MODEL,
          effort: null,
        },
      },
      () => {},
    );
  }

  override async countTokens(messages: readonly PromptMessage[]): Promise<number> {
    const session = this.#session;
    if (session === null)
      throw new EngineError(
        'not-loaded',
        'The browser’s own model is not loaded.',
        'Choose it again.',
      );
    const input = nativeMessages(messages);
    const letters = input.reduce((sum, { content }) => sum + content.length, 0);
    const measured = await measure(session, input).catch((cause: unknown) => {
      throw nativeProblem(cause);
    });
    return measured ?? Math.ceil(letters / LETTERS_A_TOKEN);
  }

  override async dispose(): Promise<void> {
    this.#loading?.abort();
    await this.front.dispose();
    this.#session?.destroy();
    this.#session = null;
    this.#answers = null;
  }
}

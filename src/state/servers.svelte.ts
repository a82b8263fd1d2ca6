/**
 * Owns the servers that a person has added: the list, the test of each, the choosing of a model on one. Owns no request
 * of its own (engine/server) and no model of this tab.
 */
import { EngineError } from '../core/errors';
import { parseServerAddress } from '../core/server/server-address';
import type { ServerKind } from '../core/server/server-kind';
import { SERVER_KEY_PREFIX, type ServerTarget } from '../core/server/server-target';
import type { ProbedServer } from '../engine/server/probe-server';
import type { ConnectionStore, StoredConnection } from '../storage/connection-store';
import { asEngineError } from './model-status.svelte';
import type { ModelLibrary } from './models/model-library.svelte';

export type Connection = StoredConnection;

export type ServerTest =
  | { readonly phase: 'asking' }
  | { readonly phase: 'passed'; readonly version: string | null }
  | { readonly phase: 'failed'; readonly error: EngineError };

export interface ServersHost {
  readonly store: Pick<ConnectionStore, 'load' | 'save'>;
  readonly probe: (asked: {
    readonly address: string;
    readonly key: string;
    readonly kind: ServerKind | null;
  }) => Promise<ProbedServer>;
  readonly library: () => Pick<ModelLibrary, 'useServer' | 'answerHere' | 'current'>;
  readonly newId: () => string;
  readonly onProblem: (error: unknown) => void;
}

function keyOf({ id }: Connection): string {
  return `${SERVER_KEY_PREFIX}${id}`;
}

export class Servers {
  connections = $state.raw<readonly Connection[]>([]);
  /** By id of the connection; of one that is being added by ''. */
  tests = $state.raw<Readonly<Partial<Record<string, ServerTest>>>>({});

  /** The model on a server that was chosen last. */
  chosenModel = $state<string | null>(null);

  readonly #host: ServersHost;

  constructor(host: ServersHost) {
    this.#host = host;
  }

  async load(): Promise<void> {
    try {
      this.connections = await this.#host.store.load();
    } catch (error) {
      this.#host.onProblem(error);
    }
  }

  /** Tests what was typed and keeps it when a server is there. Its id; null where `tests['']` says why not. */
  async add(typed: string, key: string): Promise<string | null> {
    const address = parseServerAddress(typed);
    if (address === null) {
      const error = new EngineError(
        'server',
        typed.trim() === '' ? 'No address is given.' : 'That is no address of a server.',
        'It looks like http://localhost:8080 or https://llm.example.org, without a name, a password or a question mark in it.',
      );
      this.#tell('', { phase: 'failed', error });
      return null;
    }
    const probed = await this.#probe('', { address, key: key.trim(), kind: null });
    if (probed === null) return null;
    const known = this.connections.find((other) => other.address === address);
    const connection: Connection = {
      id: known?.id ?? this.#host.newId(),
      address,
      key: key.trim(),
      kind: probed.kind,
      models: probed.models.map(({ id }) => id),
      effort: known?.effort ?? '',
    };
    this.#tell('', null);
    this.#tell(connection.id, { phase: 'passed', version: probed.version });
    this.#keep([...this.connections.filter((other) => other.id !== connection.id), connection]);
    return connection.id;
  }

  /** Asks a server anew what it is and what it has. */
  async test(id: string): Promise<void> {
    const connection = this.#find(id);
    if (connection === null) return;
    const { address, key } = connection;
    const probed = await this.#probe(id, { address, key, kind: null });
    if (probed === null) return;
    this.#tell(id, { phase: 'passed', version: probed.version });
    this.#change(id, { kind: probed.kind, models: probed.models.map((model) => model.id) });
  }

  setKey(id: string, key: string): void {
    this.#change(id, { key: key.trim() });
  }

  /** A word of effort for the replies to come; '' for the model's own. */
  async setEffort(id: string, effort: string): Promise<void> {
    this.#change(id, { effort });
    const { current } = this.#host.library();
    if (current.key === `${SERVER_KEY_PREFIX}${id}` && this.chosenModel !== null)
      await this.use(id, this.chosenModel);
  }

  /** Forgets a server and its key; when it answers, the model of this tab does so from now on. */
  async remove(id: string): Promise<void> {
    const wasUsed = this.#host.library().current.key === `${SERVER_KEY_PREFIX}${id}`;
    this.#keep(this.connections.filter((other) => other.id !== id));
    this.#tell(id, null);
    if (wasUsed) await this.#host.library().answerHere();
  }

  /** Lets a model of a server answer. */
  async use(id: string, model: string): Promise<void> {
    const connection = this.#find(id);
    if (connection === null) return;
    this.chosenModel = model;
    await this.#host.library().useServer(keyOf(connection), targetOf(connection, model));
  }

  /** The connection that answers now; null while a model of this tab does. */
  used(currentKey: string): Connection | null {
    return this.connections.find((connection) => keyOf(connection) === currentKey) ?? null;
  }

  /** What a choice that was kept means: null where it is none of a server, or the server was forgotten. */
  target(key: string, model: string): ServerTarget | null {
    const connection = this.used(key);
    if (connection === null) return null;
    this.chosenModel = model;
    return targetOf(connection, model);
  }

  async #probe(
    id: string,
    asked: { readonly address: string; readonly key: string; readonly kind: ServerKind | null },
  ): Promise<ProbedServer | null> {
    this.#tell(id, { phase: 'asking' });
    try {
      return await this.#host.probe(asked);
    } catch (cause) {
      this.#tell(id, { phase: 'failed', error: asEngineError(cause) });
      return null;
    }
  }

  #find(id: string): Connection | null {
    return this.connections.find((connection) => connection.id === id) ?? null;
  }

  #tell(id: string, test: ServerTest | null): void {
    const others = Object.entries(this.tests).filter(([other]) => other !== id);
    this.tests = Object.fromEntries(test === null ? others : [...others, [id, test]]);
  }

  #change(id: string, change: Partial<Connection>): void {
    this.#keep(this.connections.map((one) => (one.id === id ? { ...one, ...change } : one)));
  }

  #keep(connections: readonly Connection[]): void {
    this.connections = connections;
    this.#host.store.save(connections).catch(this.#host.onProblem);
  }
}

/** What a server is asked with for one of its models. */
export function targetOf({ address, key, kind, effort }: Connection, model: string): ServerTarget {
  return { address, key, kind, model, effort: effort === '' ? null : effort };
}

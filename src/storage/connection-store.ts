/**
 * The servers that a person has added, with their keys: kept as one record beside the settings, and never part of an
 * export, of a link or of what other tabs are told. Fields that are not as they should be leave the connection out.
 */
import { isServerKind, type ServerKind } from '../core/server/server-names';
import { t } from '../core/language/translate';
import type { Backing } from './backing';
import { readList, readObject, readText, ValueProblem } from './read-value';

export interface StoredConnection {
  readonly id: string;
  /** Without a closing slash and without /v1. */
  readonly address: string;
  /** '' where it needs none. */
  readonly key: string;
  readonly kind: ServerKind;
  /** Ids of the models that it listed when it was tested last. */
  readonly models: readonly string[];
  /** A word of `reasoning_effort`; '' for the model's own. */
  readonly effort: string;
}

const KEY = 'connections';
const MAX_CONNECTIONS = 100;
const MAX_MODELS = 500;

function readConnection(value: unknown, place: string): StoredConnection {
  const fields = readObject(value, place);
  const kind = readText(fields['kind'], `${place}.kind`, 40);
  if (!isServerKind(kind)) throw new ValueProblem(`${place}.kind`, t('a kind of server'), kind);
  return {
    id: readText(fields['id'], `${place}.id`, 100),
    address: readText(fields['address'], `${place}.address`, 500),
    key: readText(fields['key'], `${place}.key`, 2000),
    kind,
    models: readList(fields['models'], `${place}.models`, MAX_MODELS, (model, at) =>
      readText(model, at, 300),
    ),
    effort: readText(fields['effort'], `${place}.effort`, 40),
  };
}

/** The connections that can be read. */
function readConnections(value: unknown): readonly StoredConnection[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).slice(0, MAX_CONNECTIONS).flatMap((one, at) => {
    try {
      return [readConnection(one, `connections[${at}]`)];
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error; // A damaged one is left out, the others stay.
      return [];
    }
  });
}

export class ConnectionStore {
  readonly #backing: Backing;

  constructor(backing: Backing) {
    this.#backing = backing;
  }

  async load(): Promise<readonly StoredConnection[]> {
    return readConnections(
      await this.#backing.run(['settings'], 'readonly', (transaction) =>
        transaction.get('settings', KEY),
      ),
    );
  }

  /** @throws EngineError `storage`, with nothing changed. */
  async save(connections: readonly StoredConnection[]): Promise<void> {
    await this.#backing.run(['settings'], 'readwrite', (transaction) =>
      transaction.put('settings', KEY, connections),
    );
  }
}

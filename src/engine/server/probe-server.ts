/**
 * Owns the finding out of what a server is and which models it has: the test of a connection. Asks nothing that costs the
 * server a token.
 */
import type { ServerKind } from '../../core/server/server-kind';
import { notAServer } from '../../core/server/server-problem';
import type { ServerTarget } from '../../core/server/server-target';
import { ServerHttp, type ServerHost } from './server-http';

export interface ListedModel {
  readonly id: string;
  readonly contextTokens: number | null;
  readonly parameters: number | null;
  readonly weightBytes: number | null;
  /** False where the server says that it would have to load it first. */
  readonly isLoaded: boolean | null;
}

export interface ProbedServer {
  readonly kind: ServerKind;
  readonly version: string | null;
  readonly models: readonly ListedModel[];
}

type Json = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : null;
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}

/** More models than a person could choose from. */
const MAX_MODELS = 500;

function readModels(
  value: unknown,
): { models: readonly ListedModel[]; owners: ReadonlySet<string> } | null {
  const { data } = objectOf(value);
  if (!Array.isArray(data)) return null;
  const owners = new Set<string>();
  const models = (data as readonly unknown[])
    .slice(0, MAX_MODELS)
    .flatMap((entry): ListedModel[] => {
      const fields = objectOf(entry);
      const id = textOf(fields['id']);
      if (id === null) return [];
      owners.add(textOf(fields['owned_by'])?.toLowerCase() ?? '');
      const meta = objectOf(fields['meta']);
      const state = objectOf(fields['status'])['value'] ?? fields['state'];
      return [
        {
          id,
          contextTokens:
            countOf(fields['max_model_len']) ??
            countOf(fields['loaded_context_length']) ??
            countOf(fields['max_context_length']) ??
            countOf(meta['n_ctx']),
          parameters: countOf(meta['n_params']),
          weightBytes: countOf(meta['size']),
          isLoaded: typeof state === 'string' ? state === 'loaded' : null,
        },
      ];
    });
  return { models, owners };
}

/** What the list of models says without a further question; null where that is not enough. */
function kindOfOwners(owners: ReadonlySet<string>): ServerKind | null {
  if (owners.has('llamacpp')) return 'llama.cpp';
  if (owners.has('sglang')) return 'sglang';
  return null;
}

/**
 * Tells the server by what only it has. `known` skips the asking. In this order each question is answered by one kind
 * and refused with 404 by the others.
 */
async function tellKind(
  http: ServerHttp,
  owners: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<{ kind: ServerKind; version: string | null }> {
  const sure = kindOfOwners(owners);
  if (sure !== null) return { kind: sure, version: null };
  const nim = objectOf(await http.look('/v1/metadata', signal));
  if (nim['modelInfo'] !== undefined) return { kind: 'nim', version: textOf(nim['version']) };
  if (owners.has('vllm')) {
    const { version } = objectOf(await http.look('/version', signal));
    return { kind: 'vllm', version: textOf(version) };
  }
  const ollama = textOf(objectOf(await http.look('/api/version', signal))['version']);
  if (ollama !== null) return { kind: 'ollama', version: ollama };
  const studio = readModels(await http.look('/api/v0/models', signal));
  if (studio !== null) return { kind: 'lm-studio', version: null };
  const props = objectOf(await http.look('/props', signal));
  if (props['default_generation_settings'] !== undefined)
    return { kind: 'llama.cpp', version: textOf(props['build_info']) };
  if (await http.has('/load_model', signal)) return { kind: 'transformers', version: null };
  return { kind: 'other', version: null };
}

/** Tests a connection: which server, which models. Rejects with EngineError. */
export async function probeServer(
  host: ServerHost,
  {
    address,
    key,
    kind,
  }: Pick<ServerTarget, 'address' | 'key'> & { readonly kind: ServerKind | null },
  signal?: AbortSignal,
): Promise<ProbedServer> {
  const http = new ServerHttp(host, { address, key, kind, model: 'the model' });
  const listed = readModels(await http.get('/v1/models', signal));
  if (listed === null) throw notAServer(http.whom, '/v1/models is no list of models');
  const told =
    kind === null ? await tellKind(http, listed.owners, signal) : { kind, version: null };
  // Only its own list says which models LM Studio has loaded, and with how much context.
  const own =
    told.kind === 'lm-studio' ? readModels(await http.look('/api/v0/models', signal)) : null;
  return { ...told, models: own?.models ?? listed.models };
}

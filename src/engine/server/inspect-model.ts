/** Owns the looking at one model of a server before it is asked: its context, its template, how it can be gone on from. */
import { SERVER_TRAITS } from '../../core/server/server-kind';
import {
  BROWSER_PLACE,
  placeOfServer,
  type ServerModel,
  type ServerTarget,
} from '../../core/server/server-target';
import { ClosingWays } from './closing-ways';
import { probeServer } from './probe-server';
import { ServerHttp, type ServerHost } from './server-http';

interface Props {
  readonly template: string;
  readonly contextTokens: number | null;
  readonly version: string | null;
}

/** What llama.cpp says of the model that it has loaded. */
async function readProps(http: ServerHttp, signal: AbortSignal): Promise<Props> {
  const props = ((await http.look('/props', signal)) ?? {}) as {
    readonly chat_template?: unknown;
    readonly build_info?: unknown;
    readonly default_generation_settings?: { readonly n_ctx?: unknown } | null;
  };
  const context = props.default_generation_settings?.n_ctx;
  return {
    template: typeof props.chat_template === 'string' ? props.chat_template : '',
    contextTokens: typeof context === 'number' && context > 0 ? context : null,
    version: typeof props.build_info === 'string' ? props.build_info : null,
  };
}

/** Looks at one model of a server; rejects with EngineError when it cannot be asked. */
export async function inspectModel(
  host: ServerHost,
  target: ServerTarget,
  signal: AbortSignal,
): Promise<ServerModel> {
  const { kind, address, model } = target;
  const http = new ServerHttp(host, target);
  const traits = SERVER_TRAITS[kind];
  const { models, version } = await probeServer(host, target, signal);
  const listed = models.find(({ id }) => id === model);
  const props = kind === 'llama.cpp' ? await readProps(http, signal) : null;
  const template = traits.ways.includes('published')
    ? ((await host.publishedTemplate(model)) ?? '')
    : (props?.template ?? '');
  const found: ServerModel = {
    template,
    opensThought: false,
    facts: {
      kind,
      place: kind === 'browser' ? BROWSER_PLACE : placeOfServer(address),
      model,
      version: version ?? props?.version ?? null,
      contextTokens: props?.contextTokens ?? listed?.contextTokens ?? null,
      parameters: listed?.parameters ?? null,
      weightBytes: listed?.weightBytes ?? null,
      budget: traits.budget,
      // Without the published template there is nothing to write the prompt with.
      ways: traits.ways.filter((way) => way !== 'published' || template !== ''),
      efforts: traits.efforts,
      hasLogprobs: traits.hasLogprobs,
    },
  };
  return {
    ...found,
    opensThought: await new ClosingWays(http, found).opensThought(target, signal),
  };
}

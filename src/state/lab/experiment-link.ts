/**
 * Owns experiments as links carry them: the prompt, the seed, the operations and all settings, checked piece by piece
 * when a link is read, since anyone may have written it. Pure.
 */
import { t } from '../../core/language/translate';
import type { PromptMessage, ToolCall } from '../../core/chat/prompt-message';
import type { SamplingSettings } from '../../core/sampling/sampler';
import { cutText } from '../../core/text/letters';
import type {
  CompareRequest,
  ForkRequest,
  LabSource,
  SsmTarget,
  SurgeryOp,
} from '../../protocol/lab-api';
import type { RecallSettings } from './recall-grid';

export type LinkedExperiment =
  | { readonly experiment: 'recall'; readonly settings: RecallSettings }
  | { readonly experiment: 'compare'; readonly request: CompareRequest }
  | { readonly experiment: 'fork'; readonly request: ForkRequest };

/** An experiment with the model it was made on, by name; '' when not known. */
export type ExperimentLink = LinkedExperiment & { readonly model: string };

/** Longest link: servers and messengers pass on as much; a conversation of some 1,500 words fits. */
export const MAX_LINK_CHARACTERS = 16_000;

const MAX_TOKENS = 512;
const MAX_OPERATIONS = 8;
const MAX_MESSAGES = 64;
const MAX_CELLS = 256;

/** Thrown inside while a link is read; its message says what is wrong with which part. */
class Unfit extends Error {}

export function encodeExperiment(link: ExperimentLink): string {
  return encodeURIComponent(JSON.stringify(link));
}

/** Reads what {@link encodeExperiment} wrote; a sentence on what is wrong when it is no such thing. */
export function decodeExperiment(coded: string): ExperimentLink | { readonly broken: string } {
  if (coded.length > MAX_LINK_CHARACTERS)
    return {
      broken: t('it has {length} characters, {MAXLINKCHARACTERS} at most are read', {
        length: coded.length,
        MAXLINKCHARACTERS: MAX_LINK_CHARACTERS,
      }),
    };
  try {
    return readLink(JSON.parse(decodeURIComponent(coded)));
  } catch (error) {
    if (error instanceof Unfit) return { broken: error.message };
    // A link that was cut or mistyped; anything else is a mistake of ours.
    if (error instanceof SyntaxError || error instanceof URIError)
      return { broken: t('it was cut short or mistyped on its way') };
    throw error;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Unfit(t('{name} is missing', { name }));
  return value as Fields;
}

function list<T>(
  value: unknown,
  name: string,
  [least, most]: readonly [number, number],
  read: (item: unknown, name: string) => T,
): T[] {
  if (!Array.isArray(value)) throw new Unfit(t('{name} is no list', { name }));
  if (value.length < least || value.length > most)
    throw new Unfit(
      t('{name} has {length} entries, not {least} to {most}', {
        name,
        length: value.length,
        least,
        most,
      }),
    );
  return value.map((item: unknown, at) =>
    read(item, t('entry {at} of {name}', { at: at + 1, name })),
  );
}

function number(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most))
    throw new Unfit(
      t('{name} is {shown}, not {least} to {most}', { name, shown: shown(value), least, most }),
    );
  return value;
}

function whole(value: unknown, name: string, least: number, most: number): number {
  const found = number(value, name, least, most);
  if (!Number.isInteger(found))
    throw new Unfit(t('{name} is {found}, not a whole number', { name, found }));
  return found;
}

function text(value: unknown, name: string, most: number): string {
  if (typeof value !== 'string') throw new Unfit(t('{name} is no text', { name }));
  if (value.length > most)
    throw new Unfit(
      t('{name} has {length} characters, {most} at most', { name, length: value.length, most }),
    );
  return value;
}

function truth(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean')
    throw new Unfit(t('{name} is {shown}, not true or false', { name, shown: shown(value) }));
  return value;
}

function oneOf<T extends string | number>(value: unknown, name: string, all: readonly T[]): T {
  const found = all.find((one) => one === value);
  if (found === undefined)
    throw new Unfit(
      t('{name} is {shown}, not one of {all}', { name, shown: shown(value), all: all.join(', ') }),
    );
  return found;
}

function shown(value: unknown): string {
  const words = JSON.stringify(value) as string | undefined;
  return words === undefined ? 'missing' : cutText(words, 40);
}

function readLink(value: unknown): ExperimentLink {
  const link = fields(value, t('the experiment'));
  const model = link['model'] === undefined ? '' : text(link['model'], t('the model’s name'), 200);
  const experiment = oneOf(link['experiment'], t('the kind of experiment'), [
    'recall',
    'compare',
    'fork',
  ] as const);
  switch (experiment) {
    case 'recall':
      return {
        experiment,
        model,
        settings: readRecall(fields(link['settings'], t('the settings'))),
      };
    case 'compare':
      return { experiment, model, request: readCompare(fields(link['request'], t('the request'))) };
    case 'fork':
      return { experiment, model, request: readFork(fields(link['request'], t('the request'))) };
    default: {
      const never: never = experiment;
      return never;
    }
  }
}

function readRecall(settings: Fields): RecallSettings {
  const lengths = list(settings['lengths'], t('the lengths'), [1, 16], (one, name) =>
    whole(one, name, 1, 400),
  );
  const depths = list(settings['depths'], t('the depths'), [1, 16], (one, name) =>
    number(one, name, 0, 1),
  );
  const operations = list(settings['operations'], t('the operations'), [1, 5], (one, name) =>
    one === null ? null : readOperation(one, name),
  );
  const cells = lengths.length * depths.length * operations.length;
  if (cells > MAX_CELLS)
    throw new Unfit(t('it has {cells} cells, {MAXCELLS} at most', { cells, MAXCELLS: MAX_CELLS }));
  return {
    kind: oneOf(settings['kind'], t('the kind of text'), ['list', 'story', 'name'] as const),
    lengths,
    depths,
    keys: whole(settings['keys'], t('the number of keys'), 1, 8),
    seed: whole(settings['seed'], t('the seed'), 0, 9999),
    operations,
  };
}

function readCompare(request: Fields): CompareRequest {
  return {
    source: readSource(request['source']),
    operations: list(
      request['operations'],
      t('the operations'),
      [1, MAX_OPERATIONS],
      readOperation,
    ),
    ...readMessage(request),
    tokens: whole(request['tokens'], t('the number of tokens'), 1, MAX_TOKENS),
    sampling: {
      ...readSampling(request['sampling']),
      seed: readSeed(fields(request['sampling'], t('the sampling'))['seed'], t('the seed')),
    },
  };
}

function readFork(request: Fields): ForkRequest {
  return {
    source: readSource(request['source']),
    ...readMessage(request),
    seeds: list(request['seeds'], t('the seeds'), [1, 4], readSeed),
    tokens: whole(request['tokens'], t('the number of tokens'), 1, MAX_TOKENS),
    sampling: readSampling(request['sampling']),
  };
}

function readSeed(value: unknown, name: string): number {
  return whole(value, name, 0, 2 ** 32 - 1);
}

function readMessage(request: Fields): { readonly message?: string } {
  const { message } = request;
  return message === undefined ? {} : { message: text(message, t('the next message'), 4000) };
}

function readSampling(value: unknown): Omit<SamplingSettings, 'seed'> {
  const sampling = fields(value, t('the sampling'));
  return {
    temperature: number(sampling['temperature'], t('the temperature'), 0, 10),
    topK: whole(sampling['topK'], 'top-k', 0, 1e6),
    topP: number(sampling['topP'], 'top-p', 0, 1),
    minP: number(sampling['minP'], 'min-p', 0, 1),
    repetitionPenalty: number(sampling['repetitionPenalty'], t('the repetition penalty'), 0.1, 10),
  };
}

/** Links carry chats, texts and tokens; what is live in another tab they can't mean. */
function readSource(value: unknown): LabSource {
  const source = fields(value, t('the text it begins with'));
  const kind = oneOf(source['kind'], t('the text it begins with'), [
    'messages',
    'text',
    'tokens',
  ] as const);
  switch (kind) {
    case 'messages':
      return {
        kind,
        messages: list(source['messages'], t('the chat'), [1, MAX_MESSAGES], readPromptMessage),
        thinking: truth(source['thinking'], t('whether it thinks')),
      };
    case 'text':
      return { kind, text: text(source['text'], t('the text'), MAX_LINK_CHARACTERS) };
    case 'tokens':
      return {
        kind,
        tokenIds: list(source['tokenIds'], t('the tokens'), [1, MAX_LINK_CHARACTERS], (one, name) =>
          whole(one, name, 0, 2 ** 24),
        ),
      };
    default: {
      const never: never = kind;
      return never;
    }
  }
}

function readPromptMessage(value: unknown, name: string): PromptMessage {
  const message = fields(value, name);
  const content = text(message['content'], t('the text of {name}', { name }), MAX_LINK_CHARACTERS);
  const role = oneOf(message['role'], t('the role of {name}', { name }), [
    'system',
    'user',
    'assistant',
    'tool',
  ] as const);
  if (role !== 'assistant' || message['toolCalls'] === undefined) return { role, content };
  return {
    role,
    content,
    toolCalls: list(
      message['toolCalls'],
      t('the tool calls of {name}', { name }),
      [0, 8],
      readToolCall,
    ),
  };
}

function readToolCall(value: unknown, name: string): ToolCall {
  const call = fields(value, name);
  const given = fields(call['arguments'], t('the arguments of {name}', { name }));
  return {
    name: text(call['name'], t('the name of {name}', { name }), 100),
    arguments: Object.fromEntries(
      Object.entries(given).map(([key, one]) => [
        key,
        text(one, t('an argument of {name}', { name }), 4000),
      ]),
    ),
  };
}

function readLayer(value: unknown, name: string): number {
  return whole(value, t('the layer of {name}', { name }), 0, 999);
}

function readTarget(value: unknown, name: string): SsmTarget {
  const target = fields(value, t('the target of {name}', { name }));
  const scope = oneOf(target['scope'], t('the target of {name}', { name }), [
    'all',
    'layer',
    'head',
  ] as const);
  if (scope === 'all') return { scope };
  const layer = readLayer(target['layer'], name);
  return scope === 'layer'
    ? { scope, layer }
    : { scope, layer, head: whole(target['head'], t('the head of {name}', { name }), 0, 999) };
}

const KINDS = [
  'zero',
  'freeze',
  'noise',
  'scale',
  'quantise',
  'kv-drop',
  'kv-window',
] as const satisfies readonly SurgeryOp['kind'][];

function readOperation(value: unknown, name: string): SurgeryOp {
  const operation = fields(value, name);
  const kind = oneOf(operation['kind'], name, KINDS);
  switch (kind) {
    case 'kv-drop':
    case 'kv-window': {
      const layer = operation['layer'] === null ? null : readLayer(operation['layer'], name);
      return kind === 'kv-drop'
        ? { kind, layer }
        : {
            kind,
            layer,
            tokens: whole(operation['tokens'], t('the window of {name}', { name }), 1, 100_000),
          };
    }
    case 'zero':
    case 'freeze':
      return { kind, target: readTarget(operation['target'], name) };
    case 'noise':
      return {
        kind,
        target: readTarget(operation['target'], name),
        strength: number(operation['strength'], t('the strength of {name}', { name }), 0, 100),
        seed: readSeed(operation['seed'], t('the seed of {name}', { name })),
      };
    case 'scale':
      return {
        kind,
        target: readTarget(operation['target'], name),
        factor: number(operation['factor'], t('the factor of {name}', { name }), -100, 100),
      };
    case 'quantise':
      return {
        kind,
        target: readTarget(operation['target'], name),
        bits: oneOf(operation['bits'], t('the bits of {name}', { name }), [16, 8, 4] as const),
        everyToken: truth(
          operation['everyToken'],
          t('whether {name} is done after every token', { name }),
        ),
      };
    default: {
      const never: never = kind;
      return never;
    }
  }
}

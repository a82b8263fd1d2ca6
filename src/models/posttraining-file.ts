/**
 * Owns the reading of models/posttraining.json: what each system after pretraining gained, with the command and commit that
 * measured it. A broken row is left out and told of by row and field; the rest is read. Owns no fetching and no words.
 */
import { asArray, asNumber, asObject, asString } from './config-fields';
import { siteFile } from './site-file';

const POSTTRAINING_IDS = [
  'grpo',
  'reward',
  'feedback-edit',
  'judge',
  'pipeline',
  'impact',
] as const;
export type PosttrainingId = (typeof POSTTRAINING_IDS)[number];

export interface PosttrainingSystem {
  readonly id: PosttrainingId;
  /** Folder under models/ of the model that was measured. */
  readonly model: string;
  readonly figure: {
    readonly name: string;
    /** Null where there was nothing before. */
    readonly before: number | null;
    readonly after: number;
    /** 95 %, of `after` unless the name says otherwise. */
    readonly interval: readonly [number, number];
  };
  readonly command: string;
  readonly commit: string;
  /** Why a figure is as it is, in a sentence; empty where nothing is to be said. */
  readonly note: string;
}

export interface PosttrainingFile {
  readonly systems: readonly PosttrainingSystem[];
  /** A sentence for each row that was left out. */
  readonly problems: readonly string[];
}

const FILE = siteFile('posttraining.json', 'the figures of what came after pretraining');

function systemOf(json: unknown, where: string): PosttrainingSystem {
  const fields = asObject(json, where);
  const name = asString(fields['id'], `id of ${where}`);
  const id = POSTTRAINING_IDS.find((one) => one === name);
  if (id === undefined)
    throw FILE.broken(`id of ${where} is "${name}"; known are ${POSTTRAINING_IDS.join(', ')}.`);
  const figure = asObject(fields['figure'], `figure of ${where}`);
  const interval = asArray(figure['interval'], `figure.interval of ${where}`).map((end, at) =>
    asNumber(end, `figure.interval[${at}] of ${where}`, true),
  );
  const [low, high] = interval;
  if (low === undefined || high === undefined || interval.length !== 2 || low > high)
    throw FILE.broken(
      `figure.interval of ${where} is ${JSON.stringify(interval)}, not [low, high].`,
    );
  return {
    id,
    model: asString(fields['model'], `model of ${where}`),
    figure: {
      name: asString(figure['name'], `figure.name of ${where}`),
      before:
        (figure['before'] ?? null) === null
          ? null
          : asNumber(figure['before'], `figure.before of ${where}`, true),
      after: asNumber(figure['after'], `figure.after of ${where}`, true),
      interval: [low, high],
    },
    command: asString(fields['command'], `command of ${where}`),
    commit: asString(fields['commit'], `commit of ${where}`),
    note: (fields['note'] ?? null) === null ? '' : asString(fields['note'], `note of ${where}`),
  };
}

/** Reads posttraining.json. EngineError `model-corrupt` where there is no list of systems. */
export function readPosttrainingFile(json: unknown): PosttrainingFile {
  const rows = (json as { readonly systems?: unknown } | null | undefined)?.systems;
  if (!Array.isArray(rows)) throw FILE.broken('systems is not a list.');
  const systems: PosttrainingSystem[] = [];
  const problems: string[] = [];
  for (const [at, row] of rows.entries()) {
    try {
      const system = systemOf(row, `systems[${at}]`);
      if (systems.some(({ id }) => id === system.id))
        throw FILE.broken(`systems[${at}] is ${system.id}, which is there twice.`);
      systems.push(system);
    } catch (error) {
      problems.push(FILE.named(error).message);
    }
  }
  return { systems, problems };
}

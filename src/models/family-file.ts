/**
 * Owns the reading of models/family.json: the control and the systems of the family as they were measured, each with the
 * command and commit that measured it. Fields beside the contract's are optional. Owns no fetching and no words.
 */
import { asArray, asNumber, asObject, asString, type Json } from './config-fields';
import { siteFile } from './site-file';

export const SYSTEM_IDS = [
  'moe',
  'latent-moe',
  'mtp',
  'nvfp4',
  'fp8',
  'twin',
  'minipuzzle',
] as const;
export type SystemId = (typeof SYSTEM_IDS)[number];

/** A measured number with its 95 % interval; null where none was measured. */
export interface Estimate {
  readonly value: number;
  readonly interval: readonly [number, number] | null;
}

/** What was measured of one model. Null: not measured, or of no sense for it. */
interface MeasuredModel {
  /** Folder under models/ that the page can load; null: there is none. */
  readonly folder: string | null;
  readonly parameters: number | null;
  /** Parameters that one token is computed with. */
  readonly activeParameters: number | null;
  /** Of the weights as they are fetched for WASM. */
  readonly weightBytes: number | null;
  /** Nats a token on text that it was not trained on. */
  readonly heldOutLoss: Estimate | null;
  /** Share of the held-out problems solved. */
  readonly accuracy: Estimate | null;
}

export interface FamilyControl extends MeasuredModel {
  readonly problems: number | null;
}

export interface FamilyFigure extends Estimate {
  readonly name: string;
  /** The same of the control; null where it has none. */
  readonly control: number | null;
}

export interface FamilySystem extends MeasuredModel {
  readonly id: SystemId;
  readonly figure: FamilyFigure;
  readonly command: string;
  readonly commit: string;
  /** The arithmetic is emulated: a browser or this recipe's machine has no such units. */
  readonly isEmulated: boolean;
}

export interface FamilyFile {
  readonly control: FamilyControl;
  readonly systems: readonly FamilySystem[];
}

const FILE = siteFile('family.json', 'the family’s figures');

function intervalOf(json: unknown, what: string): readonly [number, number] | null {
  if (json === undefined || json === null) return null;
  const [low, high, ...more] = asArray(json, what).map((end, at) =>
    asNumber(end, `${what}[${at}]`, true),
  );
  if (low === undefined || high === undefined || more.length > 0 || low > high)
    throw FILE.broken(`${what} is ${JSON.stringify(json)}, not [low, high].`);
  return [low, high];
}

/** A number, or `{ value, interval }`. */
function estimateOf(json: unknown, interval: unknown, what: string): Estimate | null {
  if (json === undefined || json === null) return null;
  if (typeof json === 'number')
    return {
      value: asNumber(json, what, true),
      interval: intervalOf(interval, `${what}’s interval`),
    };
  const fields = asObject(json, what);
  return {
    value: asNumber(fields['value'], `value of ${what}`, true),
    interval: intervalOf(fields['interval'], `interval of ${what}`),
  };
}

function countOf(fields: Json, names: readonly string[], where: string): number | null {
  const name = names.find((one) => (fields[one] ?? null) !== null);
  return name === undefined ? null : asNumber(fields[name], `${name} of ${where}`);
}

function lossOf(fields: Json, where: string): Estimate | null {
  const told = estimateOf(
    fields['heldOutLoss'],
    fields['heldOutLossInterval'],
    `heldOutLoss of ${where}`,
  );
  if (told !== null) return told;
  const perplexity = fields['perplexity'] ?? null;
  return perplexity === null
    ? null
    : { value: Math.log(asNumber(perplexity, `perplexity of ${where}`, true)), interval: null };
}

function folderOf(fields: Json, where: string): string | null {
  const name = fields['folder'] ?? fields['model'] ?? null;
  if (name === null) return null;
  const folder = asString(name, `folder of ${where}`).replace(/^(?:public\/)?models\/|\/$/g, '');
  if (!/^[\w-]+$/.test(folder)) throw FILE.broken(`folder of ${where} is "${folder}", not a name.`);
  return folder;
}

function measuredModel(fields: Json, where: string): MeasuredModel {
  return {
    folder: folderOf(fields, where),
    parameters: countOf(fields, ['parameters'], where),
    activeParameters: countOf(fields, ['activeParameters', 'active'], where),
    weightBytes: countOf(fields, ['weightBytes', 'bytes'], where),
    heldOutLoss: lossOf(fields, where),
    accuracy: estimateOf(
      fields['accuracy'],
      fields['accuracyInterval'] ?? fields['interval'],
      `accuracy of ${where}`,
    ),
  };
}

function systemOf(json: unknown, at: number): FamilySystem {
  const fields = asObject(json, `systems[${at}]`);
  const name = asString(fields['id'], `id of systems[${at}]`);
  const id = SYSTEM_IDS.find((one) => one === name);
  if (id === undefined)
    throw FILE.broken(`systems[${at}] is "${name}"; known are ${SYSTEM_IDS.join(', ')}.`);
  const told = asObject(fields['figure'], `figure of ${id}`);
  const estimate = estimateOf(told, null, `figure of ${id}`);
  if (estimate === null) throw FILE.broken(`${id} has no figure.`);
  const figure: FamilyFigure = {
    ...estimate,
    name: asString(told['name'], `figure.name of ${id}`),
    control:
      (told['control'] ?? null) === null
        ? null
        : asNumber(told['control'], `figure.control of ${id}`, true),
  };
  const model = measuredModel(fields, id);
  const command = asString(fields['command'], `command of ${id}`);
  return {
    ...model,
    id,
    figure,
    command,
    commit: asString(fields['commit'], `commit of ${id}`),
    isEmulated: fields['emulated'] === true,
    // Where the figure is the accuracy it is not said twice, nor is the folder that the command names.
    accuracy: model.accuracy ?? (figure.name.startsWith('accuracy') ? estimate : null),
    folder: model.folder ?? /--model public\/models\/([\w-]+)/.exec(command)?.[1] ?? null,
  };
}

/** Reads family.json. EngineError `model-corrupt` that names the field. */
export function readFamilyFile(json: unknown): FamilyFile {
  return FILE.read(() => {
    const fields = asObject(json, 'the file');
    const control = asObject(fields['control'], 'control');
    const systems = asArray(fields['systems'], 'systems').map(systemOf);
    const twice = systems.find(({ id }, at) => systems.findIndex((one) => one.id === id) !== at);
    if (twice !== undefined) throw FILE.broken(`${twice.id} is there twice.`);
    return {
      control: {
        ...measuredModel(control, 'control'),
        problems: countOf(control, ['problems'], 'control'),
      },
      systems,
    };
  });
}

/**
 * Owns the reading of models/impact.json: what was measured under seven categories of social impact. A field that says
 * nothing is null; what can't be read at all is named.
 */
import { asArray, asNumber, asObject, asString, type Json } from './config-fields';
import { siteFile } from './site-file';

export const IMPACT_CATEGORIES = [
  'bias',
  'values',
  'disparity',
  'privacy',
  'cost',
  'environment',
  'labour',
] as const;
export type ImpactCategoryId = (typeof IMPACT_CATEGORIES)[number];

export interface Measured {
  readonly name: string;
  /** Null: not measured. */
  readonly value: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  readonly count: number | null;
}

export interface CompetenceGate extends Measured {
  readonly unit: string;
  readonly needed: number | null;
  readonly hasPassed: boolean;
}

export interface ImpactFigure extends Measured {
  readonly id: string;
  /** Null: of the recipe or the app. */
  readonly model: string | null;
  readonly unit: string;
  /** What would say that there is no difference. */
  readonly neutral: number | null;
  readonly groups: readonly Measured[];
  readonly gate: CompetenceGate | null;
  readonly command: string;
  readonly cannotSay: string;
}

export interface ImpactCategory {
  readonly id: ImpactCategoryId;
  readonly summary: string;
  readonly figures: readonly ImpactFigure[];
  readonly table: {
    readonly columns: readonly string[];
    readonly rows: readonly (readonly string[])[];
  } | null;
  readonly licences: readonly {
    readonly name: string;
    readonly licence: string;
    readonly url: string | null;
  }[];
  readonly notes: readonly string[];
}

export interface ImpactFile {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly source: string;
  /** Names of models by their ids. */
  readonly models: ReadonlyMap<string, string>;
  readonly categories: readonly ImpactCategory[];
}

const FILE = siteFile('impact.json', 'the report');

function listOf(fields: Json, name: string, where: string): readonly unknown[] {
  const value = fields[name] ?? null;
  return value === null ? [] : asArray(value, `${name} of ${where}`);
}

function numberOrNull(fields: Json, name: string, where: string): number | null {
  const value = fields[name] ?? null;
  return value === null ? null : asNumber(value, `${name} of ${where}`, true);
}

function textOr(fields: Json, name: string, where: string): string {
  const value = fields[name] ?? null;
  return value === null || value === '' ? '' : asString(value, `${name} of ${where}`);
}

function measuredOf(fields: Json, where: string): Measured {
  const [low, high, ...more] = listOf(fields, 'interval', where).map((end) =>
    asNumber(end, `interval of ${where}`, true),
  );
  if ((low === undefined) !== (high === undefined) || more.length > 0)
    throw FILE.broken(`interval of ${where} is not [low, high].`);
  return {
    name: asString(fields['name'], `name of ${where}`),
    value: numberOrNull(fields, 'value', where),
    interval: low === undefined || high === undefined ? null : [low, high],
    count: numberOrNull(fields, 'n', where),
  };
}

function gateOf(json: unknown, where: string): CompetenceGate | null {
  if (json === undefined || json === null) return null;
  const fields = asObject(json, where);
  return {
    ...measuredOf(fields, where),
    unit: textOr(fields, 'unit', where),
    needed: numberOrNull(fields, 'needed', where),
    hasPassed: fields['passed'] === true,
  };
}

function figureOf(json: unknown, where: string): ImpactFigure {
  const fields = asObject(json, where);
  const model = fields['model'] ?? null;
  return {
    ...measuredOf(fields, where),
    id: asString(fields['id'], `id of ${where}`),
    model: model === null ? null : asString(model, `model of ${where}`),
    unit: textOr(fields, 'unit', where),
    neutral: numberOrNull(fields, 'neutral', where),
    groups: listOf(fields, 'groups', where).map((group, at) => {
      const place = `groups[${at}] of ${where}`;
      return measuredOf(asObject(group, place), place);
    }),
    gate: gateOf(fields['gate'], `gate of ${where}`),
    command: textOr(fields, 'command', where),
    cannotSay: textOr(fields, 'cannotSay', where),
  };
}

function tableOf(json: unknown, where: string): ImpactCategory['table'] {
  if (json === undefined || json === null) return null;
  const fields = asObject(json, where);
  const texts = (list: readonly unknown[]): readonly string[] =>
    list.map((one) => (one === '' ? '' : asString(one, `a cell of ${where}`)));
  return {
    columns: texts(listOf(fields, 'columns', where)),
    rows: listOf(fields, 'rows', where).map((row) => texts(asArray(row, `a row of ${where}`))),
  };
}

function categoryOf(json: unknown, at: number): ImpactCategory {
  const where = `categories[${at}]`;
  const fields = asObject(json, where);
  const name = asString(fields['id'], `id of ${where}`);
  const id = IMPACT_CATEGORIES.find((one) => one === name);
  if (id === undefined)
    throw FILE.broken(`${where} is "${name}"; known are ${IMPACT_CATEGORIES.join(', ')}.`);
  return {
    id,
    summary: textOr(fields, 'summary', id),
    figures: listOf(fields, 'figures', id).map((one, index) =>
      figureOf(one, `figures[${index}] of ${id}`),
    ),
    table: tableOf(fields['table'], `table of ${id}`),
    licences: listOf(fields, 'licences', id).map((one) => {
      const licence = asObject(one, `a licence of ${id}`);
      const url = textOr(licence, 'url', id);
      return {
        name: asString(licence['name'], `name of a licence of ${id}`),
        licence: textOr(licence, 'licence', id),
        url: url.startsWith('https://') ? url : null,
      };
    }),
    notes: listOf(fields, 'notes', id).map((note) => asString(note, `a note of ${id}`)),
  };
}

/** Reads impact.json. EngineError `model-corrupt` that names the field. */
export function readImpactFile(json: unknown): ImpactFile {
  return FILE.read(() => {
    const fields = asObject(json, 'the file');
    const framework = asObject(fields['framework'] ?? {}, 'framework');
    return {
      date: textOr(fields, 'date', 'the file'),
      commit: textOr(fields, 'commit', 'the file'),
      command: textOr(fields, 'command', 'the file'),
      source: textOr(framework, 'source', 'framework'),
      models: new Map(
        listOf(fields, 'models', 'the file').map((one, at) => {
          const model = asObject(one, `models[${at}]`);
          const id = asString(model['id'], `id of models[${at}]`);
          return [id, asString(model['name'] ?? id, `name of ${id}`)] as const;
        }),
      ),
      categories: asArray(fields['categories'], 'categories').map(categoryOf),
    };
  });
}

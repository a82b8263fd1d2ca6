/** Owns the checked reading of single fields of the JSON files that come with a model. Owns no meaning of them. */
import { EngineError } from '../core/errors';

export type Json = Readonly<Record<string, unknown>>;

/** Where a person can go when a file says something that cannot be. */
const OTHER_FILES = 'Get the files of the model again, or choose another model.';

function corrupt(message: string): EngineError {
  return new EngineError('model-corrupt', message, OTHER_FILES);
}

export function asObject(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw corrupt(`${what} is not an object.`);
  return value as Json;
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw corrupt(`${what} is not a list.`);
  return value as unknown[];
}

export function asString(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw corrupt(`${what} is not a text.`);
  return value;
}

/** A finite number; whole and not negative unless `real`. */
export function asNumber(value: unknown, what: string, real = false): number {
  if (
    typeof value !== 'number' ||
    !Number.isFinite(value) ||
    (!real && !(Number.isInteger(value) && value >= 0))
  ) {
    throw corrupt(
      `${what} is ${JSON.stringify(value)}, not a ${real ? 'number' : 'whole number ≥ 0'}.`,
    );
  }
  return value;
}

/** The fields of a config.json; missing ones and null take the fallback where there is one. */
export class ConfigFields {
  readonly json: Json;

  constructor(json: Json) {
    this.json = json;
  }

  /** Whole and not negative; EngineError `model-corrupt` naming the field. */
  number(key: string, fallback?: number): number {
    return asNumber(this.json[key] ?? fallback, `${key} in config.json`);
  }

  /** As {@link number}, but at least 1. */
  size(key: string, fallback?: number): number {
    const value = this.number(key, fallback);
    if (value === 0) throw corrupt(`${key} in config.json is 0, not a size.`);
    return value;
  }

  /** Absent or null gives null. */
  optional(key: string): number | null {
    return (this.json[key] ?? null) === null ? null : this.number(key);
  }

  string(key: string): string {
    return asString(this.json[key], `${key} in config.json`);
  }

  /** A list of texts; null when the field is absent. */
  strings(key: string): readonly string[] | null {
    if ((this.json[key] ?? null) === null) return null;
    return asArray(this.json[key], `${key} in config.json`).map((value, i) =>
      asString(value, `${key}[${i}] in config.json`),
    );
  }

  /** A list of whole numbers; null when the field is absent. */
  numbers(key: string): readonly number[] | null {
    if ((this.json[key] ?? null) === null) return null;
    return asArray(this.json[key], `${key} in config.json`).map((value, i) =>
      asNumber(value, `${key}[${i}] in config.json`),
    );
  }

  object(key: string): ConfigFields {
    return new ConfigFields(asObject(this.json[key], `${key} in config.json`));
  }
}

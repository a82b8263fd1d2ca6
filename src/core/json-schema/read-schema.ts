/**
 * Owns the reading of a JSON Schema as a grammar of the answers that satisfy it. A stated part of the language: what is not
 * understood is refused with its place, never passed over. The grammar may be narrower than the schema (no properties that
 * it does not name, numbers without exponents), so that each answer satisfies it.
 *
 * Understood: type, enum, const, properties, required, additionalProperties, items, prefixItems, minItems, maxItems,
 * minLength, maxLength, minimum, maximum, exclusiveMinimum, exclusiveMaximum, anyOf, oneOf of different types, allOf of one,
 * $ref into the schema itself. Notes without force (title, description, format, …) are read over.
 */
import { EngineError } from '../errors';
import {
  bytewiseCosts,
  choiceOf,
  LeastTokens,
  sequenceOf,
  textNode,
  type GrammarNode,
  type NamedNode,
} from './grammar';
import { NumberRange } from './number-range';

type JsonObject = Readonly<Record<string, unknown>>;
/** As it comes out of JSON.parse; what is in it is read here. */
export type JsonSchema = boolean | JsonObject;

const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const;
type JsonType = (typeof TYPES)[number];

/** Keywords that say nothing about what is valid. */
const NOTES: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  // By the standard a note, unless a validator is told to assert it.
  'format',
]);

/** Keywords that bind values of one type only, by that type. */
const OF_TYPE = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
} as const;
const UNDERSTOOD: ReadonlySet<string> = new Set(['type', ...Object.values(OF_TYPE).flat()]);

/** A schema of more parts is none that a person wrote. */
const MAX_PARTS = 5_000;
/** Values of an `enum`, properties of an object: each is a branch of the grammar. */
const MAX_BRANCHES = 500;

const GAP: GrammarNode = { kind: 'gap' };

function refusal(place: string, what: string, remedy: string): EngineError {
  const where = place === '' ? 'The schema' : `The schema at ${place}`;
  return new EngineError('schema', `${where} ${what}.`, remedy);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOfValue(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  const type = typeof value;
  return type === 'string' || type === 'boolean' ? type : 'object';
}

const hasType = (value: unknown, types: readonly JsonType[]): boolean => {
  const type = typeOfValue(value);
  return types.includes(type) || (type === 'integer' && types.includes('number'));
};

class SchemaReader {
  readonly #root: unknown;
  readonly #references = new Map<string, NamedNode>();
  #any: NamedNode | null = null;
  #parts = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  read(schema: unknown, place: string): GrammarNode {
    this.#parts += 1;
    if (this.#parts > MAX_PARTS)
      throw refusal('', `has more than ${MAX_PARTS} parts`, 'Use a smaller one.');
    if (schema === true) return this.#anything();
    if (schema === false)
      throw refusal(place, 'is `false`, which nothing satisfies', 'Leave that part out.');
    if (!isObject(schema))
      throw refusal(place, 'is no object', 'A schema looks like {"type": "object", …}.');
    const keywords = Object.keys(schema).filter((key) => !NOTES.has(key));
    for (const key of ['$ref', 'anyOf', 'oneOf', 'allOf', 'const', 'enum'] as const) {
      if (!keywords.includes(key)) continue;
      const isValues = key === 'const' || key === 'enum';
      const other = keywords.find((one) => one !== key && !(isValues && one === 'type'));
      if (other !== undefined)
        throw refusal(
          place,
          `has \`${other}\` beside \`${key}\`, which is not understood here`,
          `Put it into the parts of \`${key}\`, or leave it out.`,
        );
      return this.#combined(key, schema, place);
    }
    const unknown = keywords.find((key) => !UNDERSTOOD.has(key));
    if (unknown !== undefined)
      throw refusal(
        place,
        `has \`${unknown}\`, which is not understood here`,
        'Leave it out, and check the answer for it yourself.',
      );
    const types = this.#typesOf(schema, place);
    if (types === null) return this.#anything();
    return choiceOf(types.map((type) => this.#ofType(type, schema, place)));
  }

  #combined(
    key: '$ref' | 'anyOf' | 'oneOf' | 'allOf' | 'const' | 'enum',
    schema: JsonObject,
    place: string,
  ): GrammarNode {
    const value = schema[key];
    if (key === '$ref') return this.#reference(value, place);
    if (key === 'const') return this.#values([value], schema, place);
    if (!Array.isArray(value) || value.length === 0 || value.length > MAX_BRANCHES)
      throw refusal(`${place}/${key}`, `is no list of 1 to ${MAX_BRANCHES}`, 'Give it some.');
    const list = value as readonly unknown[];
    if (key === 'enum') return this.#values(list, schema, place);
    if (key === 'allOf' && list.length > 1)
      throw refusal(place, 'has `allOf` of several', 'Write what they ask for as one schema.');
    if (key === 'oneOf' && !areApart(list.map((one) => this.#typesToldBy(one))))
      throw refusal(
        place,
        'has `oneOf` whose schemas may hold for the same value',
        'Write `anyOf`, or give each of them another `type`.',
      );
    return choiceOf(list.map((one, index) => this.read(one, `${place}/${key}/${index}`)));
  }

  /** Types that a schema's own words allow; null where they do not tell. */
  #typesToldBy(schema: unknown): readonly JsonType[] | null {
    if (!isObject(schema)) return null;
    if (Object.hasOwn(schema, 'const')) return [typeOfValue(schema['const'])];
    if (Array.isArray(schema['enum'])) return schema['enum'].map(typeOfValue);
    if (schema['type'] === undefined) return null;
    return this.#typesOf(schema, '');
  }

  #typesOf(schema: JsonObject, place: string): readonly JsonType[] | null {
    const { type } = schema;
    if (type !== undefined) {
      const list: readonly unknown[] = Array.isArray(type) ? type : [type];
      const known = TYPES.filter((one) => list.includes(one));
      if (known.length === 0 || known.length !== new Set(list).size)
        throw refusal(
          `${place}/type`,
          'names no type of JSON',
          `The types are ${TYPES.join(', ')}.`,
        );
      return known.includes('number') ? known.filter((one) => one !== 'integer') : known;
    }
    // Words for one type without a type: values of that type satisfy them.
    const told = TYPES.filter(
      (one) => one in OF_TYPE && OF_TYPE[one as keyof typeof OF_TYPE].some((key) => key in schema),
    );
    return told.length === 0 ? null : told;
  }

  #ofType(type: JsonType, schema: JsonObject, place: string): GrammarNode {
    switch (type) {
      case 'object':
        return this.#object(schema, place);
      case 'array':
        return this.#array(schema, place);
      case 'string': {
        const { min, max } = countsOf(schema, 'minLength', 'maxLength', place);
        return { kind: 'string', min, max };
      }
      case 'number':
      case 'integer':
        return numberOf(schema, type === 'integer', place);
      case 'boolean':
        return choiceOf([textNode('true'), textNode('false')]);
      case 'null':
        return textNode('null');
    }
  }

  #values(values: readonly unknown[], schema: JsonObject, place: string): GrammarNode {
    const types = schema['type'] === undefined ? TYPES : (this.#typesOf(schema, place) ?? TYPES);
    const fitting = values.filter((value) => hasType(value, types));
    if (fitting.length === 0)
      throw refusal(place, 'allows no value: none has its `type`', 'Mend its `type`.');
    return choiceOf(
      [...new Set(fitting.map((value) => JSON.stringify(value)))].map((text) => textNode(text)),
    );
  }

  #reference(target: unknown, place: string): NamedNode {
    if (typeof target !== 'string' || (target !== '#' && !target.startsWith('#/')))
      throw refusal(
        `${place}/$ref`,
        'leads out of the schema',
        'Put what it names under `$defs`, and write "#/$defs/…".',
      );
    const known = this.#references.get(target);
    if (known !== undefined) return known;
    const node: NamedNode = { kind: 'named', target: null };
    this.#references.set(target, node);
    let found: unknown = this.#root;
    for (const step of target.split('/').slice(1)) {
      const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
      found =
        typeof found === 'object' && found !== null && Object.hasOwn(found, key)
          ? (found as JsonObject)[key]
          : undefined;
    }
    if (found === undefined)
      throw refusal(`${place}/$ref`, `names ${target}, which is not there`, 'Mend the name.');
    node.target = this.read(found, target.slice(1));
    return node;
  }

  /** Any JSON value. */
  #anything(): NamedNode {
    if (this.#any !== null) return this.#any;
    const any: NamedNode = { kind: 'named', target: null };
    this.#any = any;
    any.target = choiceOf([
      { kind: 'string', min: 0, max: null },
      numberOf({}, false, ''),
      textNode('true'),
      textNode('false'),
      textNode('null'),
      listOf('[', any, ']', 0, null),
      mapOf(any),
    ]);
    return any;
  }

  #array(schema: JsonObject, place: string): GrammarNode {
    const { min, max } = countsOf(schema, 'minItems', 'maxItems', place);
    const { items, prefixItems } = schema;
    if (Array.isArray(items))
      throw refusal(`${place}/items`, 'is a list', 'Write `prefixItems` for it.');
    if (prefixItems === undefined) {
      if (items === false || max === 0) {
        if (min > 0) throw refusal(place, 'asks for items and allows none', 'Lower `minItems`.');
        return textNode('[]');
      }
      const item = this.read(items ?? true, `${place}/items`);
      return listOf('[', item, ']', min, max);
    }
    if (!Array.isArray(prefixItems) || prefixItems.length > MAX_BRANCHES)
      throw refusal(`${place}/prefixItems`, 'is no list of schemas', 'Give it one.');
    const first = (prefixItems as readonly unknown[])
      .slice(0, max ?? undefined)
      .map((one, index) => this.read(one, `${place}/prefixItems/${index}`));
    // Further items only where so many are asked for.
    const missing = Math.max(0, min - first.length);
    if (missing > 0 && items === false)
      throw refusal(place, 'asks for more items than it allows', 'Lower `minItems`.');
    if (missing > MAX_BRANCHES) throw refusal(place, 'asks for too many items', 'Ask for fewer.');
    const item = missing === 0 ? null : this.read(items ?? true, `${place}/items`);
    const all = [...first, ...Array.from({ length: missing }, () => item ?? GAP)];
    const parts = all.flatMap((one, index) => (index === 0 ? [one] : [textNode(','), GAP, one]));
    return sequenceOf(textNode('['), GAP, ...parts, GAP, textNode(']'));
  }

  /** The properties in the order in which the schema names them; those it does not require may be left out. */
  #object(schema: JsonObject, place: string): GrammarNode {
    const { properties = {}, required = [], additionalProperties = true } = schema;
    if (!isObject(properties))
      throw refusal(`${place}/properties`, 'is no object', 'Name the properties in it.');
    if (!Array.isArray(required) || required.some((name) => typeof name !== 'string'))
      throw refusal(`${place}/required`, 'is no list of names', 'Give it names of properties.');
    const needed = new Set(required as readonly string[]);
    const names = [...new Set([...Object.keys(properties), ...needed])];
    if (names.length > MAX_BRANCHES)
      throw refusal(place, `has more than ${MAX_BRANCHES} properties`, 'Use fewer.');
    if (names.length === 0) {
      if (additionalProperties === false) return textNode('{}');
      return mapOf(this.read(additionalProperties, `${place}/additionalProperties`));
    }
    const values = names.map((name) =>
      Object.hasOwn(properties, name)
        ? this.read(properties[name], `${place}/properties/${name}`)
        : this.read(additionalProperties, `${place}/additionalProperties`),
    );
    // From the last property on: what may follow once something, or nothing yet, was written.
    let afterSome = sequenceOf(GAP, textNode('}'));
    let afterNone = textNode('}');
    for (let at = names.length - 1; at >= 0; at -= 1) {
      const name = names[at] ?? '';
      const pair = [textNode(JSON.stringify(name)), textNode(':'), GAP, values[at] ?? GAP];
      const rest = afterSome;
      const some = sequenceOf(textNode(','), GAP, ...pair, rest);
      const none = sequenceOf(GAP, ...pair, rest);
      const isNeeded = needed.has(name);
      afterSome = isNeeded ? some : choiceOf([some, afterSome]);
      afterNone = isNeeded ? none : choiceOf([none, afterNone]);
    }
    return sequenceOf(textNode('{'), afterNone);
  }
}

/** True when no type is in two of the lists. */
function areApart(lists: readonly (readonly JsonType[] | null)[]): boolean {
  const seen = new Set<string>();
  for (const list of lists) {
    if (list === null) return false;
    // Each whole number is a number.
    const own = new Set(list.map((type) => (type === 'integer' ? 'number' : type)));
    for (const type of own) {
      if (seen.has(type)) return false;
      seen.add(type);
    }
  }
  return true;
}

function listOf(
  open: string,
  item: GrammarNode,
  close: string,
  min: number,
  max: number | null,
): GrammarNode {
  const more = sequenceOf(textNode(','), GAP, item);
  const filled = sequenceOf(
    GAP,
    { kind: 'repeat', item, more, min: Math.max(1, min), max },
    GAP,
    textNode(close),
  );
  return sequenceOf(textNode(open), min > 0 ? filled : choiceOf([textNode(close), filled]));
}

function mapOf(value: GrammarNode): GrammarNode {
  const key: GrammarNode = { kind: 'string', min: 0, max: null };
  return listOf('{', sequenceOf(key, textNode(':'), GAP, value), '}', 0, null);
}

function countsOf(
  schema: JsonObject,
  minKey: string,
  maxKey: string,
  place: string,
): { min: number; max: number | null } {
  const read = (key: string): number | null => {
    const value = schema[key];
    if (value === undefined) return null;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw refusal(`${place}/${key}`, 'is no whole number of 0 or more', 'Mend the number.');
  };
  const min = read(minKey) ?? 0;
  const max = read(maxKey);
  if (max !== null && max < min)
    throw refusal(place, `has a \`${maxKey}\` below its \`${minKey}\``, 'Mend one of them.');
  return { min, max };
}

function numberOf(schema: JsonObject, isInteger: boolean, place: string): GrammarNode {
  const read = (key: string): number | null => {
    const value = schema[key];
    if (value === undefined) return null;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw refusal(`${place}/${key}`, 'is no number', 'Mend it.');
  };
  const range = new NumberRange({
    isInteger,
    minimum: read('minimum'),
    maximum: read('maximum'),
    exclusiveMinimum: read('exclusiveMinimum'),
    exclusiveMaximum: read('exclusiveMaximum'),
  });
  if (!Number.isFinite(range.leastMore('')))
    throw refusal(
      place,
      'leaves no number of at most 15 digits between its bounds',
      'Mend the bounds.',
    );
  return { kind: 'number', range };
}

/** The grammar of the answers that satisfy a JSON Schema; EngineError `schema` where it is not one that is understood. */
export function grammarOf(schema: JsonSchema): GrammarNode {
  const value = new SchemaReader(schema).read(schema, '');
  // Models begin with a line's end or a blank; JSON does not mind.
  const grammar = sequenceOf(GAP, value);
  if (!Number.isFinite(new LeastTokens(grammar, bytewiseCosts).of(grammar)))
    throw refusal(
      '',
      'has no answer that ends: a part of it needs itself',
      'Let that part be left out.',
    );
  return grammar;
}

/** Reads a schema that a person wrote; EngineError `schema` with what to mend. */
export function parseSchema(text: string): JsonSchema {
  let schema: JsonSchema;
  try {
    schema = JSON.parse(text) as JsonSchema;
  } catch (cause) {
    const said = cause instanceof Error ? ` (${cause.message})` : '';
    throw new EngineError(
      'schema',
      `The schema is no JSON${said}.`,
      'A schema looks like {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}.',
      { cause },
    );
  }
  grammarOf(schema);
  return schema;
}

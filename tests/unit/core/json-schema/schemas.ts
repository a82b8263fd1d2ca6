/** Owns schemas and vocabularies that tests draw at random, and the judge that is not ours: Ajv. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { JsonSchema } from '../../../../src/core/json-schema/read-schema';
import { TokenTable } from '../../../../src/core/json-schema/token-table';

/** True when the value satisfies the schema, by Ajv. */
export function satisfies(schema: JsonSchema, value: unknown): boolean {
  return new Ajv2020({ strict: false, validateFormats: false }).validate(schema, value);
}

interface Drawn {
  schema: JsonSchema;
  /** A value that satisfies it. */
  value: unknown;
}

const text = fc.string({ unit: 'binary', maxLength: 6 }).filter((one) => one.isWellFormed());
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 5 }),
  fc.constantFrom('a "b"', 'ü', '\n'),
);

const leaf: fc.Arbitrary<Drawn> = fc.oneof(
  fc.constantFrom(true, false).map((value): Drawn => ({ schema: { type: 'boolean' }, value })),
  fc.constant<Drawn>({ schema: { type: 'null' }, value: null }),
  text.map((value): Drawn => ({ schema: { type: 'string' }, value })),
  fc.tuple(text, fc.nat(2), fc.nat(2)).map(([value, below, above]): Drawn => {
    const length = Array.from(value).length;
    const schema = {
      type: 'string',
      minLength: Math.max(0, length - below),
      maxLength: length + above,
    };
    return { schema, value };
  }),
  fc
    .tuple(fc.integer({ min: -2000, max: 2000 }), fc.nat(30), fc.nat(30))
    .map(([value, below, above]): Drawn => ({
      schema: { type: 'integer', minimum: value - below, maximum: value + above },
      value,
    })),
  fc
    .tuple(fc.integer({ min: -5000, max: 5000 }), fc.nat(40), fc.integer({ min: 1, max: 40 }))
    .map(([cents, below, above]): Drawn => ({
      schema: {
        type: 'number',
        minimum: (cents - below) / 100,
        exclusiveMaximum: (cents + above) / 100,
      },
      value: cents / 100,
    })),
  fc
    .tuple(fc.array(fc.jsonValue({ maxDepth: 2 }), { minLength: 1, maxLength: 4 }), fc.nat(3))
    .map(([values, at]): Drawn => {
      // As JSON would give them back: -0 is 0 there.
      const list = JSON.parse(JSON.stringify(values)) as unknown[];
      return { schema: { enum: list }, value: list[at % list.length] };
    }),
);

/** A schema of those that are understood, with a value that satisfies it. */
export const { drawn } = fc.letrec<{ drawn: Drawn }>((tie) => ({
  drawn: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .tuple(fc.array(tie('drawn'), { maxLength: 3 }), fc.nat(2), fc.boolean())
      .map(([items, above, isTuple]): Drawn => {
        const value = items.map((item) => item.value);
        if (isTuple && items.length > 0) {
          const prefixItems = items.map((item) => item.schema);
          return { schema: { type: 'array', prefixItems, items: false }, value };
        }
        const schemas = items.map((item) => item.schema);
        const item = schemas.length === 0 ? { type: 'null' } : { anyOf: schemas };
        return {
          schema: {
            type: 'array',
            items: item,
            minItems: items.length,
            maxItems: items.length + above,
          },
          value,
        };
      }),
    fc
      .uniqueArray(fc.record({ key: name, of: tie('drawn'), needed: fc.boolean() }), {
        maxLength: 4,
        selector: ({ key }) => key,
      })
      .map((entries): Drawn => {
        const properties = Object.fromEntries(entries.map(({ key, of }) => [key, of.schema]));
        // In the schema's own order, with some of those left out that may be.
        const there = entries.filter(({ needed }, index) => needed || index % 2 === 0);
        const required = entries.filter(({ needed }) => needed).map(({ key }) => key);
        const values = new Map(there.map(({ key, of }) => [key, of.value]));
        const order = Object.keys(properties).filter((key) => values.has(key));
        return {
          schema: { type: 'object', properties, required, additionalProperties: false },
          value: Object.fromEntries(order.map((key) => [key, values.get(key)])),
        };
      }),
  ),
}));

const PIECES = [
  '{"',
  '":',
  '", "',
  '"}',
  '[]',
  '{}',
  'true',
  'false',
  'null',
  ', ',
  '\n  ',
  '12',
  'the',
  ' é',
  '"name": ',
];

/** All bytes by themselves, and some longer pieces, as a small tokenizer has them; the last id ends an answer. */
export const TABLE = new TokenTable(256 + PIECES.length, (id) =>
  id < 256 ? Uint8Array.of(id) : new TextEncoder().encode(PIECES[id - 256]),
);

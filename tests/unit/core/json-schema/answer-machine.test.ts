import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../../src/core/errors';
import { AnswerMachine } from '../../../../src/core/json-schema/answer-machine';
import { bytewiseCosts } from '../../../../src/core/json-schema/grammar';
import { NumberRange } from '../../../../src/core/json-schema/number-range';
import {
  grammarOf,
  parseSchema,
  type JsonSchema,
} from '../../../../src/core/json-schema/read-schema';
import { TokenMask } from '../../../../src/core/json-schema/token-mask';
import { drawn, satisfies, TABLE } from './schemas';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const machineOf = (schema: JsonSchema): AnswerMachine =>
  new AnswerMachine(grammarOf(schema), bytewiseCosts);

/** True when the text is a whole answer of this form. */
function takes(schema: JsonSchema, text: string): boolean {
  const machine = machineOf(schema);
  return machine.read(machine.start, encode(text))?.isWhole === true;
}

/** Writes an answer in `tokens` tokens at most, each drawn by chance from the mask. */
function writeByChance(
  schema: JsonSchema,
  tokens: number,
  chances: fc.Stream<number>,
): string | null {
  const machine = new AnswerMachine(grammarOf(schema), TABLE.costs);
  const mask = new TokenMask(TABLE, machine);
  if (machine.start.least > tokens) return null;
  const bytes: number[] = [];
  let state = machine.start;
  for (let left = tokens; left > 0; left -= 1) {
    const allowed: number[] = [];
    mask.forEach(state, left, (id) => allowed.push(id));
    if (state.isWhole && (allowed.length === 0 || (chances.next().value ?? 0) % 4 === 0)) break;
    expect(allowed, `after ${new TextDecoder().decode(Uint8Array.from(bytes))}`).not.toEqual([]);
    const id = allowed[(chances.next().value ?? 0) % allowed.length] ?? 0;
    const more = TABLE.bytesOf(id) ?? new Uint8Array();
    bytes.push(...more);
    const next = machine.read(state, more);
    if (next === null) throw new Error('the mask allowed what no answer has');
    state = next;
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
}

describe('the form of an answer', () => {
  it('takes what satisfies the schema', () => {
    fc.assert(
      fc.property(drawn, ({ schema, value }) => {
        expect(satisfies(schema, value)).toBe(true);
        expect(takes(schema, JSON.stringify(value))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('lets no other answer through: each that is drawn by chance parses and satisfies it', () => {
    fc.assert(
      fc.property(
        drawn,
        fc.integer({ min: 1, max: 120 }),
        fc.infiniteStream(fc.nat()),
        ({ schema }, tokens, chances) => {
          const text = writeByChance(schema, tokens, chances);
          if (text === null) return;
          expect(satisfies(schema, JSON.parse(text))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps its word where few tokens are left, in any JSON as well', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.infiniteStream(fc.nat()),
        (tokens, chances) => {
          const text = writeByChance(true, tokens, chances) ?? '';
          expect(() => JSON.parse(text) as unknown).not.toThrow();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('allows exactly the tokens that keep the answer within its form', () => {
    fc.assert(
      fc.property(drawn, fc.nat(), ({ schema, value }, place) => {
        const machine = new AnswerMachine(grammarOf(schema), TABLE.costs);
        const bytes = encode(JSON.stringify(value));
        const state = machine.read(machine.start, bytes.subarray(0, place % (bytes.length + 1)));
        if (state === null) throw new Error('a beginning was refused');
        const allowed: number[] = [];
        new TokenMask(TABLE, machine).forEach(state, Infinity, (id) => allowed.push(id));
        const byHand = Array.from(TABLE.all.ids).filter(
          (id) => machine.read(state, TABLE.bytesOf(id) ?? []) !== null,
        );
        expect([...allowed].sort()).toEqual([...byHand].sort());
      }),
      { numRuns: 60 },
    );
  });

  it('has properties in the order of the schema, and those left out that may be', () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, people: { type: 'integer', minimum: 0 } },
      required: ['city'],
    };
    expect(takes(schema, '{"city": "Lima", "people": 11}')).toBe(true);
    expect(takes(schema, '{\n  "city": "Lima"\n}')).toBe(true);
    expect(takes(schema, '{"people": 11, "city": "Lima"}')).toBe(false);
    expect(takes(schema, '{"city": "Lima", "people": -1}')).toBe(false);
    expect(takes(schema, '{"city": "Lima"')).toBe(false);
    expect(takes(schema, '{"city": "Lima"} and more')).toBe(false);
  });

  it('follows names within the schema, also into themselves', () => {
    const schema = {
      $defs: {
        tree: {
          type: 'object',
          properties: {
            leaf: { type: 'integer' },
            twigs: { type: 'array', items: { $ref: '#/$defs/tree' } },
          },
          required: ['leaf'],
        },
      },
      $ref: '#/$defs/tree',
    };
    expect(takes(schema, '{"leaf":1,"twigs":[{"leaf":2},{"leaf":3,"twigs":[]}]}')).toBe(true);
    expect(takes(schema, '{"leaf":1,"twigs":[{"twigs":[]}]}')).toBe(false);
  });

  it('takes whole characters only, and no control character', () => {
    const schema = { type: 'string', minLength: 2, maxLength: 2 };
    expect(takes(schema, '"é😀"')).toBe(true);
    expect(takes(schema, '"\\u00e9\\n"')).toBe(true);
    expect(takes(schema, '"a"')).toBe(false);
    expect(takes(schema, '"abc"')).toBe(false);
    expect(takes(schema, '"a\n"')).toBe(false);
    expect(takes(schema, '"\\ud83d\\ude00"')).toBe(false);
    const machine = machineOf(schema);
    expect(machine.read(machine.start, [0x22, 0xc3, 0x22])).toBeNull();
    expect(machine.read(machine.start, [0x22, 0xed, 0xa0])).toBeNull();
  });
});

describe('numbers within bounds', () => {
  it('can always be ended as soon as is said, and are within them', () => {
    const bound = fc.oneof(
      fc.integer({ min: -3000, max: 3000 }),
      fc.double({ min: -50, max: 50, noNaN: true }).map((x) => Number(x.toFixed(3))),
    );
    fc.assert(
      fc.property(
        bound,
        bound,
        fc.boolean(),
        fc.boolean(),
        fc.infiniteStream(fc.nat()),
        (a, b, isInteger, isOpen, chances) => {
          const [low, high] = a < b ? [a, b] : [b, a];
          const range = new NumberRange({
            isInteger,
            minimum: isOpen ? null : low,
            maximum: isOpen ? null : high,
            exclusiveMinimum: isOpen ? low : null,
            exclusiveMaximum: isOpen ? high : null,
          });
          const wholes = isOpen
            ? Math.ceil(high) - Math.floor(low) - 1
            : Math.floor(high) - Math.ceil(low) + 1;
          if (isInteger) expect(Number.isFinite(range.leastMore(''))).toBe(wholes > 0);
          if (!Number.isFinite(range.leastMore(''))) return;
          let text = '';
          for (;;) {
            const least = range.leastMore(text);
            const more = Array.from('-.0123456789').filter((char) =>
              Number.isFinite(range.leastMore(text + char)),
            );
            if (least === 0 && (more.length === 0 || (chances.next().value ?? 0) % 3 === 0)) break;
            expect(
              Math.min(...more.map((char) => range.leastMore(text + char))),
            ).toBeLessThanOrEqual(Math.max(least, 1));
            if (least > 0)
              expect(more.some((char) => range.leastMore(text + char) === least - 1)).toBe(true);
            text += more[(chances.next().value ?? 0) % more.length] ?? '';
          }
          const value = JSON.parse(text) as number;
          if (isInteger) expect(Number.isInteger(value)).toBe(true);
          expect(isOpen ? value > low && value < high : value >= low && value <= high).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('schemas that are not understood', () => {
  it.each([
    ['no JSON', '{', 'is no JSON'],
    ['no schema', '"text"', 'is no object'],
    ['an unknown type', '{"type":"date"}', 'names no type'],
    [
      'a pattern',
      '{"properties":{"id":{"type":"string","pattern":"^a"}}}',
      '/properties/id has `pattern`',
    ],
    ['several at once', '{"allOf":[{},{}]}', '`allOf` of several'],
    [
      'one of two that overlap',
      '{"oneOf":[{"type":"integer"},{"type":"number"}]}',
      'may hold for the same value',
    ],
    [
      'a word beside a name',
      '{"$ref":"#/$defs/a","minLength":1,"$defs":{"a":true}}',
      '`minLength` beside `$ref`',
    ],
    ['a name that is not there', '{"$ref":"#/$defs/a"}', 'which is not there'],
    ['another file', '{"$ref":"https://example.org/a"}', 'leads out of the schema'],
    [
      'what needs itself',
      '{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}',
      'no answer that ends',
    ],
    ['no number', '{"type":"integer","minimum":1.2,"maximum":1.8}', 'leaves no number'],
    ['no value', '{"type":"string","enum":[1,2]}', 'allows no value'],
    [
      'a longest below a least',
      '{"type":"string","minLength":3,"maxLength":2}',
      'below its `minLength`',
    ],
  ])('%s is refused with its place', (_, text, said) => {
    const refused = ((): unknown => {
      try {
        return parseSchema(text);
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toBeInstanceOf(EngineError);
    expect((refused as EngineError).code).toBe('schema');
    expect((refused as EngineError).message).toContain(said);
    expect((refused as EngineError).remedy).not.toBe('');
  });
});

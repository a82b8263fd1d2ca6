import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatClock } from '../../../../src/core/tools/clock';
import { runTool, TOOL_SCHEMAS } from '../../../../src/core/tools/run-tool';
import { readPythonCalls, writePythonCalls } from '../../../../src/core/tools/python-call';
import {
  formatToolCall,
  parseToolCalls,
  splitToolCall,
  TOOL_CALL_FORMS,
} from '../../../../src/core/tools/tool-call';

const TEXT = `<tool_call>
<function=calculator>
<parameter=expression>
12 * 3
</parameter>
</function>
</tool_call>`;
const CALL = { name: 'calculator', arguments: { expression: '12 * 3' } };

describe('tool calls', () => {
  test('the form of the template is read', () => {
    expect(parseToolCalls(TEXT)).toEqual([CALL]);
  });

  test.each([
    [
      'without line breaks',
      '<function=calculator><parameter=expression>12 * 3</parameter></function>',
    ],
    [
      'with stray blanks',
      ' <function = calculator >\n\n <parameter= expression > 12 * 3 \n</parameter> </function>',
    ],
    ['without closes', '<function=calculator>\n<parameter=expression>\n12 * 3\n'],
  ])('%s', (_, text) => {
    expect(parseToolCalls(text)).toEqual([CALL]);
  });

  test('several parameters, one unclosed', () => {
    const text = '<function=f><parameter=a>1<parameter=b>\n2\n3\n</parameter></function>';
    expect(parseToolCalls(text)).toEqual([{ name: 'f', arguments: { a: '1', b: '2\n3' } }]);
  });

  test.each([
    '',
    'calculator(1)',
    '<function=>',
    '<function=a b>',
    '{"name": "calculator", "arguments": {"expression": "1',
    '{"name": "a b", "arguments": {}}',
    '{"name": "calculator", "arguments": [1]}',
    '[{"name": "clock"}, 5]',
    'null',
    "[calculator(expression='12 * 3",
    "[calculator(expression='1'), calc",
    '[calculator(expression=)]',
    "[calculator(expression='1')] and more",
  ])('%s is no call', (text) => {
    expect(parseToolCalls(text)).toEqual([]);
  });

  test.each([
    [
      'Qwen3 and Granite 4.0',
      '<tool_call>\n{"name": "calculator", "arguments": {"expression": "12 * 3"}}\n</tool_call>',
    ],
    [
      'arguments as a text of JSON',
      '{"name": "calculator", "arguments": "{\\"expression\\": \\"12 * 3\\"}"}',
    ],
    ['parameters for arguments', '{"name": "calculator", "parameters": {"expression": "12 * 3"}}'],
    ['LFM2.5', "<|tool_call_start|>[calculator(expression='12 * 3')]<|tool_call_end|>"],
    ['LFM2', '[calculator(expression="12 * 3")]'],
    ['without brackets', "calculator( expression = '12 * 3' )"],
    ['a list cut off after its call', "[calculator(expression='12 * 3')"],
  ])('%s', (_, text) => {
    expect(parseToolCalls(text)).toEqual([CALL]);
  });

  test('several calls at once, and values that are no text', () => {
    const lfm =
      '[clock(), f(n=3, on=True, list=[1, "a, )"], map={"k": (1, 2)}, text="it\\\'s, \\n \'so\'")]';
    expect(parseToolCalls(lfm)).toEqual([
      { name: 'clock', arguments: {} },
      {
        name: 'f',
        arguments: {
          n: '3',
          on: 'True',
          list: '[1, "a, )"]',
          map: '{"k": (1, 2)}',
          text: "it's, \n 'so'",
        },
      },
    ]);
    expect(
      parseToolCalls('[{"name": "clock"}, {"name": "f", "arguments": {"n": 3, "o": {"k": [1]}}}]'),
    ).toEqual([
      { name: 'clock', arguments: {} },
      { name: 'f', arguments: { n: '3', o: '{"k":[1]}' } },
    ]);
  });

  test('an apostrophe inside a text does not end it', () => {
    expect(readPythonCalls("[f(text='the dog's bone', n=1)]")).toEqual([
      { name: 'f', arguments: { text: "the dog's bone", n: '1' } },
    ]);
  });

  test('what is written is read back', () => {
    const names = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/);
    const values = fc.string().map((text) => text.replace(/[<>]/g, '').trim());
    fc.assert(
      fc.property(
        names,
        fc.uniqueArray(fc.tuple(names, values), { selector: ([name]) => name }),
        (name, given) => {
          const call = { name, arguments: Object.fromEntries(given) };
          expect(parseToolCalls(formatToolCall(call))).toEqual([call]);
          for (const form of TOOL_CALL_FORMS)
            expect(parseToolCalls(form.write([call]))).toEqual([call]);
          const other = { name: 'clock', arguments: {} };
          expect(readPythonCalls(writePythonCalls([call, other]))).toEqual([call, other]);
        },
      ),
    );
  });

  test('junk never throws', () => {
    const junk = fc.array(
      fc.constantFrom(
        '<function=',
        'a',
        '>',
        '<parameter=',
        '</parameter>',
        '</function>',
        '\n',
        '<tool_call>',
        '</tool_call>',
        '[',
        '(',
        "'",
        ',',
        '=',
        '{"name":',
        '<|tool_call_start|>',
      ),
    );
    fc.assert(
      fc.property(junk, (pieces) => {
        const split = splitToolCall(pieces.join(''));
        expect(Array.isArray(parseToolCalls(pieces.join('')))).toBe(true);
        expect(split.call === null || split.call.name.length > 0).toBe(true);
      }),
    );
  });

  test('a reply is split at its first call', () => {
    expect(splitToolCall(`Let me see.\n${TEXT}\nmore`)).toEqual({
      before: 'Let me see.',
      call: CALL,
      isOpen: false,
      after: '\nmore',
    });
    expect(splitToolCall('Hm <tool_call>\n<function=calc')).toEqual({
      before: 'Hm',
      call: null,
      isOpen: true,
      after: '',
    });
    expect(splitToolCall('plain ')).toEqual({
      before: 'plain ',
      call: null,
      isOpen: false,
      after: '',
    });
  });
});

describe('tools', () => {
  const now = new Date(2026, 2, 14, 9, 26, 59);
  const both = ['calculator', 'clock'] as const;

  test('calculator and clock answer', () => {
    expect(runTool(CALL, both, now)).toEqual({ content: '36', isError: false });
    expect(runTool({ name: 'clock', arguments: {} }, both, now)).toEqual({
      content: '2026-03-14 09:26',
      isError: false,
    });
  });

  test('errors are answers that the model can read', () => {
    const content = (
      name: string,
      given: Record<string, string>,
      offered: readonly ('calculator' | 'clock')[] = both,
    ) => {
      const result = runTool({ name, arguments: given }, offered, now);
      expect(result.isError).toBe(true);
      return result.content;
    };
    expect(content('calculator', { expression: '1/0' })).toBe('Error: division by zero');
    expect(content('calculator', {})).toMatch(/needs the parameter "expression"/);
    expect(content('rm', {})).toMatch(/no tool "rm"; the tools are calculator, clock/);
    expect(content('clock', {}, ['calculator'])).toMatch(/no tool "clock"/);
  });

  test('a date that is none is refused', () => {
    expect(() => formatClock(new Date(Number.NaN))).toThrow(RangeError);
  });

  test('each schema carries its own name', () => {
    expect(
      Object.entries(TOOL_SCHEMAS).every(([name, schema]) => schema.function.name === name),
    ).toBe(true);
  });
});

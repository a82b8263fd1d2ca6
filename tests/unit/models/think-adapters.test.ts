import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { adapterOf, finishPrompt, THINK_ADAPTERS } from '../../../src/models/think-adapters';
import { thinkFormatOf } from '../../../src/models/think-format';
import {
  createTokenizer,
  type ChatTokenizer,
  type TemplateMessage,
  type TemplateTool,
} from '../../../workers/runtime/hub';
import { buildPrompt } from '../../../workers/prompt';
import { toolTurnIds } from '../../../workers/turn/tool-turn';
import { parseToolCalls } from '../../../src/core/tools/tool-call';
import { TOOL_SCHEMAS } from '../../../src/core/tools/run-tool';
import { addedToken } from '../../added-token';
import { templateText } from '../../conformance/micro-models';

/** A tokenizer of single characters and tags, with a template. */
function tokenizerOf(template: string, special: readonly string[]): ChatTokenizer {
  const vocab: Record<string, number> = {};
  for (let code = 33; code < 127; code += 1) vocab[String.fromCharCode(code)] = code;
  vocab['Ġ'] = 32;
  vocab['Ċ'] = 10;
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  };
  const added = special.map((content, i) => addedToken(200 + i, content));
  return createTokenizer(
    {
      version: '1.0',
      added_tokens: added,
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: null,
      decoder: byteLevel,
      model: { type: 'BPE', vocab, merges: [] },
    },
    {
      tokenizer_class: 'PreTrainedTokenizerFast',
      chat_template: template,
      bos_token: '<s>',
      eos_token: '<|im_end|>',
    },
  );
}

const CHAT: readonly TemplateMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello.' },
  { role: 'user', content: 'And?' },
];
const TAGS = ['<s>', '<|im_start|>', '<|im_end|>', '<think>', '</think>'];

function endOf(template: string, enableThinking: boolean, tags: readonly string[] = TAGS): string {
  const tokenizer = tokenizerOf(templateText(template), tags);
  return tokenizer
    .render(CHAT, { tools: [], enableThinking, addGenerationPrompt: true })
    .join('')
    .slice(-40)
    .replace(/^[\s\S]*assistant/, '…');
}

interface Published {
  readonly tool: TemplateTool;
  readonly cases: Readonly<Record<string, readonly TemplateMessage[]>>;
  readonly templates: Readonly<
    Record<string, { readonly source: string; readonly prompts: Readonly<Record<string, string>> }>
  >;
}

/** What Jinja2 made of the published templates (record.py). */
const PUBLISHED = JSON.parse(
  readFileSync(new URL('../../fixtures/templates/published.json', import.meta.url), 'utf8'),
) as Published;
/** Folder of the published files themselves; without it the fixtures alone are rendered. */
const FOLDER = process.env['TIDEPOOL_TEMPLATES'];

/** The tags that a family's tokenizer has, where not those of most. */
const FAMILY_TAGS: Readonly<Record<string, readonly string[]>> = {
  lfm2: ['<|tool_call_start|>', '<|tool_call_end|>'],
  'lfm2.5-instruct': ['<|tool_call_start|>', '<|tool_call_end|>'],
  'gemma-4': ['<|channel>', '<channel|>'],
  'granite-4.0': ['<tool_call>', '</tool_call>', '<|end_of_text|>'],
};
const ADAPTER_OF: Readonly<Record<string, string | null>> = {
  qwen3: 'enable_thinking',
  'qwen3.5-4b': 'enable_thinking',
  'nemotron-3': 'nemotron',
  'granite-4.0': null,
  lfm2: null,
  'lfm2.5-instruct': 'tags only',
  'gemma-4': '<|think|>',
};
const OTHER_NAMES: Readonly<Record<string, string>> = { 'qwen3.5-4b': 'qwen3.5' };
const FILES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(PUBLISHED.templates).map(([name, { source }]) => [
    name,
    source.slice(source.lastIndexOf('/') + 1),
  ]),
);

function sourcesOf(name: string): [string, string][] {
  const fixture = OTHER_NAMES[name] ?? name;
  const texts: [string, string][] = [['written here', templateText(fixture)]];
  if (FOLDER !== undefined)
    texts.push(['published', readFileSync(`${FOLDER}/${FILES[name] ?? ''}`, 'utf8')]);
  return texts;
}

describe.each(
  Object.keys(PUBLISHED.templates).flatMap((name) =>
    sourcesOf(name).map(([whose, text]) => [name, whose, text] as const),
  ),
)('%s, the template %s', (name, _whose, template) => {
  const tags = [
    ...['<s>', '<|im_start|>', '<|im_end|>'],
    ...(name === 'gemma-4' ? [] : ['<think>', '</think>']),
    ...(FAMILY_TAGS[name] ?? ['<tool_call>', '</tool_call>']),
  ];
  const tokenizer = tokenizerOf(template, tags);
  const prompts = Object.entries(PUBLISHED.templates[name]?.prompts ?? {}).filter(
    // What was written here for Gemma has no tools: the app runs none of its models.
    ([title]) => name !== 'gemma-4' || /^(?:question|turns)/.test(title),
  );

  it('is known to the adapter table', () => {
    expect(tokenizer.adapter?.name ?? null).toBe(ADAPTER_OF[name]);
  });

  it.each(prompts)('gives what the published one gives: %s', (title, prompt) => {
    const enableThinking = title.endsWith(' on');
    const [kind = ''] = title.split(',');
    const messages = PUBLISHED.cases[kind] ?? [];
    const rendered = tokenizer
      .render(
        // The template leaves out the calls, so the app writes them itself: see below.
        name.startsWith('lfm2')
          ? messages.map(({ role, content }) => ({ role, content }))
          : messages,
        {
          tools: kind === 'tools' || kind === 'call' ? [PUBLISHED.tool] : [],
          enableThinking,
          addGenerationPrompt: true,
        },
      )
      .join('');
    const { openText = '', emptyText = '' } = tokenizer.adapter ?? {};
    expect(rendered.startsWith(prompt)).toBe(true);
    expect(['', enableThinking ? openText : emptyText]).toContain(rendered.slice(prompt.length));
    if (tokenizer.adapter !== null)
      expect(rendered.endsWith(enableThinking ? openText : emptyText)).toBe(true);
  });

  // Gemma 4 writes calls in a way of its own, and the app runs none of its models.
  if (name === 'gemma-4') return;
  it('shows a call and its result, in the family’s own form', () => {
    const [user, call, result] = PUBLISHED.cases['call'] ?? [];
    if (user === undefined || call === undefined || result === undefined)
      throw new Error('published.json has no call');
    const options = { tools: [TOOL_SCHEMAS.calculator], enableThinking: false };
    const whole = tokenizer.encode(
      tokenizer.render([user, call, result], { ...options, addGenerationPrompt: true }),
    );
    const textOf = (ids: readonly number[]): string =>
      ids
        .map((id) => tokenizer.pieceOf(id))
        .join('')
        .replaceAll('Ġ', ' ')
        .replaceAll('Ċ', '\n');
    const { toolCall, endIds } = thinkFormatOf(
      (token) => tokenizer.idOf(token),
      [],
      tokenizer.adapter,
    );
    const turn = toolTurnIds(tokenizer, [user, call], ['36'], { ...options, endIds });
    expect(whole.slice(-turn.length)).toEqual(turn);
    expect(textOf(turn)).toContain('36');
    const end = name === 'granite-4.0' ? '<|end_of_text|>' : '<|im_end|>';
    expect(turn[0]).toBe(tokenizer.idOf(end));
    const ids = whole.slice(0, -turn.length);
    const body = ids.slice(ids.lastIndexOf(toolCall?.openId ?? -1));
    expect(parseToolCalls(textOf(body))).toEqual([
      { name: 'calculator', arguments: { expression: '12 * 3' } },
    ]);
  });
});

describe('the adapter table, on published templates', () => {
  it.each([
    ['qwen3', 'enable_thinking', '…\n<think>\n', '…\n<think>\n\n</think>\n\n'],
    ['qwen3.5', 'enable_thinking', '…\n<think>\n', '…\n<think>\n\n</think>\n\n'],
    ['nemotron-3', 'nemotron', '…\n<think>\n', '…\n<think></think>'],
    ['lfm2', null, '…\n', '…\n'],
    ['lfm2.5-instruct', 'tags only', '…\n<think>\n', '…\n<think></think>'],
    ['lfm2.5', 'tags only', '…\n<think>\n', '…\n<think></think>'],
    ['granite-4.0', null, '…<|end_of_role|>', '…<|end_of_role|>'],
    ['olmo-3', null, '…\n', '…\n'],
    ['falcon-h1-reduced', null, '…\n', '…\n'],
  ])('%s: %s', (name, adapter, on, off) => {
    const has = (token: string): boolean => TAGS.includes(token);
    expect(adapterOf(templateText(name), has)?.name ?? null).toBe(adapter);
    expect([endOf(name, true), endOf(name, false)]).toEqual([on, off]);
  });

  it.each([
    ['qwen3', '<think>', '</think>', '…\n<think>\n', '…\n<think>\n\n</think>\n\n'],
    ['lfm2.5', '<think>', '</think>', '…\n<think>\n', '…\n<think></think>'],
  ])(
    'leads %s by the text of its tags where they are no single tokens',
    (name, open, close, on, off) => {
      const few = ['<|im_start|>', '<|im_end|>'];
      expect([endOf(name, true, few), endOf(name, false, few)]).toEqual([on, off]);
      const tokenizer = tokenizerOf(templateText(name), few);
      const { think } = thinkFormatOf((token) => tokenizer.idOf(token), [], tokenizer.adapter);
      expect(think).toMatchObject({ openId: -1, closeId: -2, tags: { open, close } });
    },
  );

  it.each([
    ['tokens', ['[THINK]', '[/THINK]']],
    ['letters', []],
  ])('knows [THINK] as %s', (_, tags) => {
    const template =
      "{% for m in messages %}{{ '[INST]' + m.content + '[/INST]' }}{% if m.thinking %}{{ '[THINK]' + m.thinking + '[/THINK]' }}{% endif %}{% endfor %}";
    const tokenizer = tokenizerOf(template, tags);
    expect(tokenizer.adapter?.name).toBe('[THINK]');
    const end = (enableThinking: boolean): string =>
      tokenizer.render(CHAT, { tools: [], enableThinking, addGenerationPrompt: true }).join('');
    expect(end(true).endsWith('[/INST][THINK]')).toBe(true);
    expect(end(false).endsWith('[/INST]')).toBe(true);
    const { think } = thinkFormatOf((token) => tokenizer.idOf(token), [], tokenizer.adapter);
    expect(think?.tags === undefined).toBe(tags.length > 0);
  });

  it('renders tool calls and their results with every template', () => {
    const messages: TemplateMessage[] = [
      { role: 'user', content: 'What time is it?' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ type: 'function', function: { name: 'clock', arguments: { zone: 'UTC' } } }],
      },
      { role: 'tool', content: '12:00' },
    ];
    for (const name of ['qwen3', 'qwen3.5', 'lfm2.5', 'granite-4.0']) {
      const tokenizer = tokenizerOf(templateText(name), TAGS);
      const text = tokenizer
        .render(messages, {
          tools: [TOOL_SCHEMAS.clock],
          enableThinking: false,
          addGenerationPrompt: true,
        })
        .join('');
      expect(text).toContain('12:00');
      expect(text).toContain('clock');
    }
  });

  it('puts switching words into the system message, made where there is none', () => {
    const template =
      "{# /no_think #}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{{ '<|im_start|>assistant\n' }}";
    const tokenizer = tokenizerOf(template, TAGS);
    const render = (messages: readonly TemplateMessage[], enableThinking: boolean): string =>
      tokenizer.render(messages, { tools: [], enableThinking, addGenerationPrompt: true }).join('');
    expect(render(CHAT, false)).toContain('system\nBe brief. /no_think<|im_end|>');
    expect(render(CHAT.slice(1), true)).toContain('system\n/think<|im_end|>');
    expect(render(CHAT, true).endsWith('<think>\n')).toBe(true);
  });

  it('keeps a state where later turns still agree', () => {
    for (const name of ['qwen3', 'lfm2.5', 'granite-4.0']) {
      const tokenizer = tokenizerOf(templateText(name), TAGS);
      const format = thinkFormatOf((token) => tokenizer.idOf(token), [], tokenizer.adapter);
      const { ids, forks } = buildPrompt(tokenizer, format, {
        messages: [{ role: 'user', content: 'Hi' }],
        tools: [],
        enableThinking: true,
      });
      const stable = forks.at(-1) ?? 0;
      expect(stable).toBeLessThan(ids.length);
      const later = tokenizer.encode(
        tokenizer.render(
          [
            { role: 'user', content: 'Hi' },
            { role: 'assistant', content: 'Hello.' },
            { role: 'user', content: 'And?' },
          ],
          { tools: [], enableThinking: true, addGenerationPrompt: true },
        ),
      );
      expect(later.slice(0, stable)).toEqual(ids.slice(0, stable));
    }
  });
});

describe('finishPrompt', () => {
  it.each(THINK_ADAPTERS.map((adapter) => [adapter.name, adapter] as const))(
    'ends where it should, whatever the template did: %s',
    (_, adapter) => {
      const { openText, closeText, emptyText } = adapter;
      const open = openText.trimEnd();
      expect(finishPrompt('x', adapter, true)).toBe(`x${openText}`);
      expect(finishPrompt(`x${open}`, adapter, true)).toBe(`x${open}`);
      expect(finishPrompt('x', adapter, false)).toBe(`x${emptyText}`);
      expect(finishPrompt(`x${emptyText}`, adapter, false)).toBe(`x${emptyText}`);
      expect(finishPrompt(`x${open}\n`, adapter, false)).toBe(
        `x${open}\n${closeText.replace(/^\n/, '')}`,
      );
    },
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatTemplateOf } from '../../../src/models/chat-template';

const some = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '');

describe('the chat template of a folder', () => {
  it('is the file of its own, whatever the config has', () => {
    const configs = fc.oneof(
      fc.constant(null),
      some.map((chat_template) => ({ chat_template })),
      some.map((template) => ({ chat_template: [{ name: 'default', template }] })),
    );
    fc.assert(
      fc.property(some, configs, (file, config) => {
        expect(chatTemplateOf(file, config)).toBe(file);
      }),
    );
  });

  it('is else the one of the config, of several the default', () => {
    expect(chatTemplateOf(null, { chat_template: 'own' })).toBe('own');
    expect(chatTemplateOf('  ', { chat_template: 'own' })).toBe('own');
    const tools = { name: 'tool_use', template: 'tools' };
    const usual = { name: 'default', template: 'usual' };
    expect(chatTemplateOf(null, { chat_template: [tools, usual] })).toBe('usual');
    expect(chatTemplateOf(null, { chat_template: [tools] })).toBe('tools');
  });

  it.each([
    [null],
    [undefined],
    [{}],
    [{ chat_template: 7 }],
    [{ chat_template: [] }],
    [{ chat_template: [null] }],
  ])('is none in %j', (config) => {
    expect(chatTemplateOf(null, config)).toBeNull();
  });
});

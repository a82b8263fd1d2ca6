import { describe, expect, it } from 'vitest';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { SettingsStore, type StoredSettings } from '../../../src/storage/settings-store';
import { TestChannels } from './conversations';

const SETTINGS: StoredSettings = {
  theme: 'dark',
  language: 'es',
  device: 'wasm',
  sampling: { temperature: 0.5, topK: 40, topP: 0.9, minP: 0, repetitionPenalty: 1, seed: 7 },
  maxAnswerTokens: 256,
  bestOf: 4,
  closingSentence: '',
  tools: ['clock'],
  systemPrompt: 'Be brief.',
  thinkingLimit: 'unlimited',
  model: {
    key: 'hub:example/model',
    title: 'Model',
    prefix: 'onnx/',
    dtype: 'q4',
  },
  hub: 'https://models.example',
  rewriteFourBit: 'on',
  thoughtAsMarkdown: true,
  keys: { 'new-chat': 'Alt+M' },
  sendWith: 'mod-enter',
};

async function loadRaw(value: unknown): Promise<unknown> {
  const backing = new MemoryBacking();
  await backing.run(['settings'], 'readwrite', (transaction) =>
    transaction.put('settings', 'settings', value),
  );
  return new SettingsStore(backing, new TestChannels().open()).load();
}

describe('SettingsStore', () => {
  it('gives back what it was given, and nothing at first', async () => {
    const channels = new TestChannels();
    const heard: string[] = [];
    channels.open().listen(({ type }) => heard.push(type));
    const store = new SettingsStore(new MemoryBacking(), channels.open());
    expect(await store.load()).toEqual({});
    await store.save(SETTINGS);
    expect(await store.load()).toEqual(SETTINGS);
    expect(heard).toEqual(['settings']);
  });

  it.each([
    ['theme', 'neon'],
    ['device', null],
    ['sampling', { temperature: 'hot' }],
    ['maxAnswerTokens', 1.5],
    ['closingSentence', 3],
    ['tools', ['shell']],
    ['systemPrompt', 'x'.repeat(100_001)],
    ['thinkingLimit', -1],
  ] as const)('leaves out a damaged %s and keeps the rest', async (key, value) => {
    const expected: Record<string, unknown> = { ...SETTINGS };
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the field that is left out
    delete expected[key];
    expect(await loadRaw({ ...SETTINGS, [key]: value })).toEqual(expected);
  });

  it('leaves out what it does not know, and all of a record that is none', async () => {
    expect(await loadRaw({ ...SETTINGS, extra: 1 })).toEqual(SETTINGS);
    expect(await loadRaw('settings')).toEqual({});
  });
});

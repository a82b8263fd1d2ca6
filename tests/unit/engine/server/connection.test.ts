// The test of a connection tells what runs there and what it has; what it may not ask, it does not ask.
import { placeOfDevice } from '../../../../src/core/server/server-target';
import { BrowserEngine } from '../../../../src/engine/browser/browser-engine';
import type { NativeModel } from '../../../../src/engine/browser/native-model';
import { fakeNativeModel } from '../../../fake-native-model.js';
import { expect, test } from 'vitest';
import { EngineSwitch } from '../../../../src/engine/engine-switch';
import { createFakeEngine } from '../../../../src/engine/fake-engine';
import { probeServer } from '../../../../src/engine/server/probe-server';
import { ServerEngine } from '../../../../src/engine/server/server-engine';
import { SERVER_KINDS } from '../../../../src/core/server/server-names';
import { FAKE_MODEL, startFakeLlmServer } from '../../../fake-llm-server';
import { hostOf, requestOf, SCRIPT, withServer } from './ask-server';

test.each(SERVER_KINDS)('%s is told apart, and its models are listed', async (kind) => {
  const server = await startFakeLlmServer({ kind, script: SCRIPT });
  try {
    const probed = await probeServer(hostOf(), { address: server.url, key: '', kind: null });
    expect(probed.kind).toBe(kind);
    expect(probed.models.map(({ id }) => id)).toEqual([FAKE_MODEL]);
  } finally {
    await server.close();
  }
});

test('the key goes along, and without it the sentence says so', async () => {
  const server = await startFakeLlmServer({ kind: 'vllm', script: SCRIPT, key: 'secret' });
  try {
    const asked = { address: server.url, kind: null };
    await expect(probeServer(hostOf(), { ...asked, key: 'wrong' })).rejects.toMatchObject({
      message: expect.stringMatching(/does not accept the key \(401\)/) as unknown,
    });
    expect((await probeServer(hostOf(), { ...asked, key: 'secret' })).kind).toBe('vllm');
  } finally {
    await server.close();
  }
});

test('an address that the policy leaves out is refused before a byte is sent', async () => {
  const asked: string[] = [];
  const host = hostOf({
    fetch: (url) => {
      asked.push(url);
      return Promise.reject(new TypeError('Failed to fetch'));
    },
  });
  const probe = probeServer(host, { address: 'https://api.example.org', key: '', kind: null });
  await expect(probe).rejects.toMatchObject({
    remedy: expect.stringMatching(/TIDEPOOL_SERVERS/) as unknown,
  });
  expect(asked).toEqual([]);
});

test('a page that is no server is said to be none', async () => {
  const host = hostOf({ fetch: () => Promise.resolve(new Response('<!doctype html>')) });
  await expect(
    probeServer(host, { address: 'http://localhost:1', key: '', kind: null }),
  ).rejects.toMatchObject({
    message: expect.stringMatching(/not like an OpenAI-compatible server/) as unknown,
  });
});

test('the facts of a model: context, parameters, how it can be asked on', async () => {
  await withServer({ kind: 'llama.cpp', script: SCRIPT }, ({ model }) => {
    expect(model.server).toMatchObject({
      contextTokens: 2048,
      parameters: 1_000_000,
      version: 'b9999',
      budget: 'thinking_budget_tokens',
      ways: ['template', 'prefill', 'again'],
    });
    return Promise.resolve();
  });
});

test('one engine at a time: what is loaded decides who answers', async () => {
  const server = await startFakeLlmServer({ kind: 'ollama', script: SCRIPT });
  const target = {
    address: server.url,
    key: '',
    kind: 'ollama',
    model: FAKE_MODEL,
    effort: null,
  } as const;
  try {
    const tab = createFakeEngine('thinks', 0);
    const engine = new EngineSwitch(tab, {
      server: () => Promise.resolve(new ServerEngine(hostOf())),
      browser: () => Promise.resolve(new BrowserEngine(() => native)),
    });
    const native = fakeNativeModel() as unknown as NativeModel;
    const places: (string | null)[] = [];
    for (const load of [{}, { server: target }, { isBrowserModel: true }, {}]) {
      await engine.load({ modelUrl: 'x', device: 'auto', ...load }, () => undefined);
      const { stats } = await engine.generate(requestOf(), () => undefined).done;
      places.push(placeOfDevice(stats.device)?.replace(/:\d+$/, '') ?? 'tab');
    }
    expect(places).toEqual(['tab', '127.0.0.1', 'this browser’s model', 'tab']);
  } finally {
    await server.close();
  }
});

// The policy names the hub and the hosts of the build, and nothing else; a typing error in them is no silent hole.
import { expect, test } from 'vitest';
import { pagePolicy, readModelHosts, workerPolicy } from '../../../src/core/security-policy';
import { isModelHost } from '../../../src/models/model-hosts';

const OWN = 'https://tidepool.example';

test('page and worker may reach their own origin and the model hub, no script from either', () => {
  for (const policy of [pagePolicy([]), workerPolicy([])]) {
    expect(policy.split('; ')).toContain(
      "connect-src 'self' https://huggingface.co https://*.huggingface.co https://*.hf.co",
    );
    expect(policy).toContain("script-src 'self' blob: 'wasm-unsafe-eval'");
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\s\*[\s;]|https:[\s;]/);
  }
});

test('a mirror is named when the app is built', () => {
  const hosts = readModelHosts('https://models.example.org/, http://localhost:8080');
  expect(hosts).toEqual(['https://models.example.org', 'http://localhost:8080']);
  expect(pagePolicy(hosts)).toContain(
    'https://*.hf.co https://models.example.org http://localhost:8080;',
  );
  expect(workerPolicy(hosts)).toMatch(/https:\/\/models\.example\.org http:\/\/localhost:8080$/);
  expect(readModelHosts(' ')).toEqual([]);
});

test.each([
  'http://models.example.org',
  'https://models.example.org/folder',
  '*',
  'https:',
  "'self'; script-src *",
])('the build refuses %s as a host', (text) => {
  expect(() => readModelHosts(text)).toThrow(/TIDEPOOL_MODEL_HOSTS/);
});

test.each([
  [`${OWN}/models/x/`, true],
  ['https://huggingface.co/owner/name/resolve/main/config.json', true],
  ['https://cdn-lfs.huggingface.co/file', true],
  ['https://cas-bridge.xethub.hf.co/file', true],
  ['https://hf.co.evil.example/', false],
  ['https://nothuggingface.co/', false],
  ['http://huggingface.co/', false],
  ['https://huggingface.co:8443/', false],
  ['https://mirror.example/', false],
  ['not an address', false],
])('a model at %s may be fetched: %s', (url, isAllowed) => {
  expect(isModelHost(url, OWN)).toBe(isAllowed);
});

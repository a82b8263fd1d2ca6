// The policy names the hub and the hosts of the build, and nothing else; a typing error in them is no silent hole.
import { expect, test } from 'vitest';
import {
  pagePolicy,
  readModelHosts,
  readServers,
  workerPolicy,
} from '../../../src/core/security-policy';
import { isModelHost } from '../../../src/models/model-hosts';

const OWN = 'https://tidepool.example';
const NO_SERVERS = readServers('none');

test('page and worker may reach their own origin and the model hub, no script from either', () => {
  for (const policy of [pagePolicy([], NO_SERVERS), workerPolicy([])]) {
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
  expect(pagePolicy(hosts, NO_SERVERS)).toContain(
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

function connections(servers: string): string {
  return /connect-src [^;]*/.exec(pagePolicy([], readServers(servers)))?.[0] ?? '';
}

test('the page may ask servers of this computer, no worker any', () => {
  expect(connections('')).toMatch(/ http:\/\/localhost:\* http:\/\/127\.0\.0\.1:\*$/);
  expect(workerPolicy([])).not.toContain('localhost');
});

test('other servers are named when the app is built, and all of them can be left out', () => {
  expect(connections('https://llm.example.org/, http://10.0.0.7:8080')).toMatch(
    /127\.0\.0\.1:\* https:\/\/llm\.example\.org http:\/\/10\.0\.0\.7:8080$/,
  );
  expect(connections('none')).not.toContain('localhost');
});

test.each([
  '*',
  'https:',
  'https://*.example.org',
  'https://x.example/v1',
  "'self'; script-src *",
  'none,',
])('the build refuses %s as a server', (text) => {
  expect(() => readServers(text)).toThrow(/TIDEPOOL_SERVERS/);
});

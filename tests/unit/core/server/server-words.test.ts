// What a person types becomes an address, what may not be asked is refused before a byte is sent, and each thing that
// goes wrong has a sentence with the remedy for the server that it is.
import { describe, expect, test } from 'vitest';
import { parseServerAddress, refusalOf } from '../../../../src/core/server/server-address';
import { placeOfServer } from '../../../../src/core/server/server-target';
import { SERVER_TRAITS } from '../../../../src/core/server/server-kind';
import { SERVER_KINDS } from '../../../../src/core/server/server-names';
import {
  failedInside,
  refusedAnswer,
  streamCut,
  unreachable,
} from '../../../../src/core/server/server-problem';

test.each([
  ['localhost:8080', 'http://localhost:8080'],
  [' http://127.0.0.1:11434/ ', 'http://127.0.0.1:11434'],
  ['http://localhost:1234/v1', 'http://localhost:1234'],
  ['http://localhost:8000/v1/chat/completions/', 'http://localhost:8000'],
  ['api.example.org', 'https://api.example.org'],
  ['https://example.org/llm/v1', 'https://example.org/llm'],
  ['', null],
  ['two words', null],
  ['ftp://example.org', null],
  ['https://me:secret@example.org', null],
  ['https://example.org/?key=secret', null],
  ['http://', null],
])('an address typed as %j', (typed, address) => {
  expect(parseServerAddress(typed)).toBe(address);
});

test('a server is named by its host and port', () => {
  expect(placeOfServer('http://localhost:8080')).toBe('localhost:8080');
  expect(placeOfServer('https://api.example.org/llm')).toBe('api.example.org');
});

describe('what the page may ask', () => {
  const page = (protocol: string, loopback = true, origins: readonly string[] = []) => ({
    protocol,
    origin: `${protocol}//tidepool.example`,
    allowed: { loopback, origins },
  });

  test('this computer, from http and from https', () => {
    expect(refusalOf('http://localhost:8080', page('http:'))).toBeNull();
    expect(refusalOf('http://127.0.0.1:8080', page('https:'))).toBeNull();
  });

  test('another origin only where the build names it, and the sentence says how', () => {
    const refused = refusalOf('https://api.example.org/llm', page('https:'));
    expect(refused?.message).toContain('api.example.org');
    expect(refused?.remedy).toContain('TIDEPOOL_SERVERS=https://api.example.org');
    expect(
      refusalOf('https://api.example.org/llm', page('https:', true, ['https://api.example.org'])),
    ).toBeNull();
  });

  test('a build without servers says so for this computer too', () => {
    expect(refusalOf('http://localhost:8080', page('http:', false))?.remedy).toContain('none');
  });

  test('mixed content: http elsewhere from a page that came over https', () => {
    const lan = 'http://192.168.1.20:8080';
    expect(refusalOf(lan, page('http:', true, [lan]))).toBeNull();
    const refused = refusalOf(lan, page('https:', true, [lan]));
    expect(refused?.message).toContain('mixed content');
    expect(refused?.remedy).toContain('ssh -L 8080:192.168.1.20:8080');
  });
});

describe('sentences', () => {
  const pageOrigin = 'http://localhost:4310';
  const whom = (kind: (typeof SERVER_KINDS)[number] | null, address = 'http://localhost:8080') => ({
    kind,
    address,
    pageOrigin,
  });
  const nobody = { isThere: false, leave: null, cause: new TypeError('Failed to fetch') };

  test.each(SERVER_KINDS)('%s: how it lets this page in', (kind) => {
    expect(unreachable(whom(kind, 'http://h:1'), { ...nobody, isThere: true }).remedy).toContain(
      SERVER_TRAITS[kind].letIn(pageOrigin),
    );
  });

  test.each([
    [11434, 'OLLAMA_ORIGINS=http://localhost:4310'],
    [1234, 'lms server start --cors'],
    [8000, '--enable-cors'],
    [8080, '--cors-origins http://localhost:4310'],
    [9, 'Access-Control-Allow-Origin: http://localhost:4310'],
  ])('nobody known at port %i: the flag of whoever it may be', (port, flag) => {
    const error = unreachable(whom(null, `http://localhost:${port}`), nobody);
    expect(error.message).toContain(`localhost:${port}`);
    expect(error.remedy).toContain(flag);
  });

  test('Chrome’s permission for the local network', () => {
    expect(unreachable(whom(null), { ...nobody, leave: 'denied' }).remedy).toContain(
      'site’s settings',
    );
    expect(unreachable(whom(null), { ...nobody, leave: 'prompt' }).remedy).toContain('allow it');
  });

  test.each([
    [401, 'Invalid API Key', 'vllm', 'server', /key \(401\)/, /--api-key/],
    [403, '', 'ollama', 'server', /does not let this page in/, /OLLAMA_ORIGINS/],
    [503, 'Loading model', 'llama.cpp', 'server', /not ready/, /moment/],
    [404, 'model "m" not found', 'ollama', 'server', /no model m/, /ollama pull m/],
    [404, 'Not Found', 'vllm', 'server', /no such path/, /before \/v1/],
    [429, '', 'other', 'rate-limited', /429/, /Wait/],
    [
      400,
      "This model's maximum context length is 4096 tokens",
      'vllm',
      'prompt-too-long',
      /context/,
      /--max-model-len/,
    ],
    [
      400,
      'the request exceeds the available context size',
      'llama.cpp',
      'prompt-too-long',
      /context/,
      /-c/,
    ],
    [500, 'boom', 'nim', 'server', /500.*boom/, /log/],
    [422, 'no field x', 'other', 'server', /422.*no field x/, /test the connection/],
  ] as const)('an answer of %i “%s” from %s', (status, said, kind, code, message, remedy) => {
    const error = refusedAnswer(whom(kind), status, said, 'm');
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  test('a reply that breaks off offers to go on, here or there', () => {
    for (const error of [streamCut(whom('ollama')), failedInside(whom('ollama'), 'CUDA error')]) {
      expect(error.remedy).toContain('Continue');
      expect(error.remedy).toContain('Answer here instead');
    }
    expect(failedInside(whom(null), 'CUDA\nerror').message).toMatch(/CUDA error\.$/);
  });
});

// What people type or paste to name a model: every form of the hub's addresses, and by name what is no model.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { repoOf } from '../../../src/models/repo-address';

const HUB = 'https://huggingface.co';
const MIRROR = 'http://127.0.0.1:8080/hub';
const REPO = 'onnx-community/Qwen3-0.6B-ONNX';

function refusal(text: string, hub = HUB): string {
  try {
    return `taken as ${repoOf(text, hub)}`;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    expect(error.remedy).not.toBe('');
    return error.message;
  }
}

const name = fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9_]|[.-][A-Za-z0-9]){0,20}$/);

describe('a model is named', () => {
  test.each([
    REPO,
    ` ${REPO} \n`,
    `https://huggingface.co/${REPO}?library=transformers.js`,
    `huggingface.co/${REPO}`,
    `hf.co/${REPO}:Q4_K_M`,
    `hf download ${REPO}`,
    `ollama run hf.co/${REPO}:Q8_0`,
    `git clone https://huggingface.co/${REPO}.git`,
    `git@hf.co:${REPO}.git`,
    `hf://${REPO}/onnx/model_q4.onnx`,
    `${REPO} · Hugging Face`,
    `<https://hf.co/${REPO}>`,
    `“${REPO}”.`,
    `https://huggingface.co/api/models/${REPO.replace('/', '%2F')}`,
    `https://user@huggingface.co/${REPO}`,
    `\u200B${REPO}\uFEFF`,
    `https://huggingface.co//${REPO}//`,
    `${REPO}/tree/main/onnx`,
  ])('by %s', (text) => {
    expect(repoOf(text, HUB)).toBe(REPO);
  });

  test('by any repository in any form of an address', () => {
    fc.assert(
      fc.property(
        name,
        name,
        fc.constantFrom('', 'https://', 'http://', 'HTTPS://'),
        fc.constantFrom('huggingface.co', 'www.huggingface.co', 'hf.co', 'HuggingFace.co'),
        fc.constantFrom(
          ...['', '/', '/tree/main', '/tree/main/onnx', '/blob/main/README.md', '/discussions/3'],
          ...['/resolve/main/onnx/model_q4.onnx', '/commit/0123abc', '.git'],
        ),
        fc.constantFrom('', '?library=transformers.js', '?a=1&b=x/y', '#model-card', '?x=1#y'),
        (owner, model, scheme, host, rest, query) => {
          fc.pre(!/^(?:api|models|spaces|datasets|blog|docs|new|chat)$/i.test(owner));
          fc.pre(!model.endsWith('.git'));
          expect(repoOf(`${scheme}${host}/${owner}/${model}${rest}${query}`, HUB)).toBe(
            `${owner}/${model}`,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('by the address of the mirror in use', () => {
    expect(repoOf(`${MIRROR}/school/model?x=1`, MIRROR)).toBe('school/model');
    expect(repoOf('127.0.0.1:8080/hub/school/model/tree/main', MIRROR)).toBe('school/model');
    expect(repoOf(`https://hf.co/${REPO}`, MIRROR)).toBe(REPO);
  });
});

describe('what is no model is refused', () => {
  test('a space by its name, wherever it is pasted from', () => {
    for (const text of [
      'https://huggingface.co/spaces/webml-community/qwen',
      'hf.co/spaces/webml-community/qwen?embed=true',
      'spaces/webml-community/qwen',
      'hf://spaces/webml-community/qwen',
    ])
      expect(refusal(text)).toBe(
        'webml-community/qwen is a space of the hub: a program that runs there, not a model.',
      );
    expect(refusal('https://webml-community-qwen.hf.space/')).toContain('is a space of the hub');
  });

  test('a dataset by its name', () => {
    for (const text of [
      'https://huggingface.co/datasets/roneneldan/TinyStories/viewer',
      'datasets/roneneldan/TinyStories',
    ])
      expect(refusal(text)).toBe('roneneldan/TinyStories is a dataset of the hub, not a model.');
    expect(refusal('https://huggingface.co/datasets/squad')).toContain('squad is a dataset');
    expect(refusal('https://huggingface.co/datasets')).toContain('That is a dataset');
  });

  test('other pages and other hosts', () => {
    expect(refusal('https://huggingface.co/models?search=granite')).toContain('“models” is a page');
    expect(refusal('https://huggingface.co/docs/transformers.js/index')).toContain('“docs”');
    expect(refusal('huggingface.co/collections/ibm/granite')).toContain('“collections”');
    expect(refusal('https://github.com/owner/name')).toBe(
      'github.com is not the hub that is asked (huggingface.co).',
    );
    expect(refusal('modelscope.cn/models/owner/name')).toContain('modelscope.cn is not the hub');
    expect(refusal(`https://elsewhere.example/${REPO}`, MIRROR)).toContain('(127.0.0.1:8080)');
  });

  test.each([
    'granite',
    'a/b/c',
    '../b',
    'a/..',
    'a b/c',
    'a/<script>',
    'a--b/c',
    '/',
    '%',
    'a/-b',
  ])('no name: %s', (text) => {
    expect(refusal(text)).toBe(`“${text}” is no name of a model on the hub.`);
  });

  test('nothing', () => {
    expect(refusal(' \n ')).toBe('No model is named.');
  });

  test('whatever is pasted is a safe repository or a sentence', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.webUrl({ withQueryParameters: true, withFragments: true }),
          fc.array(
            fc.constantFrom(...['a', '/', '.', '-', ':', '@', '?', '#', '%', '%2F', '..', '//']),
          ),
        ),
        (given) => {
          const text = Array.isArray(given) ? given.join('') : given;
          const said = refusal(text);
          if (said.startsWith('taken as '))
            expect(said).toMatch(/^taken as \w(?:[\w.-]*\w)?\/\w(?:[\w.-]*\w)?$/);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

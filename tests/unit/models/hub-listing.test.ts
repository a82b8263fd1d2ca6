// A list of files read by the names of transformers.js: variants, sessions, data files, what is missing, what is hostile.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import {
  hubListing,
  isSafePath,
  listVariants,
  parseHub,
  readHubTree,
  thinkingOfTemplate,
  weightBytesOf,
} from '../../../src/models/hub-listing';

const SHA256 = 'a'.repeat(64);
const SHA1 = 'b'.repeat(40);

/** An entry as the hub's tree gives it: small files by git's hash, large ones through LFS. */
function file(path: string, size = 1000): object {
  const isLarge = (path.split('/').at(-1) ?? '').includes('onnx');
  return {
    type: 'file',
    path,
    size,
    oid: SHA1,
    ...(isLarge ? { lfs: { oid: SHA256, size, pointerSize: 134 } } : {}),
  };
}

const SMALL = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'generation_config.json'];

function listingOf(paths: readonly string[]) {
  return hubListing('https://huggingface.co', 'a/b-ONNX', 'main', [
    { type: 'directory', path: 'onnx', size: 0, oid: SHA1 },
    ...paths.map((path) => file(path)),
  ]);
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof EngineError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing was thrown';
}

describe('hubListing', () => {
  it('reads one graph with data in several files', () => {
    const listing = hubListing('https://hub.test/mirror', 'a/b', 'c0ffee', [
      ...SMALL.map((path) => file(path, 10)),
      file('onnx/model_q4.onnx', 100),
      file('onnx/model_q4.onnx_data', 2_000),
      file('onnx/model_q4.onnx_data_1', 3_000),
      file('onnx/model_q4f16.onnx', 50),
      file('onnx/model_q4f16.onnx_data', 1_000),
      file('onnx/model.onnx', 9_000),
      file('README.md', 5),
      file('model.safetensors', 99_999),
    ]);
    expect(listing).toMatchObject({
      source: 'hub',
      id: 'a/b',
      revision: 'c0ffee',
      baseUrl: 'https://hub.test/mirror/a/b/resolve/c0ffee/',
    });
    expect(listing.variants.map(({ dtype }) => dtype)).toEqual(['q4f16', 'q4', 'fp32']);
    expect(listing.variants[1]).toEqual({
      dtype: 'q4',
      graphs: { model: 'onnx/model_q4.onnx' },
      externalData: { model: ['onnx/model_q4.onnx_data', 'onnx/model_q4.onnx_data_1'] },
    });
    expect(weightBytesOf(listing, 'q4')).toBe(5_100);
    expect(listing.files.map(({ path }) => path)).not.toContain('README.md');
    expect(listing.files.map(({ path }) => path)).not.toContain('model.safetensors');
    expect(listing.files.find(({ path }) => path === 'config.json')).toEqual({
      path: 'config.json',
      bytes: 10,
      sha256: null,
      gitSha1: SHA1,
    });
    expect(listing.files.find(({ path }) => path === 'onnx/model_q4.onnx')).toEqual({
      path: 'onnx/model_q4.onnx',
      bytes: 100,
      sha256: SHA256,
      gitSha1: null,
    });
  });

  it('reads two sessions and leaves eyes and ears out', () => {
    const listing = listingOf([
      ...SMALL,
      'onnx/embed_tokens_q4.onnx',
      'onnx/embed_tokens_q4.onnx_data',
      'onnx/decoder_model_merged_q4.onnx',
      'onnx/decoder_model_merged_q4.onnx_data',
      'onnx/decoder_model_merged_fp16.onnx',
      'onnx/vision_encoder_q4.onnx',
    ]);
    expect(listing.variants).toEqual([
      {
        dtype: 'q4',
        graphs: {
          embed_tokens: 'onnx/embed_tokens_q4.onnx',
          decoder_model_merged: 'onnx/decoder_model_merged_q4.onnx',
        },
        externalData: {
          embed_tokens: ['onnx/embed_tokens_q4.onnx_data'],
          decoder_model_merged: ['onnx/decoder_model_merged_q4.onnx_data'],
        },
      },
    ]);
    expect(listing.files.map(({ path }) => path)).not.toContain('onnx/vision_encoder_q4.onnx');
  });

  it('leaves out a variant whose data has a gap', () => {
    const listing = listingOf([
      ...SMALL,
      'onnx/model_q4.onnx',
      'onnx/model_q4.onnx_data',
      'onnx/model_q4.onnx_data_2',
      'onnx/model_quantized.onnx',
    ]);
    expect(listing.variants.map(({ dtype }) => dtype)).toEqual(['quantized']);
  });

  it('takes graphs beside the config where there is no onnx/', () => {
    expect(listingOf([...SMALL, 'model_q4.onnx']).variants).toHaveLength(1);
  });

  it('says what is missing', () => {
    expect(codeOf(() => listingOf([...SMALL, 'model.safetensors']))).toBe(
      'model-missing: a/b-ONNX has no ONNX file: it has model.safetensors, which a browser cannot run here.',
    );
    expect(codeOf(() => listingOf([...SMALL, 'README.md']))).toBe(
      'model-missing: a/b-ONNX has no ONNX file.',
    );
    expect(codeOf(() => listingOf(['config.json', 'onnx/model.onnx']))).toContain(
      'lacks tokenizer.json and tokenizer_config.json',
    );
    expect(codeOf(() => listingOf([...SMALL, 'onnx/encoder_model.onnx']))).toContain(
      'none of a whole text model',
    );
  });

  it('refuses what is no tree', () => {
    expect(codeOf(() => readHubTree({ error: 'no' }))).toContain('it is no list');
    expect(codeOf(() => readHubTree([1]))).toContain('no object');
    expect(codeOf(() => readHubTree([{ type: 'file', path: 'a', oid: SHA1 }]))).toContain(
      'size of a',
    );
    expect(codeOf(() => readHubTree(Array.from({ length: 10_001 }, () => file('x'))))).toContain(
      '10001 entries',
    );
  });

  it('leaves out paths that lead elsewhere', () => {
    const paths = [
      '../config.json',
      '/etc/passwd',
      'a//b',
      'a/../b',
      'a\\b',
      'onnx/model.onnx?x',
      '',
    ];
    expect(readHubTree(paths.map((path) => file(path)))).toEqual([]);
    for (const path of paths) expect(isSafePath(path), path).toBe(false);
  });
});

describe('listVariants', () => {
  it('names only files that are listed, each once, and never throws', () => {
    const names = fc.constantFrom(
      'onnx/model.onnx',
      'onnx/model_q4.onnx',
      'onnx/model_q4.onnx_data',
      'onnx/model_q4.onnx_data_1',
      'onnx/model_q4.onnx_data_2',
      'onnx/embed_tokens_q4.onnx',
      'onnx/decoder_model_merged_q4.onnx',
      'onnx/decoder_model_merged_q4.onnx_data',
      'model_fp16.onnx',
    );
    fc.assert(
      fc.property(fc.uniqueArray(names), (paths) => {
        const files = paths.map((path) => ({ path, bytes: 1, sha256: null, gitSha1: null }));
        for (const { graphs, externalData } of listVariants(files)) {
          const used = [...Object.values(graphs), ...Object.values(externalData).flat()];
          expect(new Set(used).size).toBe(used.length);
          for (const path of used) expect(paths).toContain(path);
          expect(Object.keys(graphs)).toEqual(Object.keys(externalData));
        }
      }),
    );
  });
});

describe('what a person types', () => {
  it('is an address of a hub or mirror', () => {
    expect(parseHub('https://huggingface.co/')).toBe('https://huggingface.co');
    expect(parseHub('https://models.school.example/hub')).toBe('https://models.school.example/hub');
    expect(parseHub('http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080');
    for (const wrong of [
      '',
      'huggingface.co',
      'http://huggingface.co',
      'ftp://x.example',
      'https://user:secret@x.example',
      'https://x.example/?a=b',
      'javascript:alert(1)',
      `https://x.example/${'a'.repeat(500)}`,
    ])
      expect(parseHub(wrong), wrong).toBeNull();
  });
});

describe('thinkingOfTemplate', () => {
  it('tells a switch from a habit', () => {
    expect(thinkingOfTemplate('{% if enable_thinking %}<think>{% endif %}').kind).toBe('switch');
    expect(thinkingOfTemplate('{% if thinking %}<think>{% endif %}').kind).toBe('switch');
    expect(thinkingOfTemplate('<|im_start|>assistant\n<think>').kind).toBe('always');
    expect(thinkingOfTemplate('<|im_start|>assistant\n').kind).toBe('never');
  });
});

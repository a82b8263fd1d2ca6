// Bundles: made and opened again, made by another program's rules, and broken in every way a file can be.
import fc from 'fast-check';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { makeBundle, openBundle } from '../../../src/models/bundle';
import { diskModel } from '../../../src/models/disk-listing';

const run = promisify(execFile);
/** Another program that reads and writes zip archives; where there is none the rest of the suite stands alone. */
const hasPython = spawnSync('python3', ['--version']).status === 0;

function filesOf(texts: Readonly<Record<string, string>>): Map<string, Blob> {
  return new Map(Object.entries(texts).map(([path, text]) => [path, new Blob([text])]));
}

const MODEL = filesOf({
  'config.json': '{"model_type":"nemotron_h"}',
  'tokenizer.json': '{}',
  'tokenizer_config.json': '{}',
  'onnx/model_q4.onnx': 'graph',
  'onnx/model_q4.onnx_data': 'weights',
});

async function problemOf(bytes: Blob): Promise<string> {
  try {
    await openBundle(bytes);
  } catch (error) {
    if (error instanceof EngineError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'it opened';
}

/** A bundle with bytes changed: `patch` gets a view of a copy. */
async function patched(bundle: Blob, patch: (view: DataView) => void): Promise<Blob> {
  const bytes = await bundle.arrayBuffer();
  patch(new DataView(bytes));
  return new Blob([bytes]);
}

/** Offset of the nth record with this signature. */
async function find(bundle: Blob, signature: number): Promise<number> {
  const view = new DataView(await bundle.arrayBuffer());
  for (let at = 0; at + 4 <= view.byteLength; at += 1)
    if (view.getUint32(at, true) === signature) return at;
  throw new Error('no such record');
}

describe('a bundle', () => {
  it('gives back what was put in, whatever it is', async () => {
    const names = fc.stringMatching(/^[a-z]{1,8}(?:\/[a-zA-Z_.-]{0,4}[a-z0-9]){0,2}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(names, fc.uint8Array({ maxLength: 300 }), { minKeys: 1, maxKeys: 6 }),
        async (contents) => {
          const given = new Map(
            Object.entries(contents).map(([path, bytes]) => [`x/${path}`, new Blob([bytes])]),
          );
          given.set('config.json', new Blob(['{}']));
          const opened = await openBundle(await makeBundle(given));
          expect([...opened.keys()]).toEqual([...given.keys()]);
          for (const [path, blob] of given)
            expect(
              new Uint8Array((await opened.get(path)?.arrayBuffer()) ?? new ArrayBuffer(0)),
            ).toEqual(new Uint8Array(await blob.arrayBuffer()));
        },
      ),
      { numRuns: 40 },
    );
  });

  it.runIf(hasPython)(
    'is a zip archive to others, and theirs without compression are bundles',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'bundle-'));
      try {
        const file = join(folder, 'model.tidepool');
        await writeFile(file, new Uint8Array(await (await makeBundle(MODEL)).arrayBuffer()));
        const script = [
          'import sys, zipfile',
          'with zipfile.ZipFile(sys.argv[1]) as z:',
          '    assert z.testzip() is None',
          '    names = z.namelist()',
          "    other = zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_STORED)",
          '    for name in names: other.writestr("folder/" + name, z.read(name))',
          '    other.close()',
          'print(len(names))',
        ].join('\n');
        const other = join(folder, 'other.zip');
        const { stdout } = await run('python3', ['-c', script, file, other]);
        expect(stdout.trim()).toBe(String(MODEL.size));
        const opened = await openBundle(new Blob([new Uint8Array(await readFile(other))]));
        expect([...opened.keys()]).toEqual([...MODEL.keys()]);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );

  it('says what is wrong with it', async () => {
    const bundle = await makeBundle(MODEL);
    expect(await problemOf(new Blob(['hello']))).toContain('it is no zip archive');
    expect(await problemOf(new Blob([]))).toContain('it is no zip archive');
    expect(await problemOf(bundle.slice(0, bundle.size - 30))).toContain('its end is missing');
    expect(await problemOf(bundle.slice(200))).toMatch(/cut off|damaged|wrong/);
    const central = await find(bundle, 0x02014b50);
    const end = await find(bundle, 0x06054b50);
    const changes: readonly (readonly [string, (view: DataView) => void])[] = [
      ['is compressed', (view) => view.setUint16(central + 10, 8, true)],
      ['is encrypted', (view) => view.setUint16(central + 8, 1, true)],
      ['two sizes', (view) => view.setUint32(central + 24, 5, true)],
      [
        'reaches beyond its end',
        (view) => {
          view.setUint32(central + 20, 0x7fffffff, true);
          view.setUint32(central + 24, 0x7fffffff, true);
        },
      ],
      ['its place', (view) => view.setUint32(central + 42, 3, true)],
      ['of the name', (view) => view.setUint8(central + 46, '/'.charCodeAt(0))],
      ['names 400', (view) => view.setUint16(end + 10, 400, true)],
      ['names 501 files', (view) => view.setUint16(end + 10, 501, true)],
    ];
    for (const [what, change] of changes) {
      const problem = await problemOf(await patched(bundle, change));
      if (what === 'its place') expect(problem).toContain('the place of config.json is wrong');
      else if (what === 'names 400')
        expect(problem).toMatch(/entry 5 of its list is (damaged|cut off)/);
      else expect(problem).toContain(what);
    }
  });

  it('never answers hostile bytes with anything but its own error', async () => {
    const bytes = new Uint8Array(await (await makeBundle(MODEL)).arrayBuffer());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (changes) => {
          const copy = bytes.slice();
          for (const [at, value] of changes) copy[at] = value;
          try {
            await openBundle(new Blob([copy]));
          } catch (error) {
            expect(error).toBeInstanceOf(EngineError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a model from disk', () => {
  it('is listed with its contents, the picked folder’s own name aside', () => {
    const files = new Map([...MODEL].map(([path, blob]) => [`granite/${path}`, blob]));
    files.set('granite/notes.txt', new Blob(['x']));
    const { listing, blobs } = diskModel('My granite.tidepool', files);
    expect(listing).toMatchObject({
      source: 'disk',
      id: 'My-granite',
      baseUrl: 'disk:My-granite/',
    });
    expect([...blobs.keys()].sort()).toEqual([...MODEL.keys()].sort());
    expect(listing.variants.map(({ dtype }) => dtype)).toEqual(['q4']);
  });

  it('says what is wrong', () => {
    expect(() => diskModel('x', new Map())).toThrow('Nothing was in');
    expect(() => diskModel('x', filesOf({ 'a.txt': 'a' }))).toThrow('has no ONNX file');
    const many = new Map(Array.from({ length: 2001 }, (_, i) => [`f${i}`, new Blob(['x'])]));
    expect(() => diskModel('x', many)).toThrow('2001 files');
    expect(() => diskModel('x', new Map([...MODEL, ['onnx/model_q4.onnx', new Blob([])]]))).toThrow(
      'onnx/model_q4.onnx is empty',
    );
  });
});

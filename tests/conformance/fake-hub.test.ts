import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeHub } from './fake-hub';

const config = new TextEncoder().encode('{"model_type":"lfm2","architectures":["X"]}');
const weights = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) % 251);
const sha256 = createHash('sha256').update(weights).digest('hex');

describe('the fake hub', () => {
  let hub: FakeHub;
  let file: string;

  beforeAll(async () => {
    const files = new Map([
      ['config.json', config],
      ['onnx/model_q4.onnx', weights],
    ]);
    hub = await FakeHub.start([
      { id: 'some/model', files, license: 'apache-2.0', languages: ['en'] },
      { id: 'some/gated', files, gated: 'manual' },
    ]);
    file = `${hub.origin}/some/model/resolve/main/onnx/model_q4.onnx`;
  });

  afterAll(() => hub.close());

  it('describes a model and lists its files with sizes and hashes', async () => {
    const model = (await (await fetch(`${hub.origin}/api/models/some/model`)).json()) as object;
    expect(model).toMatchObject({
      id: 'some/model',
      gated: false,
      cardData: { license: 'apache-2.0', language: ['en'] },
      config: { model_type: 'lfm2' },
    });
    const tree = await fetch(`${hub.origin}/api/models/some/model/tree/main?recursive=1`);
    expect(tree.headers.get('link')).toBeNull();
    expect(await tree.json()).toEqual([
      {
        type: 'file',
        path: 'config.json',
        size: config.length,
        oid: createHash('sha1').update(`blob ${config.length}\0`).update(config).digest('hex'),
      },
      expect.objectContaining({ type: 'directory', path: 'onnx' }),
      expect.objectContaining({
        type: 'file',
        path: 'onnx/model_q4.onnx',
        size: 5000,
        lfs: { oid: sha256, size: 5000, pointerSize: 135 },
      }),
    ]);
  });

  it('gives long lists page by page', async () => {
    const paths: string[] = [];
    let next: string | undefined =
      `${hub.origin}/api/models/some/model/tree/main?recursive=1&limit=2`;
    while (next !== undefined) {
      const page: Response = await fetch(next);
      paths.push(...((await page.json()) as { path: string }[]).map(({ path }) => path));
      next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(paths).toEqual(['config.json', 'onnx', 'onnx/model_q4.onnx']);
  });

  it('redirects large files to another origin, where ranges and ETags hold', async () => {
    const bare = await fetch(file, { redirect: 'manual' });
    expect(bare.status).toBe(302);
    expect(bare.headers.get('x-linked-size')).toBe('5000');
    expect(bare.headers.get('x-linked-etag')).toBe(`"${sha256}"`);
    expect(new URL(bare.headers.get('location') ?? '').origin).toBe(hub.contentOrigin);

    const whole = await fetch(file, { headers: { Origin: 'http://page.example' } });
    expect(whole.headers.get('access-control-allow-origin')).toBe('*');
    expect(new Uint8Array(await whole.arrayBuffer())).toEqual(weights);
    const rest = await fetch(file, { headers: { Range: 'bytes=4000-' } });
    expect(rest.status).toBe(206);
    expect(rest.headers.get('content-range')).toBe('bytes 4000-4999/5000');
    expect(new Uint8Array(await rest.arrayBuffer())).toEqual(weights.subarray(4000));
    const other = await fetch(file, { headers: { Range: 'bytes=4000-', 'If-Range': '"old"' } });
    expect(other.status).toBe(200);
    expect((await fetch(file, { headers: { Range: 'bytes=6000-' } })).status).toBe(416);
    const small = await fetch(`${hub.origin}/some/model/resolve/main/config.json`);
    const etag = small.headers.get('etag') ?? '';
    const again = await fetch(small.url, { headers: { 'If-None-Match': etag } });
    expect(again.status).toBe(304);
  });

  it('answers what is not there, or not for all, with the hub’s codes', async () => {
    const codeOf = async (path: string): Promise<[number, string | null]> => {
      const { status, headers } = await fetch(hub.origin + path);
      return [status, headers.get('x-error-code')];
    };
    expect(await codeOf('/some/model/resolve/main/none.json')).toEqual([404, 'EntryNotFound']);
    expect(await codeOf('/some/model/resolve/old/config.json')).toEqual([404, 'RevisionNotFound']);
    expect(await codeOf('/api/models/some/none')).toEqual([401, 'RepoNotFound']);
    expect(await codeOf('/some/none/resolve/main/config.json')).toEqual([401, 'RepoNotFound']);
    expect(await codeOf('/some/gated/resolve/main/config.json')).toEqual([401, 'GatedRepo']);
    expect(await codeOf('/api/models/some/gated')).toEqual([200, null]);
  });

  it('has bad days', async () => {
    hub.fail({ match: /model_q4/, kind: 'rate-limit', times: 1, retryAfterSeconds: 7 });
    const limited = await fetch(file);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await fetch(file)).status).toBe(200);
    hub.fail({ match: /model_q4/, kind: 'page', times: 1 });
    expect((await (await fetch(file)).text()).startsWith('<!doctype html>')).toBe(true);
    hub.fail({ match: /model_q4/, kind: 'cut', times: 1, bytes: 1000 });
    await expect((await fetch(file)).arrayBuffer()).rejects.toThrow();
    hub.fail({ match: /model_q4/, kind: 'expired', times: 1 });
    expect((await fetch(file)).status).toBe(403);
    hub.fail({ match: /model_q4/, kind: 'damaged', times: 1 });
    const damaged = new Uint8Array(await (await fetch(file)).arrayBuffer());
    expect(damaged.filter((byte, i) => byte !== weights[i])).toHaveLength(1);
    expect(new Uint8Array(await (await fetch(file)).arrayBuffer())).toEqual(weights);
  });
});

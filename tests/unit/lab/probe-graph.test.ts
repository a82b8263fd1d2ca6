import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseSpec } from '../../../src/models/spec';
import type { ModelSpec } from '../../../src/core/model-spec';
import { missingQuantities } from '../../../workers/lab/layer-view';
import { probeGraph } from '../../../workers/runtime/probe-graph';

async function fixture(name: string): Promise<Uint8Array> {
  return new Uint8Array(
    await readFile(fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))),
  );
}

describe('opening the inner values of an ONNX file', () => {
  let model: Uint8Array;
  let spec: ModelSpec;

  beforeAll(async () => {
    model = await fixture('lab-probe.onnx');
    const { config } = JSON.parse(new TextDecoder().decode(await fixture('lab-probe.json'))) as {
      config: unknown;
    };
    spec = parseSpec('lab-probe', config, {});
  });

  /** The file with each `from` replaced by `to`, of the same length. */
  function renamed(from: string, to: string): Uint8Array {
    expect(to.length).toBe(from.length);
    const text = Buffer.from(model).toString('latin1');
    expect(text).toContain(from);
    return new Uint8Array(Buffer.from(text.replaceAll(from, to), 'latin1'));
  }

  it('finds all quantities of an export of ours, and adds some hundred bytes', () => {
    const { probes, kvLengths, bytes } = probeGraph(model);
    expect(missingQuantities(spec, probes)).toEqual([]);
    expect([...kvLengths.keys()]).toEqual([1]);
    expect(bytes.length - model.length).toBeLessThan(600);
  });

  it('takes no queries from attention that turns them inside, nor tells it other lengths', () => {
    const turning = model.slice();
    const at = Buffer.from(turning).indexOf('do_rotary');
    expect(at).toBeGreaterThan(0);
    // Right after the name: field 3, the integer, which is 0.
    const value = turning.indexOf(0x18, at + 'do_rotary'.length);
    expect(turning[value + 1]).toBe(0);
    turning[value + 1] = 1;
    const { probes, kvLengths } = probeGraph(turning);
    expect(probes.query.size).toBe(0);
    expect(kvLengths.size).toBe(0);
    expect(missingQuantities(spec, probes).map(({ quantity }) => quantity)).toEqual(['query']);
  });

  it('adds no output twice', () => {
    const once = probeGraph(model).bytes;
    const twice = probeGraph(once);
    expect(missingQuantities(spec, twice.probes)).toEqual([]);
    // The lengths' names are taken, so only they are declared again.
    expect(twice.bytes.length - once.length).toBeLessThan(once.length - model.length);
  });

  it('says which quantity a model lacks, and where', () => {
    const noDelta = probeGraph(renamed('layers.0.dt', 'layers.0.ds'));
    expect(missingQuantities(spec, noDelta.probes)).toMatchObject([
      { quantity: 'delta', layers: [0], reason: expect.stringContaining('Δ') as string },
    ]);
    const noScan = probeGraph(renamed('LinearAttention', 'LinearRetention'));
    expect(missingQuantities(spec, noScan.probes).map(({ quantity }) => quantity)).toEqual([
      'decay',
      'b',
      'c',
    ]);
    const noAttention = probeGraph(renamed('GroupQueryAttention', 'GroupQueryRetention'));
    expect(missingQuantities(spec, noAttention.probes)).toMatchObject([
      { quantity: 'query', layers: [1] },
    ]);
    expect(noAttention.kvLengths.size).toBe(0);
  });

  it('refuses bytes that are no ONNX file', () => {
    expect(() => probeGraph(model.slice(0, 1000))).toThrow(RangeError);
    expect(() => probeGraph(new TextEncoder().encode('<!doctype html>'))).toThrow(RangeError);
  });
});

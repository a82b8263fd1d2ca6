import * as ort from 'onnxruntime-web/webgpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { BytesOnDemand } from '../../../workers/runtime/bytes-on-demand';
import { block, integer, text } from '../../../workers/runtime/protobuf';
import { configureRuntime } from '../../../workers/runtime/session';
import { PLAIN_FILES } from './model-host';

beforeAll(() => configureRuntime({ build: 'plain', threads: 1, files: PLAIN_FILES }));

/** y (2) = x (2) + one (2) + two (2), both of the file `weights`, the second first. */
function twoSums(): Uint8Array {
  const value = (field: number, name: string): number[] =>
    block(field, [
      ...text(1, name),
      ...block(2, block(1, [...integer(1, 1), ...block(2, block(1, integer(1, 2)))])),
    ]);
  const external = (name: string, offset: number): number[] =>
    block(5, [
      ...integer(1, 2),
      ...integer(2, 1),
      ...text(8, name),
      ...block(13, [...text(1, 'location'), ...text(2, 'weights')]),
      ...block(13, [...text(1, 'offset'), ...text(2, String(offset))]),
      ...block(13, [...text(1, 'length'), ...text(2, '8')]),
      ...integer(14, 1),
    ]);
  const add = (a: string, b: string, out: string): number[] =>
    block(1, [...text(1, a), ...text(1, b), ...text(2, out), ...text(4, 'Add')]);
  return Uint8Array.from([
    ...integer(1, 10),
    ...block(7, [
      ...add('x', 'two', 'middle'),
      ...add('middle', 'one', 'y'),
      ...text(2, 'sums'),
      ...external('one', 0),
      ...external('two', 8),
      ...value(11, 'x'),
      ...value(12, 'y'),
    ]),
    ...block(8, [...text(1, ''), ...integer(2, 21)]),
  ]);
}

describe('a file that is made as it is read', () => {
  it('is all that ONNX Runtime needs of external data', async () => {
    const made: string[] = [];
    const room = new Float32Array(2);
    const stretch = (name: string, offset: number, values: readonly number[]) => ({
      offset,
      length: 8,
      make: () => {
        made.push(name);
        room.set(values);
        return new Uint8Array(room.buffer);
      },
    });
    const data = new BytesOnDemand([stretch('one', 0, [1, 2]), stretch('two', 8, [10, 20])]);
    expect(data.byteLength).toBe(16);
    const session = await ort.InferenceSession.create(twoSums(), {
      executionProviders: ['wasm'],
      externalData: [{ path: 'weights', data }],
    });
    const { y } = await session.run({ x: new ort.Tensor('float32', [0.5, 0.25], [2]) });
    await session.release();
    expect(Array.from(y?.data as Float32Array)).toEqual([11.5, 22.25]);
    expect([...new Set(made)].sort()).toEqual(['one', 'two']);
  });

  it('gives parts of a tensor, and refuses what is none', () => {
    const make = (): Uint8Array<ArrayBuffer> => Uint8Array.of(1, 2, 3, 4);
    const data = new BytesOnDemand([
      { offset: 0, length: 4, make },
      { offset: 4, length: 4, make },
    ]);
    expect(Array.from(data.subarray(5, 7))).toEqual([2, 3]);
    expect(() => data.subarray(2, 6)).toThrow('bytes 2 to 6 lie in no one tensor');
    expect(() => data.subarray(8, 9)).toThrow(RangeError);
    expect(new BytesOnDemand([]).byteLength).toBe(0);
  });
});

import { expect, it } from 'vitest';
import { contextLayersOf, layerRatiosOf } from '../../../scripts/bench/results';
import { layerTimesOf } from '../../../src/core/bench/layer-times';
import { parseSpec } from '../../../src/models/spec';
import config from '../../../public/models/micro/config.json';

const spec = parseSpec('micro', config, {});
const indexOf = (kind: string): number =>
  spec.layers.find((layer) => layer.kind === kind)?.index ?? -1;
const [MAMBA, ATTENTION, MLP] = [indexOf('mamba'), indexOf('attention'), indexOf('mlp')];

function event(cat: string, name: string, ts: number, dur: number): string {
  return `${JSON.stringify({ cat, pid: 1, tid: 1, dur, ts, ph: 'X', name, args: {} })},`;
}

function node(name: string, ts: number, dur: number): string {
  return event('Node', `/${name}_kernel_time`, ts, dur);
}

it('adds up the nodes of each kind, run by run, whatever the order of the lines', () => {
  expect([MAMBA, ATTENTION, MLP].every((index) => index >= 0)).toBe(true);
  const lines = [
    '[',
    event('Session', 'model_loading_array', 0, 50),
    node(`layers.${MAMBA}.scan/LinearAttention`, 110, 40),
    node(`layers.${MAMBA}.in_proj/MatMul`, 150, 10),
    node(`present.${ATTENTION}.key/Concat`, 160, 20),
    node('causal_mask/Where', 180, 5),
    event('Node', `/layers.${MLP}.up_proj/MatMul_fence_before`, 184, 1),
    node(`layers.${MLP}.up_proj/MatMul`, 185, 7),
    node('logits/MatMul', 192, 3),
    event('Session', 'model_run', 100, 100),
    event('Session', 'model_run', 300, 100),
    node(`layers.${MAMBA}.scan/LinearAttention`, 310, 80),
    ']',
  ];
  expect(layerTimesOf(lines, spec)).toEqual([
    { mamba: 0.05, attention: 0.025, feedForward: 0.007, ends: 0.003 },
    { mamba: 0.08, attention: 0, feedForward: 0, ends: 0 },
  ]);
});

it('refuses a node of a layer that the model has not', () => {
  const lines = [node('layers.99.scan/LinearAttention', 1, 1), event('Session', 'model_run', 0, 9)];
  expect(() => layerTimesOf(lines, spec)).toThrow(/layer 99/);
});

it('tells the speed of the Mamba part at 8k against 128, and attention’s share', () => {
  const at = (context: number, mamba: number, attention: number) =>
    contextLayersOf(context, [{ mamba, attention, feedForward: 1, ends: 1 }]);
  expect(layerRatiosOf([at(128, 2, 1), at(8192, 2.5, 5.5)])).toEqual({
    mambaDecode8kVs128: 0.8,
    attentionShareAt128: 0.2,
    attentionShareAt8k: 0.55,
  });
  expect(layerRatiosOf([])).toEqual({
    mambaDecode8kVs128: null,
    attentionShareAt128: null,
    attentionShareAt8k: null,
  });
});

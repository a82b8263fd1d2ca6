/** Owns the sentences and tables of the memory meter. Pure; every number comes from its arguments. */
import { curveBytes, curveCrossover, type MemoryCurve } from '../../core/lab/memory-curves';
import { attentionLayers } from '../../core/memory/state-memory';
import type { ModelSpec } from '../../core/model-spec';
import { formatBytes, formatCount } from '../../core/units';
import type { MemoryPoint } from './trace';

/** What the live chart shows. */
export function liveSentence(points: readonly MemoryPoint[], crossover: number | null): string {
  const last = points.at(-1);
  if (last === undefined)
    return 'Nothing has been read yet: ask something, and watch the tide come in.';
  const pool = last.ssmBytes + last.convBytes;
  const state = `After ${formatCount(last.tokens)} tokens the constant state holds ${formatBytes(pool)} and the growing KV cache ${formatBytes(last.kvBytes)}`;
  if (pool === 0 || last.kvBytes === 0) return `${state}.`;
  if (last.kvBytes < pool) {
    const meet = crossover === null ? '' : ` They meet at ${formatCount(crossover)} tokens.`;
    return `${state}: below the crossover the constant state is the larger one.${meet}`;
  }
  return `${state}: past the crossover${crossover === null ? '' : ` at ${formatCount(crossover)} tokens`} the cache is the larger one.`;
}

/** Growth read off the tensors beside the growth that the config asks for; null before two different lengths were seen. */
export function growthCheck(
  points: readonly MemoryPoint[],
  spec: ModelSpec,
): { readonly measured: number; readonly formula: string; readonly isExact: boolean } | null {
  const last = points.at(-1);
  const first = points[0];
  if (first === undefined || last === undefined || last.tokens === first.tokens) return null;
  const measured = (last.kvBytes - first.kvBytes) / (last.tokens - first.tokens);
  const layers = attentionLayers(spec);
  const [one] = layers;
  if (one === undefined) return null;
  const numbers = layers.reduce((sum, layer) => sum + 2 * layer.kvHeads * layer.headDim, 0);
  const width = measured / numbers;
  // At every step, not on average only: a cache that was cut in between is found out.
  const isSteady = points.every(
    ({ tokens, kvBytes }) => kvBytes - first.kvBytes === (tokens - first.tokens) * measured,
  );
  const isExact = isSteady && (width === 2 || width === 4);
  return {
    measured,
    formula: `${layers.length} attention layers × 2 × ${one.kvHeads} KV heads × ${one.headDim} dimensions × ${width} bytes = ${formatCount(measured)} bytes`,
    isExact,
  };
}

/** What the horizon shows at `tokens`. */
export function horizonSentence(curves: readonly MemoryCurve[], tokens: number): string {
  const [running, ...others] = curves;
  if (running === undefined) return '';
  const own = curveBytes(running, tokens);
  const meet = curveCrossover(running);
  const part =
    meet === null
      ? ''
      : tokens < meet
        ? ', most of it the constant state'
        : ', most of it the KV cache';
  const beyond =
    tokens > running.maxTokens
      ? ` (beyond the ${formatCount(running.maxTokens)} it was made for)`
      : '';
  const twin = others.find((curve) => curve.provenance === 'derived');
  const compared =
    twin === undefined
      ? ''
      : curveBytes(twin, tokens) >= own
        ? ` With attention in place of every Mamba layer it would be ${formatBytes(curveBytes(twin, tokens))}, ${ratio(curveBytes(twin, tokens) / own)} as much.`
        : ` With attention in place of every Mamba layer it would be ${formatBytes(curveBytes(twin, tokens))}, which is less: the constant state has not paid off yet.`;
  return `At ${formatCount(tokens)} tokens ${running.name} would remember in ${formatBytes(own)}${beyond}${part}.${compared}`;
}

function ratio(value: number): string {
  return `${value < 10 ? value.toFixed(1) : formatCount(value)} times`;
}

/** Two decimals, since published figures are compared with these: "46.0 MiB", "78.75 MiB". */
function mebibytes(bytes: number): string {
  return bytes < 2 ** 20
    ? formatBytes(bytes)
    : `${(bytes / 2 ** 20).toFixed(2).replace(/0$/, '')} MiB`;
}

/** "6 KiB", "3.5 KiB": what a token adds is a round number as a rule. */
function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(2).replace(/\.?0+$/, '')} KiB`;
}

/** What a curve is made of: "46.0 MiB SSM + 1.08 MiB conv state, 6 KiB of KV cache a token, crossover at 8,035 tokens". */
export function curveFacts(curve: MemoryCurve): string {
  const growth = `${kibibytes(curve.bytesPerToken)} of KV cache a token`;
  if (curve.constantBytes === 0) return `no constant state, ${growth}`;
  const meet = curveCrossover(curve);
  return `${mebibytes(curve.ssmBytes)} SSM + ${mebibytes(curve.convBytes)} conv state, ${growth}${meet === null ? '' : `, crossover at ${formatCount(meet)} tokens`}`;
}

/** The other side of the constant state, with every model's own crossover. */
export function honestSentence(curves: readonly MemoryCurve[]): string {
  const meets = curves.flatMap((curve) => {
    const meet = curveCrossover(curve);
    return meet === null ? [] : [{ name: curve.name, meet }];
  });
  const [own, ...others] = meets;
  if (own === undefined) return '';
  const list = others.map(({ name, meet }) => `${formatCount(meet)} in ${name}`);
  return `The honest lesson: a state that never grows is no gift to a short chat. Below the crossover the constant state is the larger one, here up to ${formatCount(own.meet)} tokens${list.length === 0 ? '' : ` (${list.join(', ')})`}; only beyond it does it pay.`;
}

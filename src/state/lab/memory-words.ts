/** Owns the sentences and tables of the memory meter. Pure; every number comes from its arguments. */
import { t } from '../../core/language/translate';
import { curveBytes, curveCrossover, type MemoryCurve } from '../../core/lab/memory-curves';
import { attentionLayers } from '../../core/memory/state-memory';
import type { ModelSpec } from '../../core/model-spec';
import { formatBytes, formatCount, formatFixed } from '../../core/units';
import type { MemoryPoint } from './trace';

/** What the live chart shows. */
export function liveSentence(points: readonly MemoryPoint[], crossover: number | null): string {
  const last = points.at(-1);
  if (last === undefined)
    return t('Nothing has been read yet: ask something, and watch the tide come in.');
  const pool = last.ssmBytes + last.convBytes;
  const state = t(
    'After {tokens} tokens the constant state holds {pool} and the growing KV cache {kvBytes}',
    {
      tokens: formatCount(last.tokens),
      pool: formatBytes(pool),
      kvBytes: formatBytes(last.kvBytes),
    },
  );
  if (pool === 0 || last.kvBytes === 0) return `${state}.`;
  if (last.kvBytes < pool) {
    const meet =
      crossover === null
        ? ''
        : ` ${t('They meet at {crossover} tokens.', { crossover: formatCount(crossover) })}`;
    return t('{state}: below the crossover the constant state is the larger one.{meet}', {
      state,
      meet,
    });
  }
  return t('{state}: past the crossover{atTokens} the cache is the larger one.', {
    state,
    atTokens:
      crossover === null
        ? ''
        : ` ${t('at {crossover} tokens', { crossover: formatCount(crossover) })}`,
  });
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
    formula: t(
      '{length} attention layers × 2 × {kvHeads} KV heads × {headDim} dimensions × {width} bytes = {measured} bytes',
      {
        length: layers.length,
        kvHeads: one.kvHeads,
        headDim: one.headDim,
        width,
        measured: formatCount(measured),
      },
    ),
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
        ? t(', most of it the constant state')
        : t(', most of it the KV cache');
  const beyond =
    tokens > running.maxTokens
      ? ` ${t('(beyond the {maxTokens} it was made for)', { maxTokens: formatCount(running.maxTokens) })}`
      : '';
  const twin = others.find((curve) => curve.provenance === 'derived');
  const compared =
    twin === undefined
      ? ''
      : curveBytes(twin, tokens) >= own
        ? ` ${t('With attention in place of every Mamba layer it would be {curveBytes}, {ratio} as much.', { curveBytes: formatBytes(curveBytes(twin, tokens)), ratio: ratio(curveBytes(twin, tokens) / own) })}`
        : ` ${t('With attention in place of every Mamba layer it would be {curveBytes}, which is less: the constant state has not paid off yet.', { curveBytes: formatBytes(curveBytes(twin, tokens)) })}`;
  return t('At {tokens} tokens {name} would remember in {own}{beyond}{part}.{compared}', {
    tokens: formatCount(tokens),
    name: running.name,
    own: formatBytes(own),
    beyond,
    part,
    compared,
  });
}

function ratio(value: number): string {
  return t('{fixed} times', { fixed: value < 10 ? formatFixed(value, 1) : formatCount(value) });
}

/** Two decimals, since published figures are compared with these: "46.0 MiB", "78.75 MiB". */
function mebibytes(bytes: number): string {
  return bytes < 2 ** 20
    ? formatBytes(bytes)
    : t('{bytes} MiB', { bytes: formatFixed(bytes / 2 ** 20, 2).replace(/0$/, '') });
}

/** "6 KiB", "3.5 KiB": what a token adds is a round number as a rule. */
function kibibytes(bytes: number): string {
  return t('{bytes} KiB', { bytes: formatFixed(bytes / 1024, 2).replace(/[.,]?0+$/, '') });
}

/** What a curve is made of: "46.0 MiB SSM + 1.08 MiB conv state, 6 KiB of KV cache a token, crossover at 8,035 tokens". */
export function curveFacts(curve: MemoryCurve): string {
  const growth = t('{kibibytes} of KV cache a token', {
    kibibytes: kibibytes(curve.bytesPerToken),
  });
  if (curve.constantBytes === 0) return t('no constant state, {growth}', { growth });
  const meet = curveCrossover(curve);
  return t('{mebibytes} SSM + {mebibytes2} conv state, {growth}{crossoverAtTokens}', {
    mebibytes: mebibytes(curve.ssmBytes),
    mebibytes2: mebibytes(curve.convBytes),
    growth,
    crossoverAtTokens:
      meet === null ? '' : t(', crossover at {meet} tokens', { meet: formatCount(meet) }),
  });
}

/** The other side of the constant state, with every model's own crossover. */
export function honestSentence(curves: readonly MemoryCurve[]): string {
  const meets = curves.flatMap((curve) => {
    const meet = curveCrossover(curve);
    return meet === null ? [] : [{ name: curve.name, meet }];
  });
  const [own, ...others] = meets;
  if (own === undefined) return '';
  const list = others.map(({ name, meet }) =>
    t('{meet} in {name}', { meet: formatCount(meet), name }),
  );
  return t(
    'The honest lesson: a state that never grows is no gift to a short chat. Below the crossover the constant state is the larger one, here up to {meet} tokens{value}; only beyond it does it pay.',
    { meet: formatCount(own.meet), value: list.length === 0 ? '' : ` (${list.join(', ')})` },
  );
}

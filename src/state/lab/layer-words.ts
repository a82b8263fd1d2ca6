/** Owns what the layer views read off their matrices, and say: half-lives, transposes, strongest entries. Pure. */
import { t } from '../../core/language/translate';
import { halfLifeTokens } from '../../core/state-math/hidden-attention';
import { mixersOf, type LayerKind, type LayerSpec } from '../../core/model-spec';
import type { LabMatrix, LabStep } from '../../protocol/lab-api';

export const LAYER_NAMES: Readonly<Record<LayerKind, string>> = {
  mamba: 'Mamba',
  get delta() {
    return t('delta rule');
  },
  get conv() {
    return t('convolution');
  },
  get attention() {
    return t('attention');
  },
  mlp: 'MLP',
  get moe() {
    return t('mixture of experts');
  },
};

/** The letters of Nemotron-H's patterns, and D and C for what it lacks. */
export const LAYER_LETTERS: Readonly<Record<LayerKind, string>> = {
  mamba: 'M',
  delta: 'D',
  conv: 'C',
  attention: '*',
  mlp: '–',
  moe: 'E',
};

/** "Mamba beside attention, then MLP": all that a layer does, in its order. */
export function layerName(layer: LayerSpec): string {
  if (layer.kind === 'mlp' || layer.kind === 'moe') return LAYER_NAMES[layer.kind];
  const mixers = mixersOf(layer).map(({ kind }) => LAYER_NAMES[kind]);
  const { feedForward } = layer;
  return `${mixers.join(t(' beside '))}${feedForward === undefined ? '' : t(', then {LAYERNAMES}', { LAYERNAMES: LAYER_NAMES[feedForward] })}`;
}

/** "M", or "M*" where two mixers stand side by side. */
export function layerLetters(layer: LayerSpec): string {
  const mixers = mixersOf(layer);
  return mixers.length === 0
    ? LAYER_LETTERS[layer.kind]
    : mixers.map(({ kind }) => LAYER_LETTERS[kind]).join('');
}

/** Share of a layer's own peak, 0…1; null where nothing was measured. */
export function activityShare(
  step: LabStep | null,
  peak: Float32Array,
  layer: number,
): number | null {
  const value = step?.activity[layer];
  const most = peak[layer];
  if (value === undefined || Number.isNaN(value) || most === undefined || most === 0) return null;
  return value / most;
}

/** What the strip shows at this token. */
export function stripSentence(
  layers: readonly LayerSpec[],
  step: LabStep | null,
  peak: Float32Array,
): string {
  const counts = (['mamba', 'delta', 'conv', 'attention', 'mlp', 'moe'] as const).flatMap(
    (kind) => {
      const count = layers.filter(
        (layer) => layer.kind === kind || mixersOf(layer).some((mixer) => mixer.kind === kind),
      ).length;
      return count === 0 ? [] : [`${count} ${LAYER_NAMES[kind]}`];
    },
  );
  const stack = t('{length} layers: {counts}.', {
    length: layers.length,
    counts: counts.join(', '),
  });
  if (step === null) return t('{stack} They light up with the next token.', { stack });
  let strongest: { layer: LayerSpec; share: number } | null = null;
  for (const layer of layers) {
    const share = activityShare(step, peak, layer.index);
    if (share !== null && (strongest === null || share > strongest.share)) {
      strongest = { layer, share };
    }
  }
  if (strongest === null)
    return t('{stack} This model does not name what its layers write.', { stack });
  const { layer, share } = strongest;
  return t(
    '{stack} At token {position} layer {index} ({layerName}) is nearest to its own peak, at {share} %.',
    {
      stack,
      position: step.position + 1,
      index: layer.index,
      layerName: layerName(layer),
      share: Math.round(share * 100),
    },
  );
}

/** Rows become columns. */
export function transpose({ rows, columns, values }: LabMatrix): LabMatrix {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      turned[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return { rows: columns, columns: rows, values: turned };
}

/** (tokens, heads) of one quantity of a layer from the steps seen live; null when none has it. */
export function historyOf(
  steps: readonly LabStep[],
  layer: number,
  quantity: 'delta' | 'decay' | 'stateNorm',
): {
  readonly matrix: LabMatrix;
  readonly positions: readonly number[];
  readonly texts: readonly string[];
} | null {
  const seen = steps.flatMap((step) => {
    const values = step.mamba.find((one) => one.layer === layer)?.[quantity] ?? null;
    return values === null ? [] : [{ step, values }];
  });
  const [first] = seen;
  if (first === undefined) return null;
  const columns = first.values.length;
  const values = new Float32Array(seen.length * columns);
  seen.forEach((one, row) => values.set(one.values, row * columns));
  return {
    matrix: { rows: seen.length, columns, values },
    positions: seen.map(({ step }) => step.position),
    texts: seen.map(({ step }) => step.text),
  };
}

/**
 * Half-life in tokens of each head at its typical (geometric mean) decay over the rows of `decay` (tokens, heads):
 * what multiplies is averaged as what multiplies.
 */
export function halfLives({ rows, columns, values }: LabMatrix): number[] {
  return Array.from({ length: columns }, (_, head) => {
    let logs = 0;
    for (let row = 0; row < rows; row += 1) logs += Math.log(values[row * columns + head] ?? 0);
    const mean = rows === 0 ? 1 : Math.exp(logs / rows);
    return halfLifeTokens(Math.min(1, Math.max(0, mean)));
  });
}

/** Place of the largest size in a matrix, optionally off its diagonal; null for an empty or zero one. */
export function strongest(
  { rows, columns, values }: LabMatrix,
  isOffDiagonal = false,
): { readonly row: number; readonly column: number; readonly value: number } | null {
  let best: { row: number; column: number; value: number } | null = null;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      if (isOffDiagonal && row === column) continue;
      const value = values[row * columns + column] ?? 0;
      if (value !== 0 && Math.abs(value) > Math.abs(best?.value ?? 0))
        best = { row, column, value };
    }
  }
  return best;
}

/** The `count` largest entries of a row, largest first. */
export function topOfRow(
  { columns, values }: LabMatrix,
  row: number,
  count: number,
): readonly { readonly column: number; readonly value: number }[] {
  return Array.from({ length: columns }, (_, column) => ({
    column,
    value: values[row * columns + column] ?? 0,
  }))
    .filter(({ value }) => value !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, count);
}

export function largestSize(matrices: readonly (LabMatrix | null)[]): number {
  let largest = 0;
  for (const matrix of matrices) {
    for (const value of matrix?.values ?? []) largest = Math.max(largest, Math.abs(value));
  }
  return largest;
}

/**
 * Hidden attention as shares: each entry over the sum of its row's sizes, its sign kept. Rows of softmax sum to 1 as
 * they are, so both can be shown on one scale.
 */
export function rowShares({ rows, columns, values }: LabMatrix): LabMatrix {
  const shares = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    let sum = 0;
    for (let column = 0; column < columns; column += 1) {
      sum += Math.abs(values[row * columns + column] ?? 0);
    }
    if (sum === 0) continue;
    for (let column = 0; column < columns; column += 1) {
      shares[row * columns + column] = (values[row * columns + column] ?? 0) / sum;
    }
  }
  return { rows, columns, values: shares };
}

/** Reads the weights that the lessons on number formats look at: the first matrix of the first MLP. Owns no words on them. */
import { t } from '../../core/language/translate';
import type { LayerSpec } from '../../core/model-spec';
import type { WeightsResult } from '../../protocol/lab-api';
import type { LessonHost } from './lessons';

/** The layer and its first matrix and row; a sentence where there is no layer, null where the job was stopped. */
export async function readWeights(
  run: LessonHost['run'],
  spec: LessonHost['spec'],
): Promise<{ readonly layer: LayerSpec; readonly result: WeightsResult } | string | null> {
  const layer = spec.layers.find(({ kind }) => kind === 'mlp') ?? spec.layers[0];
  if (layer === undefined) return t('{name} has no layers.', { name: spec.name });
  const result = await run('weights', t('Reading the model’s file'), {
    layer: layer.index,
    matrix: 0,
    row: 0,
  });
  return result === null ? null : { layer, result };
}

/** The guided lesson on FP8, as data: a row of the model's own weights in eight bits, beside four. Owns no drawing. */
import { t } from '../../core/language/translate';
import { decodeE4m3, encodeE4m3 } from '../../core/nvfp4/float-formats';
import { formatCount, formatFixed } from '../../core/units';
import type { Lesson } from './lessons';
import { readWeights } from './read-weights';

/** Largest number of E4M3: what the tensor's largest weight is put on (current scaling of the whole tensor). */
const LARGEST = 448;
/** Half of the least number above 0: what lies below becomes 0. */
const LEAST = 2 ** -10;
const LITTLE = 0.01;
const MUCH = 0.05;

/** A weight in E4M3 and back. */
function rounded(weight: number, scale: number): number {
  const size = Math.abs(weight) / scale;
  return size <= LEAST ? 0 : Math.sign(weight) * decodeE4m3(encodeE4m3(size)) * scale;
}

/** Norm of what rounding changes over the norm; 0 for a row of zeros. */
export function eightBitError(values: Float32Array, largest: number): number {
  const scale = largest / LARGEST;
  let [changed, all] = [0, 0];
  for (const value of values) {
    changed += (rounded(value, scale) - value) ** 2;
    all += value ** 2;
  }
  return all === 0 ? 0 : Math.sqrt(changed / all);
}

export const EIGHT_BITS_LESSON: Lesson = {
  id: 'eight-bits',
  get title() {
    return t('Eight bits to learn with');
  },
  minutes: 2,
  get scene() {
    return t(
      'Nemotron-H was trained in FP8: each weight that is multiplied has eight bits, and one scale serves a whole matrix. We put a row of the model in this tab through that format.',
    );
  },
  get question() {
    return t('How far is the row off afterwards, as a share of its size?');
  },
  get predictions() {
    return [t('Under 1 %'), t('1 to 5 %'), t('Over 5 %')];
  },
  async run({ run, spec }) {
    const read = await readWeights(run, spec);
    if (read === null || typeof read === 'string') return read;
    const { layer, result } = read;
    const matrix = result.matrices[result.matrix];
    if (matrix === undefined || result.largest === 0)
      return t(
        'The file of {name} keeps the weights of layer {index} in a form that is not read.',
        {
          name: spec.name,
          index: layer.index,
        },
      );
    const eight = eightBitError(result.values, result.largest);
    const four = result.errors?.fourOverSix ?? null;
    const share = (error: number): string => `${formatFixed(100 * error, 1)}\u00a0%`;
    return {
      sentence: t(
        'The {columns} weights of a row of {matrix} in layer {index} are off by {share} in eight bits.',
        {
          columns: formatCount(result.values.length),
          matrix: matrix.name,
          index: layer.index,
          share: share(eight),
        },
      ),
      reading:
        four === null
          ? t(
              'Away from zero, a step between two numbers of the format is an eighth of their size at most.',
            )
          : t(
              'In the four bits of NVFP4 the whole matrix is off by {four}. Away from zero, a step between two numbers of eight bits is an eighth of their size at most, of four bits a half.',
              { four: share(four) },
            ),
      right: eight < LITTLE ? 0 : eight <= MUCH ? 1 : 2,
      bars: [
        { name: t('Eight bits (FP8)'), value: eight, text: share(eight), tone: '--pool-water' },
        ...(four === null
          ? []
          : [
              {
                name: t('Four bits (NVFP4)'),
                value: four,
                text: share(four),
                tone: '--tide-water',
              },
            ]),
      ],
      provenance: 'measured',
    };
  },
  get why() {
    return t(
      'Rounding goes both ways, and a sum of many products mends most of it; what it must not do is cut off the largest numbers or lose the small ones, hence the scale. Gradients span more, so they get five bits for the exponent and two for the rest (E5M2), and the first and last layers stay in bf16. The curves of our small run stand under “Family”.',
    );
  },
};

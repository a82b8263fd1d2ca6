/** The family's training curves as lines and sentences. Pure. */
import { plural, t } from '../../../core/language/translate';
import { formatFixed } from '../../../core/units';
import type {
  CurvePoint,
  FamilyCurves,
  PartsCurve,
  PrecisionCurve,
  PuzzleSearch,
} from '../../../models/family-curves';

/** Where both have a point, how much higher the second's loss is, as a share of the first's. */
function relativeGap(
  reference: readonly CurvePoint[],
  other: readonly CurvePoint[],
): readonly { readonly tokens: number; readonly gap: number }[] {
  const losses = new Map(reference.map(({ tokens, loss }) => [tokens, loss]));
  return other.flatMap(({ tokens, loss }) => {
    const own = losses.get(tokens);
    return own === undefined || own === 0 ? [] : [{ tokens, gap: (loss - own) / own }];
  });
}

export interface SeedGap {
  readonly seed: number;
  readonly points: readonly { readonly tokens: number; readonly gap: number }[];
}

/** For each seed that was trained in both precisions. */
export function precisionGaps(curves: readonly PrecisionCurve[]): readonly SeedGap[] {
  return curves
    .filter(({ kind }) => kind === 'bf16')
    .flatMap(({ seed, points }) => {
      const other = curves.find((one) => one.kind === 'fp8' && one.seed === seed);
      return other === undefined ? [] : [{ seed, points: relativeGap(points, other.points) }];
    });
}

const signed = (share: number): string =>
  `${share < 0 ? '−' : '+'}${(100 * Math.abs(share)).toFixed(2)}\u00a0%`;

export function precisionSentence(curves: readonly PrecisionCurve[]): string {
  const ends = precisionGaps(curves).flatMap(({ points }) => {
    const last = points.at(-1);
    return last === undefined ? [] : [last.gap];
  });
  if (ends.length === 0) return t('No seed was trained in both precisions.');
  const mean = ends.reduce((sum, gap) => sum + gap, 0) / ends.length;
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return t(
    'At the end the loss in FP8 is {signed} off that in bf16 on average over {length} seeds ({signed2} to {signed3}). {itsSignDiffers} The paper reports under 0.1 % for models of billions.',
    {
      signed: signed(mean),
      length: ends.length,
      signed2: signed(low),
      signed3: signed(high),
      itsSignDiffers:
        low < 0 && high > 0
          ? t('Its sign differs by seed: the gap is within the noise.')
          : t('Its sign is the same for every seed.'),
    },
  );
}

export function partsName({ parts }: PartsCurve): string {
  return parts.length === 0 ? t('NVFP4 alone') : parts.join(' + ');
}

export function partsSentence(curves: readonly PartsCurve[]): string {
  const ends = curves.flatMap((curve) => {
    const last = curve.points.at(-1);
    return last === undefined ? [] : [{ name: partsName(curve), loss: last.loss }];
  });
  const sorted = ends.toSorted((a, b) => a.loss - b.loss);
  const [best, worst] = [sorted[0], sorted.at(-1)];
  if (best === undefined || worst === undefined) return t('Nothing was trained so.');
  return t(
    'Lowest at the end is {name} with {loss} nats, highest {name2} with {loss2}. One seed each: differences of a few thousandths may be chance.',
    {
      name: best.name,
      loss: best.loss.toFixed(3),
      name2: worst.name,
      loss2: worst.loss.toFixed(3),
    },
  );
}

export function importanceSentence({ importance, cut }: PuzzleSearch): string {
  const order = importance
    .map((value, layer) => ({ value, layer }))
    .toSorted((a, b) => a.value - b.value);
  const [least] = order;
  const most = order.at(-1);
  if (least === undefined || most === undefined) return t('No layer was scored.');
  const gone =
    cut.length === 0
      ? t('No layer was cut as a whole.')
      : plural(cut.length, 'Cut: layer {layers}.', 'Cut: layers {layers}.', {
          layers: [...cut].sort((a, b) => a - b).join(', '),
        });
  return t('Without layer {layer} the model errs most, without layer {layer2} least. {gone}', {
    layer: most.layer,
    layer2: least.layer,
    gone,
  });
}

export function rankingSentence({ candidates }: PuzzleSearch): string {
  const distilled = candidates.filter(({ rankAfter }) => rankAfter !== null);
  const moved = distilled.filter(({ rankBefore, rankAfter }) => rankBefore !== rankAfter);
  const winner = distilled.find(({ rankAfter }) => rankAfter === 1);
  if (winner === undefined)
    return t('{length} candidates were scored; none was distilled.', { length: candidates.length });
  const chosen = distilled.find(({ isChosen }) => isChosen);
  const order = t(
    '{length} of {length2} candidates were distilled for a short while; {theirOrderStayed}. First after it is the one that was {first} before.',
    {
      length: distilled.length,
      length2: candidates.length,
      theirOrderStayed:
        moved.length === 0
          ? t('their order stayed as it was')
          : plural(moved.length, 'one changed its place', '{length} changed their place', {
              length: moved.length,
            }),
      first:
        winner.rankBefore === 1
          ? t('first')
          : t('number {rankBefore}', { rankBefore: winner.rankBefore }),
    },
  );
  if (chosen === undefined || chosen === winner || chosen.loss === null || winner.loss === null)
    return order;
  return `${order} ${t(
    'The model is made of number {rank} after it: {loss} nats behind the first, in {share} % fewer bytes.',
    {
      rank: chosen.rankAfter ?? 0,
      loss: formatFixed(chosen.loss - winner.loss, 4),
      share: Math.round(100 * (1 - chosen.bytes / winner.bytes)),
    },
  )}`;
}

/** Whether there is anything to draw of it. */
export function hasCurves(curves: FamilyCurves, of: 'fp8' | 'nvfp4' | 'minipuzzle'): boolean {
  return of === 'minipuzzle' ? curves.puzzle !== null : curves[of].length > 0;
}

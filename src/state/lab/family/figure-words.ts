/** How the family's figures are written and read out. Pure. */
import { t } from '../../../core/language/translate';
import type { Estimate, FamilyControl, FamilyFigure } from '../../../models/family-file';
import type { Pace } from './family.svelte';

/** Accuracies and shares stand as percent; the rest as plain numbers. */
function isShareFigure({ name }: FamilyFigure): boolean {
  return /^(?:accuracy|share)\b/i.test(name);
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

function plain(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '−');
}

export function estimateInWords(
  { value, interval }: Estimate,
  write: (value: number) => string,
): string {
  return interval === null
    ? write(value)
    : t('{write} ({write2} to {write3})', {
        write: write(value),
        write2: write(interval[0]),
        write3: write(interval[1]),
      });
}

export function figureInWords(figure: FamilyFigure): string {
  const write = isShareFigure(figure) ? percent : plain;
  const own = estimateInWords(figure, write);
  return figure.control === null
    ? own
    : t('{own}; the control {write}', { own, write: write(figure.control) });
}

/** Whether the intervals of two accuracies leave room for no difference. */
export function comparisonInWords(accuracy: Estimate, control: FamilyControl): string {
  const other = control.accuracy;
  if (other === null) return '';
  if (accuracy.interval === null || other.interval === null) return '';
  const isApart =
    accuracy.interval[0] > other.interval[1] || accuracy.interval[1] < other.interval[0];
  if (!isApart)
    return t('No difference to the control that these problems could tell from chance.');
  return accuracy.value > other.value
    ? t('Better than the control, beyond chance.')
    : t('Worse than the control, beyond chance.');
}

export function paceInWords({ tokensPerSecond, device }: Pace): string {
  const rate =
    tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : String(Math.round(tokensPerSecond));
  return t('{rate} tokens/s on {device}', { rate, device });
}

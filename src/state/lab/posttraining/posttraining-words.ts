/** How the systems after pretraining are called and their figures written. Pure. */
import { t } from '../../../core/language/translate';
import type { PosttrainingId, PosttrainingSystem } from '../../../models/posttraining-file';

export function systemTitle(id: PosttrainingId): string {
  switch (id) {
    case 'grpo':
      return t('Reinforcement in many environments');
    case 'reward':
      return t('Reward model and best of N');
    case 'feedback-edit':
      return t('Draft, feedback, edit');
    case 'judge':
      return t('Judge by rubric');
    case 'pipeline':
      return t('Pipeline of synthetic data');
    case 'impact':
      return t('Report on impact');
  }
}

/** Accuracies and shares stand as percent; the rest as plain numbers. */
function write(name: string, value: number): string {
  return /^(?:accuracy|share)\b/i.test(name)
    ? `${(100 * value).toFixed(1)}\u00a0%`
    : String(Number(value.toPrecision(3))).replace('-', '−');
}

export function figureWords({ name, before, after, interval }: PosttrainingSystem['figure']): {
  readonly before: string;
  readonly after: string;
  readonly interval: string;
} {
  return {
    before: before === null ? '–' : write(name, before),
    after: write(name, after),
    interval: t('{interval} to {interval2}', {
      interval: write(name, interval[0]),
      interval2: write(name, interval[1]),
    }),
  };
}

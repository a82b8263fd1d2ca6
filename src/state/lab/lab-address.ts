/** Owns the part of the address that opens a lesson, an experiment or a class: `#lesson=ID`, `#experiment=…`, `#class=…`. Pure. */
import { t } from '../../core/language/translate';
import {
  decodeExperiment,
  encodeExperiment,
  MAX_LINK_CHARACTERS,
  type ExperimentLink,
} from './experiment-link';

export type LabAddress =
  | { readonly kind: 'lesson'; readonly id: string }
  | { readonly kind: 'experiment'; readonly link: ExperimentLink }
  /** Still packed: it is read by the view that shows it. */
  | { readonly kind: 'class'; readonly code: string }
  /** It was meant for the lab, but can't be followed. */
  | { readonly kind: 'broken'; readonly reason: string };

export function lessonHash(id: string): string {
  return `#lesson=${id}`;
}

/** Null when the experiment is too long for a link. */
export function experimentHash(link: ExperimentLink): string | null {
  const coded = encodeExperiment(link);
  return coded.length > MAX_LINK_CHARACTERS ? null : `#experiment=${coded}`;
}

/** What the address asks of the lab; null when it asks nothing. */
export function labAddressOf(hash: string): LabAddress | null {
  if (hash.startsWith('#lesson=')) {
    const id = /^#lesson=([a-z-]{1,40})$/.exec(hash)?.[1];
    return id === undefined
      ? { kind: 'broken', reason: t('it names no lesson') }
      : { kind: 'lesson', id };
  }
  const code = /^#class=([\w-]+)$/.exec(hash)?.[1];
  if (code !== undefined) return { kind: 'class', code };
  const coded = /^#experiment=(.*)$/s.exec(hash)?.[1];
  if (coded === undefined) return null;
  const link = decodeExperiment(coded);
  return 'broken' in link ? { kind: 'broken', reason: link.broken } : { kind: 'experiment', link };
}

/** Owns where an experiment begins, as people choose it, and the sentences that say it. Pure. */
import { plural, t } from '../../core/language/translate';
import type { PromptMessage } from '../../core/chat/prompt-message';
import type { SamplingSettings } from '../../core/sampling/sampler';
import { shortenText } from '../../core/text/letters';
import { formatCount } from '../../core/units';
import type { LabLive, LabSource } from '../../protocol/lab-api';

export type StartKind = 'reply' | 'prompt' | 'now';

/** Where an experiment begins, and the next message that is read from there. */
export interface ExperimentStart {
  readonly source: LabSource;
  readonly message?: string;
}

/**
 * A start that means the same in another tab: what is live here goes as the tokens that were read. Null when it can't:
 * the state was operated on, and tokens would not say so.
 */
export function portableStart(
  start: ExperimentStart,
  live: LabLive | null,
): ExperimentStart | null {
  if (start.source.kind !== 'live') return start;
  if (live === null || live.tokens === 0 || live.operations.length > 0) return null;
  return {
    ...start,
    source: { kind: 'tokens', tokenIds: Array.from(live.tokenIds).slice(0, start.source.tokens) },
  };
}

function lastOf(messages: readonly PromptMessage[]): string {
  return messages.at(-1)?.content ?? '';
}

const MOST = 160;

function quoted(text: string): string {
  const flat = text.trim().replace(/\s+/g, ' ');
  return `“${shortenText(flat, MOST)}”`;
}

/** "a chat that asks “What is 2 + 3?”, with thinking". */
export function startInWords({ source, message }: ExperimentStart): string {
  const next =
    message === undefined ? '' : t(', then the message {message}', { message: quoted(message) });
  switch (source.kind) {
    case 'live':
      return t('where the chat stands now{next}', { next });
    case 'messages': {
      const earlier = source.messages.length - 1;
      return `${quoted(lastOf(source.messages))}${earlier > 0 ? ` ${plural(earlier, 'after {count} earlier message', 'after {count} earlier messages')}` : ''}, ${source.thinking ? t('with thinking') : t('without thinking')}${next}`;
    }
    case 'text':
      return t('the text {text}{next}', { text: quoted(source.text), next });
    case 'tokens':
      return t('the {length} tokens of a chat{next}', {
        length: formatCount(source.tokenIds.length),
        next,
      });
    default: {
      const never: never = source;
      return never;
    }
  }
}

/** "temperature 0.2, top-k 40, top-p 0.95, min-p 0.1, seed 1"; greedy drawing needs no more than its name. */
export function samplingInWords(
  sampling: Omit<SamplingSettings, 'seed'>,
  seeds: readonly number[],
): string {
  if (sampling.temperature === 0) return t('always the likeliest token');
  const parts = [
    t('temperature {temperature}', { temperature: sampling.temperature }),
    ...(sampling.topK > 0 ? [t('top-k {topK}', { topK: sampling.topK })] : []),
    ...(sampling.topP < 1 ? [t('top-p {topP}', { topP: sampling.topP })] : []),
    ...(sampling.minP > 0 ? [t('min-p {minP}', { minP: sampling.minP })] : []),
    ...(sampling.repetitionPenalty === 1
      ? []
      : [
          t('repetition penalty {repetitionPenalty}', {
            repetitionPenalty: sampling.repetitionPenalty,
          }),
        ]),
  ];
  return `${parts.join(', ')}, ${plural(seeds.length, 'seed {seeds}', 'seeds {seeds}', { seeds: seeds.join(t(' and ')) })}`;
}

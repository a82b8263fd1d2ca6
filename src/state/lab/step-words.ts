/** Owns the sentences of step mode: what was read, what was drawn, and what that did to state and cache. Pure. */
import { t } from '../../core/language/translate';
import { frobeniusNorm } from '../../core/state-math/singular-values';
import { formatBytes, formatCount } from '../../core/units';
import type { LabMatrix } from '../../protocol/lab-api';
import type { TraceView } from './trace';

/** A token as it stands in a sentence. */
type ShowToken = (text: string) => string;

/** "It read “ is” as token 41 and drew “ 2”." */
export function readSentence(now: TraceView, before: TraceView | null, show: ShowToken): string {
  const drawn = now.tokens.at(-1);
  const hasDrawn = drawn !== undefined && now.tokens.length !== before?.tokens.length;
  const next = hasDrawn
    ? ` ${t('and drew “{show}”', { show: show(drawn.text) })}`
    : t(', and the reply was over');
  const { last } = now;
  const isNew = last !== null && last !== (before?.last ?? null);
  if (before === null) {
    const read = isNew
      ? ` ${t('of {position} tokens', { position: formatCount(last.position + 1) })}`
      : '';
    return t('The prompt{read} was read. From what the model remembers of it, it drew “{show}”.', {
      read,
      show: drawn === undefined ? '' : show(drawn.text),
    });
  }
  if (last === null || !isNew) return t('It went on{next}.', { next });
  const { readTexts } = last;
  return readTexts.length > 1
    ? t('It read {length} tokens that the limit put in, up to token {position}{next}.', {
        length: readTexts.length,
        position: formatCount(last.position + 1),
        next,
      })
    : t('It read “{show}” as token {position}{next}.', {
        show: show(last.text),
        position: formatCount(last.position + 1),
        next,
      });
}

/** What one step did to the bytes. */
export function bytesSentence(now: TraceView, before: TraceView | null): string {
  const [point, earlier] = [now.memory.at(-1), before?.memory.at(-1)];
  if (point === undefined) return '';
  const constant = point.ssmBytes + point.convBytes;
  if (earlier === undefined || earlier.tokens === point.tokens)
    return t('The states take {constant}, the cache {kvBytes}.', {
      constant: formatBytes(constant),
      kvBytes: formatBytes(point.kvBytes),
    });
  const states =
    constant === 0
      ? t('There are no states')
      : constant === earlier.ssmBytes + earlier.convBytes
        ? t('The states keep their {constant}', { constant: formatBytes(constant) })
        : t('The states went to {constant}', { constant: formatBytes(constant) });
  const grown = point.kvBytes - earlier.kvBytes;
  return t('{states}; the cache grew by {grown} bytes to {kvBytes}.', {
    states,
    grown: formatCount(grown),
    kvBytes: formatBytes(point.kvBytes),
  });
}

/** A head's state in a frame; null when it was not open then. */
export function stateIn(frame: TraceView | null, layer: number, head: number): LabMatrix | null {
  const found = frame?.opened.find(
    (one) => 'state' in one && one.layer === layer && one.head === head,
  );
  if (found === undefined) return null;
  return 'state' in found ? found.state : null;
}

/** What one step added to a state, number by number; null where either is missing. */
export function stateChange(now: LabMatrix | null, before: LabMatrix | null): LabMatrix | null {
  if (before === null || now?.values.length !== before.values.length) return null;
  return { ...now, values: now.values.map((value, at) => value - (before.values[at] ?? 0)) };
}

/** "One token changed head 0 by 12 % of its norm: it forgot a share of 3 % of all and wrote the rest." */
export function changeSentence(
  change: LabMatrix,
  before: LabMatrix,
  head: number,
  kept: number | null,
): string {
  const [changed, norm] = [frobeniusNorm(change.values), frobeniusNorm(before.values)];
  if (changed === 0) return t('This token left the state of head {head} as it was.', { head });
  const share =
    norm === 0
      ? t('filled the empty state of head {head}', { head })
      : t('changed the state of head {head} by {changed} % of its norm', {
          head,
          changed: Math.round((changed / norm) * 100),
        });
  const forgot =
    kept === null
      ? ''
      : ` ${t('Every number kept {kept} % of itself; what was written on top is one column times one row.', { kept: (kept * 100).toFixed(1) })}`;
  return t('This token {share}.{forgot}', { share, forgot });
}

/** What stands on a model's card, in a person's words. Pure. */
import type { LayerKind } from '../../core/model-spec';
import { formatBytes, formatDuration } from '../../core/units';
import type { DownloadState } from '../../model-files/model-download';
import type { DeviceOffer, Verdict } from '../../models/fit';
import type { LibraryModel } from '../../state/models/library-model';

/** "1.70 million", "340 million", "3.97 billion". */
function countInWords(count: number): string {
  const [value, unit] = count >= 1e9 ? [count / 1e9, 'billion'] : [count / 1e6, 'million'];
  return `${Number(value.toPrecision(3))} ${unit}`;
}

export function parametersInWords(model: LibraryModel): string | null {
  if (model.parameters === null) return null;
  const all = `${model.isNominal ? 'about ' : ''}${countInWords(model.parameters)}`;
  return model.activeParameters === null
    ? all
    : `${all}, ${countInWords(model.activeParameters)} at work for a token`;
}

export const PART_WORDS: Readonly<Record<LayerKind, string>> = {
  mamba: 'Mamba-2',
  delta: 'gated DeltaNet',
  conv: 'short convolution',
  attention: 'attention',
  mlp: 'MLP',
  moe: 'mixture of experts',
};

const DTYPE_WORDS: Readonly<Record<string, string>> = {
  q4: '4 bits',
  q4f16: '4 bits, computes in 16',
  quantized: '8 bits',
  q8: '8 bits',
  int8: '8 bits',
  fp16: '16 bits',
  fp32: '32 bits',
};

/** "q4 (4 bits)". */
export function dtypeInWords(dtype: string): string {
  const words = DTYPE_WORDS[dtype];
  return words === undefined ? dtype : `${dtype} (${words})`;
}

export function thinkingInWords(model: LibraryModel): string {
  const { thinking } = model;
  if (thinking === null) return 'Not known before its template is read.';
  const kind = {
    never: 'Does not think.',
    switch: 'Thinks, and can be asked not to.',
    always: 'Always thinks first.',
  }[thinking.kind];
  return `${kind} ${thinking.how}`;
}

export function languagesInWords(model: LibraryModel): string | null {
  const { languages } = model;
  if (languages === null) return null;
  if (languages.names === null)
    return `${languages.count} ${languages.count === 1 ? 'language' : 'languages'}`;
  return languages.names.join(', ');
}

/** What the browser tells of this device, in one sentence. */
export function offerInWords(offer: DeviceOffer): string {
  const { gpu } = offer;
  const graphics =
    'missing' in gpu
      ? `no graphics device (${gpu.missing})`
      : gpu.isEmulated
        ? `an emulated graphics device (${gpu.name}), which is slower than the processor`
        : `graphics device ${gpu.name}, ${gpu.hasF16 ? '16-bit' : '32-bit only'}`;
  const memory =
    offer.memoryBytes === null
      ? 'memory untold'
      : `memory ${formatBytes(offer.memoryBytes)} as the browser tells it`;
  const storage =
    offer.storage === null
      ? 'room for files untold'
      : `${formatBytes(Math.max(0, offer.storage.quotaBytes - offer.storage.usedBytes))} free to keep files in`;
  return `${graphics}; ${memory}; ${storage}.`;
}

const FIT_WORDS = {
  fits: 'Fits here',
  tight: 'Only just',
  no: 'Cannot run here',
  unknown: 'Not known yet',
} as const;

export function fitInWords(verdict: Verdict): string {
  if (verdict.fit === 'fits' || verdict.fit === 'tight')
    return `${FIT_WORDS[verdict.fit]}, on ${verdict.device === 'webgpu' ? 'the graphics device' : 'the processor'}`;
  return FIT_WORDS[verdict.fit];
}

/** "about 4 tokens/s"; null on a graphics device, and where a sentence says it already. */
export function paceInWords({ fit, msPerToken }: Verdict): string | null {
  if (fit !== 'fits' || msPerToken === null || msPerToken === 0) return null;
  return `about ${Number((1000 / msPerToken).toPrecision(2))} tokens/s`;
}

/** Where a download stands: bytes, pace and time left, or why it stands still. */
export function downloadInWords(state: DownloadState): string {
  const bytes = `${formatBytes(state.loadedBytes)} of ${formatBytes(state.totalBytes)}`;
  switch (state.phase) {
    case 'queued':
      return `${bytes}. Another tab is downloading it; this one waits.`;
    case 'paused':
      return `${bytes}, paused. What has come is kept.`;
    case 'failed':
      return `${bytes}. ${state.error?.message ?? ''} ${state.error?.remedy ?? ''}`.trim();
    case 'idle':
    case 'running':
    case 'done':
    case 'cancelled':
      break;
    default: {
      const never: never = state.phase;
      return never;
    }
  }
  if (state.wait !== null) {
    const why =
      state.wait.reason === 'connection' ? 'The connection broke' : 'The host asks for patience';
    return `${bytes}. ${why}; going on in ${formatDuration(state.wait.ms)}.`;
  }
  const rate = state.bytesPerSecond === null ? '' : `, ${formatBytes(state.bytesPerSecond)}/s`;
  const left =
    state.secondsLeft === null || state.secondsLeft < 0.5
      ? ''
      : `, ${formatDuration(Math.ceil(state.secondsLeft) * 1000)} left`;
  return `${bytes}${rate}${left}`;
}

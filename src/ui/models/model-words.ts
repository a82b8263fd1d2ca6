/** What stands on a model's card, in a person's words. Pure. */
import { plural, said, t } from '../../core/language/translate';
import type { LayerKind } from '../../core/model-spec';
import { formatBytes, formatDuration, formatNumber } from '../../core/units';
import type { DownloadState } from '../../model-files/model-download';
import type { DeviceOffer, Verdict } from '../../models/fit';
import type { LibraryModel } from '../../state/models/library-model';

/** "1.70 million", "340 million", "3.97 billion". */
function countInWords(count: number): string {
  const figures = (value: number): string => formatNumber(Number(value.toPrecision(3)));
  return count >= 1e9
    ? t('{count} billion', { count: figures(count / 1e9) })
    : t('{count} million', { count: figures(count / 1e6) });
}

export function parametersInWords(model: LibraryModel): string | null {
  if (model.parameters === null) return null;
  const all = `${model.isNominal ? `${t('about')} ` : ''}${countInWords(model.parameters)}`;
  return model.activeParameters === null
    ? all
    : t('{all}, {count} at work for a token', { all, count: countInWords(model.activeParameters) });
}

export const PART_WORDS: Readonly<Record<LayerKind, string>> = {
  mamba: 'Mamba-2',
  get delta() {
    return t('gated DeltaNet');
  },
  get conv() {
    return t('short convolution');
  },
  get attention() {
    return t('attention');
  },
  mlp: 'MLP',
  get moe() {
    return t('mixture of experts');
  },
};

const DTYPE_WORDS: Readonly<Record<string, string>> = {
  get q4() {
    return t('4 bits');
  },
  get q4f16() {
    return t('4 bits, computes in 16');
  },
  get quantized() {
    return t('8 bits');
  },
  get q8() {
    return t('8 bits');
  },
  get int8() {
    return t('8 bits');
  },
  get fp16() {
    return t('16 bits');
  },
  get fp32() {
    return t('32 bits');
  },
};

/** "q4 (4 bits)". */
export function dtypeInWords(dtype: string): string {
  const words = DTYPE_WORDS[dtype];
  return words === undefined ? dtype : `${dtype} (${words})`;
}

export function thinkingInWords(model: LibraryModel): string {
  const { thinking } = model;
  if (thinking === null) return t('Not known before its template is read.');
  const kind = {
    never: t('Does not think.'),
    switch: t('Thinks, and can be asked not to.'),
    always: t('Always thinks first.'),
  }[thinking.kind];
  return `${kind} ${said(thinking.how)}`;
}

export function languagesInWords(model: LibraryModel): string | null {
  const { languages } = model;
  if (languages === null) return null;
  if (languages.names === null)
    return plural(languages.count, '{count} language', '{count} languages');
  return languages.names.join(', ');
}

/** What the browser tells of this device, in one sentence. */
export function offerInWords(offer: DeviceOffer): string {
  const { gpu } = offer;
  const graphics =
    'missing' in gpu
      ? t('no graphics device ({missing})', { missing: said(gpu.missing) })
      : gpu.isEmulated
        ? t('an emulated graphics device ({name}), which is slower than the processor', {
            name: gpu.name,
          })
        : t('graphics device {name}, {bit}', {
            name: gpu.name,
            bit: gpu.hasF16 ? t('16-bit') : t('32-bit only'),
          });
  const memory =
    offer.memoryBytes === null
      ? t('memory untold')
      : t('memory {memoryBytes} as the browser tells it', {
          memoryBytes: formatBytes(offer.memoryBytes),
        });
  const storage =
    offer.storage === null
      ? t('room for files untold')
      : t('{max} free to keep files in', {
          max: formatBytes(Math.max(0, offer.storage.quotaBytes - offer.storage.usedBytes)),
        });
  return `${graphics}; ${memory}; ${storage}.`;
}

const FIT_WORDS = {
  get fits() {
    return t('Fits here');
  },
  get tight() {
    return t('Only just');
  },
  get no() {
    return t('Cannot run here');
  },
  get unknown() {
    return t('Not known yet');
  },
} as const;

export function fitInWords(verdict: Verdict): string {
  if (verdict.fit === 'fits' || verdict.fit === 'tight')
    return t('{FITWORDS}, on {theGraphicsDevice}', {
      FITWORDS: FIT_WORDS[verdict.fit],
      theGraphicsDevice:
        verdict.device === 'webgpu' ? t('the graphics device') : t('the processor'),
    });
  return FIT_WORDS[verdict.fit];
}

/** "about 4 tokens/s"; null on a graphics device, and where a sentence says it already. */
export function paceInWords({ fit, msPerToken }: Verdict): string | null {
  if (fit !== 'fits' || msPerToken === null || msPerToken === 0) return null;
  return t('about {msPerToken} tokens/s', {
    msPerToken: formatNumber(Number((1000 / msPerToken).toPrecision(2))),
  });
}

/** Where a download stands: bytes, pace and time left, or why it stands still. */
export function downloadInWords(state: DownloadState): string {
  const bytes = t('{loadedBytes} of {totalBytes}', {
    loadedBytes: formatBytes(state.loadedBytes),
    totalBytes: formatBytes(state.totalBytes),
  });
  switch (state.phase) {
    case 'queued':
      return t('{bytes}. Another tab is downloading it; this one waits.', { bytes });
    case 'paused':
      return t('{bytes}, paused. What has come is kept.', { bytes });
    case 'failed':
      return `${bytes}. ${said(state.error?.message ?? '')} ${said(state.error?.remedy ?? '')}`.trim();
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
      state.wait.reason === 'connection'
        ? t('The connection broke')
        : t('The host asks for patience');
    return t('{bytes}. {why}; going on in {ms}.', {
      bytes,
      why,
      ms: formatDuration(state.wait.ms),
    });
  }
  const rate = state.bytesPerSecond === null ? '' : `, ${formatBytes(state.bytesPerSecond)}/s`;
  const left =
    state.secondsLeft === null || state.secondsLeft < 0.5
      ? ''
      : t(', {secondsLeft} left', {
          secondsLeft: formatDuration(Math.ceil(state.secondsLeft) * 1000),
        });
  return `${bytes}${rate}${left}`;
}

/** Owns operations on states as people choose and read them, and the sentences about what they did. Pure. */
import { t } from '../../core/language/translate';
import type {
  CompareResult,
  LabRunResult,
  QuantiseBits,
  SsmTarget,
  StateSizes,
  SurgeryOp,
} from '../../protocol/lab-api';
import { formatBytes, formatCount, formatFixed } from '../../core/units';

export type OperationKind = SurgeryOp['kind'];

export const OPERATION_TITLES: Readonly<Record<OperationKind, string>> = {
  get zero() {
    return t('Zero the state');
  },
  get freeze() {
    return t('Freeze the state');
  },
  get noise() {
    return t('Add noise to the state');
  },
  get scale() {
    return t('Scale the state');
  },
  get quantise() {
    return t('Quantise the state');
  },
  get 'kv-drop'() {
    return t('Drop the KV cache');
  },
  get 'kv-window'() {
    return t('Keep a window of the KV cache');
  },
};

/** What a form holds: every field at once, of which a kind needs some. */
export interface OperationDraft {
  readonly kind: OperationKind;
  readonly target: SsmTarget;
  /** Null: all attention layers. */
  readonly kvLayer: number | null;
  readonly strength: number;
  readonly factor: number;
  readonly bits: QuantiseBits;
  readonly everyToken: boolean;
  readonly tokens: number;
  readonly seed: number;
}

export const FIRST_DRAFT: OperationDraft = {
  kind: 'zero',
  target: { scope: 'all' },
  kvLayer: null,
  strength: 0.5,
  factor: 0.5,
  bits: 4,
  everyToken: true,
  tokens: 16,
  seed: 1,
};

export function isKvKind(kind: OperationKind): boolean {
  return kind === 'kv-drop' || kind === 'kv-window';
}

/** The operation that a draft describes. */
export function operationOf(draft: OperationDraft): SurgeryOp {
  const { target } = draft;
  switch (draft.kind) {
    case 'zero':
      return { kind: 'zero', target };
    case 'freeze':
      return { kind: 'freeze', target };
    case 'noise':
      return { kind: 'noise', target, strength: draft.strength, seed: draft.seed };
    case 'scale':
      return { kind: 'scale', target, factor: draft.factor };
    case 'quantise':
      return { kind: 'quantise', target, bits: draft.bits, everyToken: draft.everyToken };
    case 'kv-drop':
      return { kind: 'kv-drop', layer: draft.kvLayer };
    case 'kv-window':
      return { kind: 'kv-window', layer: draft.kvLayer, tokens: draft.tokens };
    default: {
      const never: never = draft.kind;
      return never;
    }
  }
}

/**
 * The operations that a draft describes when it may hold: a state that is zeroed once fills again within its half-life,
 * a few tokens in a small model, so zero is held by a freeze.
 */
export function operationsOf(draft: OperationDraft): SurgeryOp[] {
  const operation = operationOf(draft);
  return operation.kind === 'zero' && draft.everyToken
    ? [operation, { kind: 'freeze', target: operation.target }]
    : [operation];
}

/** The draft that describes an operation, e.g. of a link; the fields that it has not are those of `base`. */
export function draftOf(operation: SurgeryOp, base: OperationDraft = FIRST_DRAFT): OperationDraft {
  return {
    ...base,
    ...('target' in operation ? { target: operation.target } : { kvLayer: operation.layer }),
    ...('strength' in operation ? { strength: operation.strength, seed: operation.seed } : {}),
    ...('factor' in operation ? { factor: operation.factor } : {}),
    ...('bits' in operation ? { bits: operation.bits, everyToken: operation.everyToken } : {}),
    ...('tokens' in operation ? { tokens: operation.tokens } : {}),
    kind: operation.kind,
  };
}

/** "SSM state of layer 3 set to zero and held there"; several are joined with "then". */
export function describeOperations(operations: readonly SurgeryOp[]): string {
  const words: string[] = [];
  operations.forEach((operation, at) => {
    const before = operations[at - 1];
    const holds =
      operation.kind === 'freeze' &&
      before !== undefined &&
      'target' in before &&
      JSON.stringify(before.target) === JSON.stringify(operation.target);
    if (holds) words[words.length - 1] = t('{words} and held there', { words: words.at(-1) ?? '' });
    else words.push(operationInWords(operation));
  });
  return words.join(t(', then '));
}

/** Index of the first token that differs, or of the end of the shorter text; null when both are the same. */
export function partingOf(a: readonly number[], b: readonly number[]): number | null {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at += 1) if (a[at] !== b[at]) return at;
  return a.length === b.length ? null : shorter;
}

/** What two continuations of one state have in common. */
export function forkSentence(runs: readonly LabRunResult[]): string {
  const [a, b] = runs;
  if (a === undefined || b === undefined) return t('Two continuations appear here.');
  const ended = [a, b].filter(({ tokenIds }) => tokenIds.length === 0).length;
  if (ended === 2) return t('Neither had anything more to say: the model had ended its turn.');
  if (ended === 1)
    return t('One ended its turn at once, the other went on: from here both are likely enough.');
  const at = partingOf(a.tokenIds, b.tokenIds);
  return at === null
    ? t('Both say the same: at this temperature the two seeds lead the same way.')
    : t('One state, two texts: they part at token {at}.', { at: formatCount(at + 1) });
}

function targetInWords(target: SsmTarget): string {
  switch (target.scope) {
    case 'all':
      return t('of all layers');
    case 'layer':
      return t('of layer {layer}', { layer: target.layer });
    case 'head':
      return t('of head {head} in layer {layer}', { head: target.head, layer: target.layer });
    default: {
      const never: never = target;
      return never;
    }
  }
}

/** "SSM state of layer 3 set to zero". */
export function operationInWords(operation: SurgeryOp): string {
  switch (operation.kind) {
    case 'zero':
      return t('SSM state {target} set to zero', { target: targetInWords(operation.target) });
    case 'freeze':
      return t('SSM state {target} frozen', { target: targetInWords(operation.target) });
    case 'noise':
      return t('noise of {strength} × its norm on the SSM state {target}', {
        strength: operation.strength,
        target: targetInWords(operation.target),
      });
    case 'scale':
      return t('SSM state {target} times {factor}', {
        target: targetInWords(operation.target),
        factor: operation.factor,
      });
    case 'quantise':
      return t('SSM state {target} in {bits} bits{afterEveryToken}', {
        target: targetInWords(operation.target),
        bits: operation.bits,
        afterEveryToken: operation.everyToken ? t(', after every token') : t(', once'),
      });
    case 'kv-drop':
      return t('KV cache {ofEveryAttention} dropped', {
        ofEveryAttention:
          operation.layer === null
            ? t('of every attention layer')
            : t('of layer {layer}', { layer: operation.layer }),
      });
    case 'kv-window':
      return t('KV cache {ofEveryAttention} cut to its last {tokens} tokens', {
        ofEveryAttention:
          operation.layer === null
            ? t('of every attention layer')
            : t('of layer {layer}', { layer: operation.layer }),
        tokens: operation.tokens,
      });
    default: {
      const never: never = operation;
      return never;
    }
  }
}

/** What a comparison found. */
export function compareSentence({
  kl,
  firstDifference,
  baseline,
  operated,
}: CompareResult): string {
  if (baseline.texts.length === 0 && operated.texts.length === 0) {
    return t(
      'Neither had anything more to say: the model had ended its turn. Give it a next message.',
    );
  }
  const mean = kl.length === 0 ? 0 : kl.reduce((sum, value) => sum + value, 0) / kl.length;
  const distance = t(
    'The operated model’s predictions are {mean} nats from the untouched one’s on average',
    { mean: formatFixed(mean, 3) },
  );
  if (firstDifference === null) {
    return t('Both say the same, word for word. {distance}{itWaveredBut}.', {
      distance,
      itWaveredBut: mean > 0.001 ? t(': it wavered, but its favourite held') : '',
    });
  }
  const token = (texts: readonly string[]): string => texts[firstDifference]?.trim() ?? '';
  const [was, became] = [token(baseline.texts), token(operated.texts)];
  const turn = was !== '' && became !== '' ? t(': “{was}” became “{became}”', { was, became }) : '';
  return t('The two part at token {firstDifference}{turn}. {distance}.', {
    firstDifference: formatCount(firstDifference + 1),
    turn,
    distance,
  });
}

/** What a saved state weighs against what it stands for. */
export function sizesSentence(sizes: StateSizes, tokens: number): string {
  const constant = sizes.ssm + sizes.conv;
  const times = sizes.transcript === 0 ? 0 : sizes.file / sizes.transcript;
  return t(
    'After {tokens} tokens the file has {file}: {constant} of constant state and {kv} of KV cache. The words themselves take {transcript}{timesLessBut}.',
    {
      tokens: formatCount(tokens),
      file: formatBytes(sizes.file),
      constant: formatBytes(constant),
      kv: formatBytes(sizes.kv),
      transcript: formatBytes(sizes.transcript),
      timesLessBut:
        times > 1
          ? t(', {times} times less, but must be read again', { times: formatCount(times) })
          : '',
    },
  );
}

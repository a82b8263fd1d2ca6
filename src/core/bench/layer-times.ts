/** Owns the summary of ONNX Runtime's profile by kind of layer. Owns no session and no running. */
import type { ModelSpec } from '../model-spec';

/** Milliseconds of one run's nodes; `ends` are embedding, last norm and head. */
export interface LayerTimes {
  readonly mamba: number;
  readonly attention: number;
  readonly feedForward: number;
  readonly ends: number;
}

/** A value for each kind. */
export function byKind<T>(of: (kind: keyof LayerTimes) => T): Record<keyof LayerTimes, T> {
  return {
    mamba: of('mamba'),
    attention: of('attention'),
    feedForward: of('feedForward'),
    ends: of('ends'),
  };
}

/** One event of the profile; times in microseconds. */
interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
}

function eventsOf(lines: readonly string[]): ProfileEvent[] {
  return lines.flatMap((line) => {
    const text = line.trim().replace(/,$/, '');
    return text.startsWith('{') ? [JSON.parse(text) as ProfileEvent] : [];
  });
}

/** Nodes of no layer that stand before the first and after the last one; all others make the causal mask. */
const ENDS = /^\/(embedded|final_normed|first_kept|kept|logits)/;

function kindOf(name: string, spec: ModelSpec): keyof LayerTimes {
  const index = /^\/(?:layers|present)\.(\d+)\./.exec(name)?.[1];
  if (index === undefined) return ENDS.test(name) ? 'ends' : 'attention';
  const kind = spec.layers.find((layer) => layer.index === Number(index))?.kind;
  if (kind === 'mamba' || kind === 'attention') return kind;
  if (kind === 'mlp' || kind === 'moe') return 'feedForward';
  throw new RangeError(`node ${name} is of layer ${index}, a ${kind ?? 'missing one'}`);
}

/**
 * The times of each run, in the order of the runs, from the lines that ONNX Runtime writes at the end of profiling.
 * Nodes are known by the names that this project's exporter gives. RangeError for nodes of other layers.
 */
export function layerTimesOf(lines: readonly string[], spec: ModelSpec): LayerTimes[] {
  const byTime = (a: ProfileEvent, b: ProfileEvent): number => a.ts - b.ts;
  const events = eventsOf(lines);
  const nodes = events
    .filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
    .sort(byTime);
  const runs = events.filter(({ name }) => name === 'model_run').sort(byTime);
  let at = 0;
  return runs.map(({ ts, dur }) => {
    const times = byKind(() => 0);
    for (let node = nodes[at]; node !== undefined && node.ts < ts + dur; node = nodes[at]) {
      if (node.ts >= ts) times[kindOf(node.name, spec)] += node.dur / 1000;
      at += 1;
    }
    return times;
  });
}

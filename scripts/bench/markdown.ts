/** Owns the tables that docs/benchmark.md quotes; the README has five columns of the first. */
import { targetsOf, type ContenderResult, type ContextLayers, type Figure } from './results';

interface Quoted {
  readonly model: { readonly name: string };
  readonly command: string;
  readonly commit: string;
  readonly rounds: number;
  readonly device: { readonly processor: string; readonly cores: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly contenders: Readonly<Record<string, ContenderResult>>;
  readonly layers?: readonly ContextLayers[];
  readonly ratios: Readonly<Record<string, number | null>>;
}

const COLUMNS: readonly (readonly [name: string, heading: string, unit: 'ms' | 'rate' | 'MB'])[] = [
  ['coldLoadMs', 'load, cold (ms)', 'ms'],
  ['warmLoadMs', 'warm (ms)', 'ms'],
  ['firstTokenMs16', 'first token at 16 (ms)', 'ms'],
  ['firstTokenMs128', '128', 'ms'],
  ['firstTokenMs1024', '1024', 'ms'],
  ['prefill512', 'prefill at 512 (tokens/s)', 'rate'],
  ['decode128', 'decode at 128 (tokens/s)', 'rate'],
  ['decode1024', '1k', 'rate'],
  ['decode4096', '4k', 'rate'],
  ['decode8192', '8k', 'rate'],
  ['memoryBytes', 'memory (MB)', 'MB'],
];

function number(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** Median, spread, and for decoding the share of the bandwidth limit. */
function cell(figure: Figure | undefined, unit: 'ms' | 'rate' | 'MB'): string {
  if (figure === undefined) return '–';
  const scale = unit === 'MB' ? 1e6 : 1;
  const [median, min, max] = [figure.median, figure.min, figure.max].map((v) => number(v / scale));
  const limit =
    figure.ofBandwidthLimit === undefined
      ? ''
      : `; ${(figure.ofBandwidthLimit * 100).toPrecision(2)} %`;
  return `${median ?? ''} (${min ?? ''}–${max ?? ''}${limit})`;
}

function verdict(model: string, name: string, value: number | null): string {
  const target = targetsOf(model)[name];
  if (target === undefined) return '';
  const wish =
    target.least === undefined ? `≤ ${String(target.most)}` : `≥ ${String(target.least)}`;
  if (value === null) return `${wish}, not measured`;
  const isMet = value >= (target.least ?? -Infinity) && value <= (target.most ?? Infinity);
  return `${wish}, ${isMet ? 'met' : 'missed'}`;
}

const KINDS = [
  ['mamba', 'Mamba layers (ms)'],
  ['attention', 'attention layers (ms)'],
  ['feedForward', 'MLP layers (ms)'],
  ['ends', 'embedding and head (ms)'],
] as const;

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A token's time by kind of layer, a row for each context; no lines where it was left out. */
function layerTable(layers: readonly ContextLayers[]): string[] {
  if (layers.length === 0) return [];
  return [
    line(['a token after', ...KINDS.map(([, heading]) => heading), 'attention’s share']),
    line(['---', ...KINDS.map(() => '---:'), '---:']),
    ...layers.map(({ context, figures, attentionShare }) =>
      line([
        `${context} tokens`,
        ...KINDS.map(([kind]) => cell(figures[kind], 'ms')),
        attentionShare.median.toFixed(2),
      ]),
    ),
    '',
  ];
}

/** A table of figures with a row for each contender, one of layers, and one of ratios. */
export function tablesOf(results: Quoted): string {
  const { device, versions, contenders, ratios } = results;
  const rows = Object.values(contenders).map(({ title, figures }) => [
    title,
    ...COLUMNS.map(([name, , unit]) => cell(figures[name], unit)),
  ]);
  const heads = ['', ...COLUMNS.map(([, heading]) => heading)];
  return [
    `\`${results.command}\` at ${results.commit}: ${device.cores} × ${device.processor}, Chromium ${versions['chromium'] ?? ''},`,
    `transformers.js ${versions['transformersJs'] ?? ''}, wllama ${versions['wllama'] ?? ''}, ${results.rounds} rounds. Median (least–most; share of the memory-bandwidth limit).`,
    '',
    line(heads),
    line(heads.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map(line),
    '',
    ...layerTable(results.layers ?? []),
    line(['ratio', 'value', 'target']),
    line(['---', '---:', '---']),
    ...Object.entries(ratios).map(([name, value]) =>
      line([
        `\`${name}\``,
        value === null ? '–' : String(value),
        verdict(results.model.name, name, value),
      ]),
    ),
  ].join('\n');
}

/**
 * Owns what is read of a model's eval.json beside the curve (shipped-curve.ts): what it can do, family by family, and that
 * in sentences. Fields that are not there, or are not what they should be, are left out: the page goes on without them.
 */
import type { ThinkingLimit } from '../../core/budget/thinking-limit';

export interface Measured {
  /** Held-out problems that were asked. */
  readonly problems: number;
  /** Share of them solved with thinking unlimited. */
  readonly right: number;
  /** The same by family of problems. */
  readonly families: ReadonlyMap<string, number>;
  /** Limits that were measured, ascending. */
  readonly limits: readonly ThinkingLimit[];
  /** Everyday questions answered rightly; null where they were not asked. */
  readonly visitors: { readonly right: number; readonly of: number } | null;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** Null where it tells no share of a count of problems. */
export function readMeasured(json: unknown): Measured | null {
  const { n, overall, families, visitors } = fieldsOf(json);
  const right = fieldsOf(overall)['unlimited'];
  if (!isCount(n) || n === 0 || !isShare(right)) return null;
  const byFamily = Object.entries(fieldsOf(families)).flatMap(([name, table]) => {
    const share = fieldsOf(table)['unlimited'];
    return isShare(share) ? [[name, share] as const] : [];
  });
  const asked = fieldsOf(visitors);
  const [rightly, of] = [asked['right'], asked['of']];
  return {
    problems: n,
    right,
    families: new Map(byFamily),
    limits: [
      ...Object.keys(fieldsOf(overall))
        .map(Number)
        .filter(isCount)
        .sort((a, b) => a - b),
      'unlimited',
    ],
    visitors:
      isCount(rightly) && isCount(of) && of > 0 && rightly <= of ? { right: rightly, of } : null,
  };
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** What a model can do, against the one that answers now; [] where nothing was measured. */
export function claimsOf(
  larger: Measured | null,
  smaller: { readonly title: string; readonly measured: Measured | null },
): readonly string[] {
  if (larger === null) return [];
  const beside =
    smaller.measured?.problems !== larger.problems
      ? ''
      : `; ${smaller.title} ${percent(smaller.measured.right)}`;
  return [
    `It solves ${percent(larger.right)} of ${larger.problems} problems that it was not trained on${beside}.`,
    ...(larger.visitors === null
      ? []
      : [
          `Of ${larger.visitors.of} everyday questions it answers ${larger.visitors.right} rightly.`,
        ]),
  ];
}

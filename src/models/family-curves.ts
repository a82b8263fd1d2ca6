/**
 * Owns the reading of models/family-curves.json: what was written down while the family was trained and searched, for
 * pictures. Each part may be missing. Owns no fetching and no words.
 */
import { asArray, asNumber, asObject, asString } from './config-fields';
import { siteFile } from './site-file';

export interface CurvePoint {
  readonly tokens: number;
  readonly loss: number;
}

export interface PrecisionCurve {
  readonly seed: number;
  readonly kind: 'bf16' | 'fp8';
  readonly points: readonly CurvePoint[];
}

export interface PartsCurve {
  /** Parts of the four-bit recipe in use; `bf16` alone stands for training without it. */
  readonly parts: readonly string[];
  readonly points: readonly CurvePoint[];
}

export interface PuzzleCandidate {
  readonly pattern: string;
  /** Width of each MLP; null where it was not written down. */
  readonly units: number | null;
  readonly bytes: number;
  /** Place before and after its short distilling, from 1; null where it was not distilled. */
  readonly rankBefore: number;
  readonly rankAfter: number | null;
  readonly loss: number | null;
  /** This one became the model; the first may have been passed over for its size. */
  readonly isChosen: boolean;
}

export interface PuzzleSearch {
  /** What each layer of the parent matters, in the search's own measure. */
  readonly importance: readonly number[];
  /** Layers of the parent that went. */
  readonly cut: readonly number[];
  readonly candidates: readonly PuzzleCandidate[];
}

export interface FamilyCurves {
  readonly fp8: readonly PrecisionCurve[];
  readonly nvfp4: readonly PartsCurve[];
  /** Largest expert's excess over the even share, by step of training; [] where it was not noted. */
  readonly moeBalance: readonly { readonly step: number; readonly violation: number }[];
  /** Null: no search was written down. */
  readonly puzzle: PuzzleSearch | null;
}

const FILE = siteFile('family-curves.json', 'the family’s curves');

function list(value: unknown, what: string): readonly unknown[] {
  return value === undefined || value === null ? [] : asArray(value, what);
}

function pairs(value: unknown, what: string): readonly (readonly [number, number])[] {
  return asArray(value, what).map((pair, at) => {
    const [x, y] = asArray(pair, `${what}[${at}]`);
    return [asNumber(x, `${what}[${at}][0]`, true), asNumber(y, `${what}[${at}][1]`, true)];
  });
}

function points(value: unknown, what: string): readonly CurvePoint[] {
  return pairs(value, what).map(([tokens, loss]) => ({ tokens, loss }));
}

function optional(value: unknown, what: string): number | null {
  return value === undefined || value === null ? null : asNumber(value, what, true);
}

/** A number, or an object that names a layer. */
function layerOf(value: unknown, what: string): number {
  return typeof value === 'object' && value !== null
    ? asNumber(asObject(value, what)['layer'], `layer of ${what}`)
    : asNumber(value, what);
}

function puzzleOf(value: unknown): PuzzleSearch | null {
  if (value === undefined || value === null) return null;
  const fields = asObject(value, 'puzzle');
  const importance = asArray(fields['importance'], 'puzzle.importance').map((one, at) =>
    asNumber(one, `puzzle.importance[${at}]`, true),
  );
  const cut = list(fields['cut'], 'puzzle.cut').map((one, at) => layerOf(one, `puzzle.cut[${at}]`));
  const beyond = cut.find((layer) => layer >= importance.length);
  if (beyond !== undefined)
    throw FILE.broken(`puzzle.cut names layer ${beyond}, but there are ${importance.length}.`);
  return {
    importance,
    cut,
    candidates: list(fields['candidates'], 'puzzle.candidates').map((one, at) => {
      const where = `puzzle.candidates[${at}]`;
      const candidate = asObject(one, where);
      return {
        pattern: asString(candidate['pattern'], `pattern of ${where}`),
        units: optional(candidate['units'], `units of ${where}`),
        bytes: asNumber(candidate['bytes'], `bytes of ${where}`),
        rankBefore: asNumber(candidate['rankBefore'], `rankBefore of ${where}`),
        rankAfter: optional(candidate['rankAfter'], `rankAfter of ${where}`),
        loss: optional(candidate['loss'], `loss of ${where}`),
        isChosen: candidate['chosen'] === true,
      };
    }),
  };
}

/** Reads family-curves.json. EngineError `model-corrupt` that names the field. */
export function readFamilyCurves(json: unknown): FamilyCurves {
  return FILE.read(() => {
    const fields = asObject(json, 'the file');
    const moe = fields['moe'] === undefined ? {} : asObject(fields['moe'], 'moe');
    return {
      fp8: list(fields['fp8'], 'fp8').map((one, at) => {
        const curve = asObject(one, `fp8[${at}]`);
        const kind = asString(curve['kind'], `kind of fp8[${at}]`);
        if (kind !== 'bf16' && kind !== 'fp8')
          throw FILE.broken(`kind of fp8[${at}] is "${kind}", not bf16 or fp8.`);
        return {
          seed: asNumber(curve['seed'], `seed of fp8[${at}]`),
          kind,
          points: points(curve['points'], `points of fp8[${at}]`),
        };
      }),
      nvfp4: list(fields['nvfp4'], 'nvfp4').map((one, at) => {
        const curve = asObject(one, `nvfp4[${at}]`);
        return {
          parts: list(curve['parts'], `parts of nvfp4[${at}]`).map((part, place) =>
            asString(part, `parts[${place}] of nvfp4[${at}]`),
          ),
          points: points(curve['points'], `points of nvfp4[${at}]`),
        };
      }),
      moeBalance:
        moe['maxVio'] === undefined
          ? []
          : pairs(moe['maxVio'], 'moe.maxVio').map(([step, violation]) => ({ step, violation })),
      puzzle: puzzleOf(fields['puzzle']),
    };
  });
}

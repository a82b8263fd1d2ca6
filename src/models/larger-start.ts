/**
 * Owns the decision what becomes of the larger model that comes with the site when the page starts: it loads by itself,
 * it is offered, or it is refused, and in which words. Pure; asks no browser.
 */
import type { Verdict } from './fit';

/** What the browser tells of the connection (`navigator.connection`); all false where it tells nothing. */
export interface Connection {
  /** The person has asked the browser to save data. */
  readonly savesData: boolean;
  /** A mobile connection, which may be paid by the byte. */
  readonly isMetered: boolean;
  readonly isSlow: boolean;
}

export interface StartFacts {
  readonly title: string;
  /** The model that answers meanwhile, and stays where the larger one is refused. */
  readonly smaller: string;
  /** All that it needs is kept in this browser. */
  readonly isKept: boolean;
  /** A download was begun and not ended by the person. */
  readonly hasBegun: boolean;
  /** What was chosen on this device before; null: nothing yet. */
  readonly choice: 'larger' | 'smaller' | null;
  /** The page comes from this machine itself: fetching costs nobody anything. */
  readonly isOwnMachine: boolean;
  readonly isPhone: boolean;
  readonly connection: Connection;
  readonly verdict: Pick<Verdict, 'fit' | 'device' | 'reasons'>;
  /** Loads of it that ended the tab or the engine, one after the other. */
  readonly deaths: number;
  /** False while other tabs run engines and the memory may not do for one more. */
  readonly hasEngineRoom: boolean;
}

export type LargerPlan =
  /** It is fetched, where it is not kept, and takes over without a question. */
  | { readonly kind: 'load' }
  /** It waits for a click; notes are whole sentences that say why it does, or what to know first. */
  | { readonly kind: 'offer'; readonly notes: readonly string[] }
  | { readonly kind: 'refuse'; readonly reason: string };

function connectionNote({ savesData, isMetered, isSlow }: Connection): string | null {
  if (savesData) return 'Your browser asks to save data, so nothing is fetched until you say so.';
  if (isMetered)
    return 'This device is on a mobile connection, so nothing is fetched until you say so.';
  if (isSlow) return 'This connection is slow, so nothing is fetched until you say so.';
  return null;
}

export function planLarger(facts: StartFacts): LargerPlan {
  const { title, smaller, isKept, choice, connection, verdict, deaths } = facts;
  if (facts.isPhone && verdict.device === 'wasm') {
    return {
      kind: 'refuse',
      reason: `${title} needs a graphics device (WebGPU) on a phone, and this browser offers none: ${smaller} stays.`,
    };
  }
  if (verdict.fit === 'no') {
    const why = verdict.reasons[0] ?? 'This device cannot run it.';
    return { kind: 'refuse', reason: `${title} does not fit here. ${why} ${smaller} stays.` };
  }
  const notes: string[] = [];
  if (deaths > 0)
    notes.push(
      `The last ${deaths} times ${title} was started, the tab or the engine died, so it is not started by itself.`,
    );
  if (!facts.hasEngineRoom)
    notes.push(
      'Another tab runs a model already, and this device may not have memory for one more of this size.',
    );
  if (verdict.fit === 'tight') notes.push(...verdict.reasons);
  const stop = isKept ? null : connectionNote(connection);
  if (stop !== null) notes.push(stop);
  // Once chosen it is this device's model, tight or not; a machine that serves itself needs no question.
  const isWanted =
    choice === 'larger' ? isKept || facts.hasBegun : choice === null && facts.isOwnMachine;
  const isHeld =
    deaths > 0 ||
    !facts.hasEngineRoom ||
    stop !== null ||
    (verdict.fit !== 'fits' && choice !== 'larger');
  return isWanted && !isHeld ? { kind: 'load' } : { kind: 'offer', notes };
}

/**
 * Owns the race: what a new token takes after growing contexts, of several models in turns, so that whatever else the
 * machine does falls on all of them. Owns no opening of models.
 */
import { recallText } from '../../src/core/lab/recall-task';
import type { DistanceEvent, RacePoint, RaceRequest } from '../../src/protocol/distance-api';
import type { LayerStates } from '../runtime/layer-states';
import { makeStates } from './made-states';
import type { Runner } from './open-runner';

/** Tokens read in one piece, as in generation. */
const CHUNK = 256;
/** The first steps from a state bring it to where it is computed, and make room. */
const UNTIMED = 2;

export interface DistanceHost {
  readonly post: (event: DistanceEvent) => void;
  /** Lets messages in, and waits while the run is held. */
  readonly turn: () => Promise<void>;
}

/** A model at a context, with what was timed so far. */
interface Stand {
  readonly runner: Runner;
  readonly states: LayerStates;
  readonly kind: RacePoint['states'];
  readonly ms: number[];
}

class Entrant {
  readonly runner: Runner;
  readonly #ids: readonly number[];
  #read: LayerStates;
  hasGivenUp = false;

  constructor(runner: Runner) {
    this.runner = runner;
    const story = recallText({ kind: 'story', length: 100, keys: 1, depth: 0, seed: 1 }).context;
    this.#ids = runner.tokenizer.encode(`${story} `);
    this.#read = runner.session.emptyStates();
  }

  idAt(position: number): number {
    return this.#ids[position % this.#ids.length] ?? 0;
  }

  /** Reads on to `tokens`; the states are another holder's. */
  async readTo(tokens: number, turn: () => Promise<void>): Promise<LayerStates> {
    while (this.#read.tokens < tokens) {
      await turn();
      const before = this.#read;
      const count = Math.min(CHUNK, tokens - before.tokens);
      const ids = Array.from({ length: count }, (_, i) => this.idAt(before.tokens + i));
      this.#read = (await this.runner.session.step(ids, before)).states;
      before.release();
    }
    return this.#read.retain();
  }

  make(tokens: number): Promise<LayerStates> {
    return makeStates(this.runner.session, this.#read, tokens);
  }

  dispose(): void {
    this.#read.release();
  }
}

/** The states of a context: read, made, or at the border between them both. */
async function standsAt(
  entrant: Entrant,
  context: number,
  readUpTo: number,
  turn: () => Promise<void>,
): Promise<Stand[]> {
  const { runner } = entrant;
  const stands: Stand[] = [];
  if (context <= readUpTo)
    stands.push({ runner, kind: 'read', ms: [], states: await entrant.readTo(context, turn) });
  // At the border both are timed: that they agree is what makes the longer ones honest.
  if (context >= readUpTo)
    stands.push({ runner, kind: 'made', ms: [], states: await entrant.make(context) });
  return stands;
}

function pointOf({ runner, states, kind, ms }: Stand, context: number): RacePoint {
  const { ssm, conv, kv } = states.bytes;
  const constantBytes = ssm + conv;
  return { id: runner.opened.id, context, states: kind, ms: [...ms], constantBytes, kvBytes: kv };
}

/** Times `steps` tokens that are written one after the other from the states. */
async function timeSteps(
  { runner, states, ms }: Stand,
  idAt: (position: number) => number,
  steps: number,
  turn: () => Promise<void>,
): Promise<void> {
  let at = states.retain();
  try {
    for (let step = 0; step < steps + UNTIMED; step += 1) {
      await turn();
      const startedAt = performance.now();
      const next = (await runner.session.step([idAt(at.tokens)], at)).states;
      if (step >= UNTIMED) ms.push(performance.now() - startedAt);
      at.release();
      at = next;
    }
  } finally {
    at.release();
  }
}

/** Runs the race; a model that comes no further is left out from there on, with the reason. */
export async function race(
  runners: readonly Runner[],
  { contexts, readUpTo, rounds, steps }: Omit<RaceRequest, 'type' | 'models' | 'device'>,
  { post, turn }: DistanceHost,
): Promise<void> {
  const entrants = runners.map((runner) => new Entrant(runner));
  try {
    for (const context of contexts) {
      const stands: { readonly entrant: Entrant; readonly stand: Stand }[] = [];
      const giveUp = (entrant: Entrant, error: unknown): void => {
        entrant.hasGivenUp = true;
        const why = error instanceof Error ? error.message : String(error);
        post({ type: 'gave-up', id: entrant.runner.opened.id, context, why });
      };
      try {
        for (const entrant of entrants) {
          if (entrant.hasGivenUp) continue;
          try {
            const made = await standsAt(entrant, context, readUpTo, turn);
            stands.push(...made.map((stand) => ({ entrant, stand })));
          } catch (error) {
            giveUp(entrant, error);
          }
        }
        for (let round = 0; round < rounds; round += 1) {
          // Who goes first changes, so that neither always runs on a warmer machine.
          for (const { entrant, stand } of round % 2 === 0 ? stands : stands.toReversed()) {
            if (entrant.hasGivenUp) continue;
            try {
              await timeSteps(stand, (position) => entrant.idAt(position), steps, turn);
              post({ type: 'point', point: pointOf(stand, context) });
            } catch (error) {
              giveUp(entrant, error);
            }
          }
        }
      } finally {
        for (const { stand } of stands) stand.states.release();
      }
    }
  } finally {
    for (const entrant of entrants) entrant.dispose();
  }
}

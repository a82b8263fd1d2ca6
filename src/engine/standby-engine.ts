/**
 * Owns two engines that stand behind one face: the one that answers, and one that gets ready behind it and then takes its
 * place. So a large model loads while a small one answers, and where its load fails nothing has changed. Owns no choice of
 * model.
 */
import { EngineError } from '../core/errors';
import type { LoadedModel, LoadProgress, LoadRequest } from '../protocol/engine-api';
import type { Engine } from './engine';
import { ForwardingEngine } from './forwarding-engine';

/** What may be done with the second engine. */
export interface Standby {
  /** Loads a model in an engine of its own, in place of one that was made ready before. Rejects with EngineError. */
  loadBehind(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<LoadedModel>;
  /** The engine that is ready answers from now on, the other one ends; no job may run. EngineError when it has died. */
  takeOver(): Promise<void>;
  /** Ends what loads or waits behind. */
  dropBehind(): Promise<void>;
}

interface Behind {
  readonly engine: Engine;
  readonly unfollow: () => void;
  death: EngineError | null;
}

export class StandbyEngine extends ForwardingEngine implements Standby {
  readonly #spawn: () => Engine;
  readonly #deathListeners = new Set<(error: EngineError) => void>();
  #front: Engine;
  #unfollow: () => void;
  #behind: Behind | null = null;

  /** @param spawn makes an engine that nothing is loaded in */
  constructor(front: Engine, spawn: () => Engine) {
    super();
    this.#front = front;
    this.#spawn = spawn;
    this.#unfollow = this.#follow(front);
  }

  protected override get front(): Engine {
    return this.#front;
  }

  #follow(engine: Engine): () => void {
    return engine.onDeath((error) => {
      for (const listener of [...this.#deathListeners]) listener(error);
    });
  }

  async loadBehind(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<LoadedModel> {
    await this.dropBehind();
    const engine = this.#spawn();
    const behind: Behind = {
      engine,
      death: null,
      unfollow: engine.onDeath((error) => {
        behind.death = error;
      }),
    };
    this.#behind = behind;
    try {
      return await engine.load(request, onProgress);
    } catch (error) {
      if (this.#behind === behind) await this.dropBehind();
      throw error;
    }
  }

  async takeOver(): Promise<void> {
    const behind = this.#behind;
    if (behind === null)
      throw new EngineError('not-loaded', 'No second model is ready.', 'Load it first.');
    if (behind.death !== null) {
      await this.dropBehind();
      throw behind.death;
    }
    const before = this.#front;
    this.#unfollow();
    behind.unfollow();
    this.#behind = null;
    this.#front = behind.engine;
    this.#unfollow = this.#follow(behind.engine);
    await before.dispose();
  }

  async dropBehind(): Promise<void> {
    const behind = this.#behind;
    this.#behind = null;
    behind?.unfollow();
    await behind?.engine.dispose();
  }

  override onDeath(listener: (error: EngineError) => void): () => void {
    this.#deathListeners.add(listener);
    return () => this.#deathListeners.delete(listener);
  }

  override async dispose(): Promise<void> {
    await this.dropBehind();
    await this.#front.dispose();
  }
}

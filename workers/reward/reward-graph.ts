/**
 * Owns a reward graph at work: from the model's last hidden state at the end mark of a reply to one number. It means
 * something for the model that it was fitted on only, whose files' hashes it names. Owns no choosing among replies.
 */
import { EngineError } from '../../src/core/errors';
import type { ModelListing } from '../../src/core/model-listing';
import type { LayerStates } from '../runtime/layer-states';
import { fieldsOf, readText } from '../runtime/protobuf';
import type { ModelSession } from '../runtime/session';
import { SmallSession } from '../runtime/small-session';

/* Field numbers of onnx.proto. */
const MODEL_METADATA = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

/** Output of a parent's graphs: the state after the final norm. */
const HIDDEN_OUTPUT = 'hidden_states';

function refused(message: string): EngineError {
  return new EngineError(
    'model-corrupt',
    message,
    'A reward graph fits only the model that it was fitted on: use the files of one and the same folder.',
  );
}

/** SHA-256 of the model files that the graph was fitted on, as its metadata `parents` has them. */
export function parentsOf(bytes: Uint8Array): readonly string[] {
  for (const field of fieldsOf(bytes, 0, bytes.length)) {
    if (field.number !== MODEL_METADATA) continue;
    const entry = [...fieldsOf(bytes, field.start, field.end)];
    const value = (number: number): string => {
      const found = entry.find((part) => part.number === number);
      return found === undefined ? '' : readText(bytes, found);
    };
    if (value(ENTRY_KEY) === 'parents') return value(ENTRY_VALUE).split(' ');
  }
  return [];
}

/** EngineError `model-corrupt` where the graph at `path` was fitted on another model than the file that runs. */
export function checkParent(
  path: string,
  bytes: Uint8Array,
  variantPath: string,
  { files }: Pick<ModelListing, 'files'>,
): void {
  let parents: readonly string[];
  try {
    parents = parentsOf(bytes);
  } catch (cause) {
    throw refused(`${path} cannot be read: ${cause instanceof Error ? cause.message : 'damaged'}.`);
  }
  if (parents.length === 0) throw refused(`${path} does not name the model that it was fitted on.`);
  const hash = files.find((file) => file.path === variantPath)?.sha256 ?? null;
  if (hash === null || !parents.includes(hash))
    throw refused(
      `${path} was fitted on another model than ${variantPath}: parents in it has no ${hash?.slice(0, 12) ?? 'hash of that'}.`,
    );
}

export class RewardGraph {
  readonly #session: SmallSession;
  readonly #model: ModelSession;

  private constructor(session: SmallSession, model: ModelSession) {
    this.#session = session;
    this.#model = model;
  }

  /** Opens it beside a model whose parentage was checked. EngineError `model-corrupt` where it cannot be. */
  static async open(path: string, bytes: Uint8Array, model: ModelSession): Promise<RewardGraph> {
    try {
      return new RewardGraph(await SmallSession.open({ bytes, externalData: [] }), model);
    } catch (cause) {
      throw new EngineError(
        'model-corrupt',
        `${path} cannot be opened.`,
        'Get the files of the model again, or choose another model.',
        { cause },
      );
    }
  }

  /** Reads the end mark after `states`, which stay the caller's; the number for the whole reply. */
  async score(states: LayerStates, endId: number): Promise<number> {
    const step = await this.#model.step([endId], states, [HIDDEN_OUTPUT]);
    step.states.release();
    const hidden = step.probes.get(HIDDEN_OUTPUT);
    try {
      const data: unknown = hidden?.data;
      if (!(data instanceof Float32Array)) throw new RangeError('the model gave no hidden_states');
      const [reward] = await this.#session.run(
        { hidden_states: this.#session.floats(data.slice(), [1, 1, data.length]) },
        ['reward'],
      );
      const value: unknown = reward?.data;
      const number = value instanceof Float32Array ? value[0] : undefined;
      reward?.dispose();
      if (number === undefined || !Number.isFinite(number))
        throw new RangeError('the reward graph gave no number');
      return number;
    } finally {
      for (const probe of step.probes.values()) probe.dispose();
    }
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }
}

// What the lab reads out of the running model, against Hugging Face's PyTorch code on the same weights.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSpec } from '../../../src/models/spec';
import type { ModelSpec } from '../../../src/core/model-spec';
import type {
  InspectResult,
  LabResult,
  LabStep,
  LabWatch,
  SurgeryOp,
} from '../../../src/protocol/lab-api';
import { Lab } from '../../../workers/lab/lab';
import type { ChatTokenizer } from '../../../workers/runtime/hub';
import { liveStateCount, type LayerStates } from '../../../workers/runtime/layer-states';
import { configureRuntime, ModelSession } from '../../../workers/runtime/session';
import { SnapshotCache } from '../../../workers/runtime/snapshots';
import { PLAIN_FILES } from '../workers/model-host';

interface MambaReference {
  readonly kind: 'mamba';
  readonly delta: number[];
  readonly decay: number[];
  readonly b: number[];
  readonly c: number[];
  readonly state: number[];
  readonly stateNorm: number[];
  readonly singularValues: number[];
  readonly convWindow: number[];
  readonly hiddenAttention: number[];
  readonly activity: number;
}

interface AttentionReference {
  readonly kind: 'attention';
  readonly attention: number[];
  readonly activity: number;
}

interface Fixture {
  readonly config: unknown;
  readonly tokens: number[];
  readonly logits: number[];
  readonly layers: readonly (
    MambaReference | AttentionReference | { readonly kind: 'mlp'; readonly activity: number }
  )[];
}

function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
}

/** Float32 sums in another order than PyTorch's. */
const TOLERANCE = 2e-5;

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i += 1) {
    const error = Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN));
    expect(error, `entry ${i}: ${actual[i]} for ${expected[i]}`).toBeLessThan(
      TOLERANCE * Math.max(1, Math.abs(expected[i] ?? 0)),
    );
  }
}

const tokenizer: ChatTokenizer = {
  pieceOf: (id) => String.fromCharCode(33 + id),
  isAdded: () => true,
  encode: () => [],
  idOf: () => undefined,
  adapter: null,
  lettersOf: (text) => [text],
  render: () => [],
};

describe('inner values against PyTorch', () => {
  let fixture: Fixture;
  let spec: ModelSpec;
  let session: ModelSession;
  let lab: Lab;
  const snapshots = new SnapshotCache();

  beforeAll(async () => {
    fixture = JSON.parse(await readFile(fixturePath('lab-probe.json'), 'utf8')) as Fixture;
    spec = parseSpec('lab-probe', fixture.config, {});
    configureRuntime({ build: 'plain', threads: 1, files: PLAIN_FILES });
    const model = new Uint8Array(await readFile(fixturePath('lab-probe.onnx')));
    session = await ModelSession.create(model, { provider: 'wasm', spec });
    lab = new Lab({
      session,
      spec,
      tokenizer,
      format: { think: null, toolCall: null, turnStartId: null, endIds: [] },
      snapshots,
      identity: { name: 'lab-probe', modelId: '', variant: '' },
      weightBytes: model.length,
      readGraph: () => Promise.resolve({ bytes: model, externalData: [] }),
      module: null,
    });
  }, 60_000);

  afterAll(async () => {
    lab.dispose();
    snapshots.clear();
    await session.dispose();
    expect(liveStateCount()).toBe(0);
  });

  /** Reads all tokens one by one while `watch` is on; the last becomes the live state. */
  async function readWatched(watch: LabWatch): Promise<LabStep[]> {
    const steps: LabStep[] = [];
    lab.watch(watch);
    const reply = lab.replySession(
      { step: (step) => steps.push(step), router: () => {} },
      () => true,
    );
    let states: LayerStates = reply.emptyStates();
    for (const id of fixture.tokens) {
      const next = await reply.step([id], states);
      states.release();
      states = next.states;
      if (states.tokens === fixture.tokens.length) {
        expectNear(next.logits, fixture.logits);
        lab.keepLive(states, fixture.tokens, next.logits);
      }
    }
    states.release();
    return steps;
  }

  function referenceOf<K extends 'mamba' | 'attention'>(
    layer: number,
    kind: K,
  ): Extract<Fixture['layers'][number], { kind: K }> {
    const reference = fixture.layers[layer];
    if (reference?.kind !== kind) throw new Error(`layer ${layer} is not of kind ${kind}`);
    return reference as Extract<Fixture['layers'][number], { kind: K }>;
  }

  it('gives step sizes, decays and activity at each token', async () => {
    const steps = await readWatched({ opened: null });
    expect(steps.map(({ position }) => position)).toEqual(fixture.tokens.map((_, i) => i));
    expect(steps.map(({ tokenId }) => tokenId)).toEqual(fixture.tokens);
    for (const layer of [0, 2]) {
      const { delta, decay } = referenceOf(layer, 'mamba');
      const rows = steps.flatMap((step) => step.mamba.filter((one) => one.layer === layer));
      expectNear(
        rows.flatMap((row) => [...(row.delta ?? [])]),
        delta,
      );
      expectNear(
        rows.flatMap((row) => [...(row.decay ?? [])]),
        decay,
      );
    }
    expectNear(
      steps.at(-1)?.activity ?? [],
      fixture.layers.map(({ activity }) => activity),
    );
  });

  it('gives the rows of true attention for the token that is read', async () => {
    const steps = await readWatched({ opened: { layer: 1, head: 2 } });
    const { attention } = referenceOf(1, 'attention');
    const total = fixture.tokens.length;
    const opened = steps.flatMap(({ opened: mixers, position }) =>
      mixers.flatMap((mixer) =>
        mixer.kind === 'attention' && mixer.rows !== null ? [{ rows: mixer.rows, position }] : [],
      ),
    );
    expect(opened.length).toBeGreaterThan(0);
    for (const { rows, position } of opened) {
      const expected = Array.from({ length: 4 }, (_, head) =>
        attention.slice(
          (head * total + position) * total,
          (head * total + position) * total + position + 1,
        ),
      );
      expectNear(rows.values, expected.flat());
    }
  });

  it.each([0, 2])(
    'gives states, vectors, singular values and hidden attention of layer %i',
    async (layer) => {
      await readWatched({ opened: null });
      const reference = referenceOf(layer, 'mamba');
      const total = fixture.tokens.length;
      for (const head of [0, 3]) {
        const result = (await lab.run(
          {
            id: 'lab 1',
            job: 'inspect',
            request: { targets: [{ layer, head }], lastTokens: total },
          },
          () => false,
          () => {},
        )) as LabResult<'inspect'>;
        if (result.stopped) throw new Error('stopped');
        const [look] = (result.value satisfies InspectResult).layers;
        if (look?.kind !== 'mamba') throw new Error('no Mamba layer');
        const group = head < 2 ? 0 : 1;
        const columns = (values: number[]) =>
          Array.from({ length: total }, (_, t) =>
            values.slice(t * 12 + group * 6, t * 12 + group * 6 + 6),
          ).flat();
        expectNear(look.state.values, reference.state.slice(head * 48, head * 48 + 48));
        expectNear(look.stateNorm, reference.stateNorm);
        expectNear(look.singularValues, reference.singularValues.slice(head * 6, head * 6 + 6));
        expectNear(look.convWindow.values, reference.convWindow);
        expectNear(look.delta?.values ?? [], reference.delta);
        expectNear(look.decay?.values ?? [], reference.decay);
        expectNear(look.b?.values ?? [], columns(reference.b));
        expectNear(look.c?.values ?? [], columns(reference.c));
        expectNear(
          look.hiddenAttention?.values ?? [],
          reference.hiddenAttention.slice(head * total * total, (head + 1) * total * total),
        );
      }
    },
  );

  it('gives the triangle of true attention, cut to a window', async () => {
    await readWatched({ opened: null });
    const { attention } = referenceOf(1, 'attention');
    const total = fixture.tokens.length;
    const window = 5;
    const result = (await lab.run(
      {
        id: 'lab 1',
        job: 'inspect',
        request: { targets: [{ layer: 1, head: 3 }], lastTokens: window },
      },
      () => false,
      () => {},
    )) as LabResult<'inspect'>;
    if (result.stopped) throw new Error('stopped');
    const [look] = result.value.layers;
    if (look?.kind !== 'attention') throw new Error('no attention layer');
    const row = (t: number) =>
      attention.slice((3 * total + t) * total, (3 * total + t + 1) * total);
    const rows = Array.from({ length: window }, (_, i) => row(total - window + i));
    expectNear(
      look.attention?.values ?? [],
      rows.flatMap((values) => values.slice(total - window)),
    );
    expectNear(
      look.outside ?? [],
      rows.map((values) => values.slice(0, total - window).reduce((sum, x) => sum + x, 0)),
    );
  });

  it('goes on from a shortened cache as one that never held the rest', async () => {
    // A stack in which attention alone reaches back: states are wiped on both sides.
    const wipe: SurgeryOp = { kind: 'zero', target: { scope: 'all' } };
    const run = async (operations: SurgeryOp[]): Promise<number[]> => {
      await readWatched({ opened: null });
      await lab.run(
        { id: 'lab 1', job: 'surgery', request: { operations } },
        () => false,
        () => {},
      );
      const states = lab.liveStates;
      if (states === null) throw new Error('no live states');
      const { logits, states: next } = await session.step([7, 9], states);
      const row = Array.from(logits);
      expect(next.kvTokens(1)).toBe(states.kvTokens(1) + 2);
      next.release();
      return row;
    };
    const windowed = await run([wipe, { kind: 'kv-window', layer: 1, tokens: 4 }]);
    const dropped = await run([wipe, { kind: 'kv-drop', layer: null }]);
    const whole = await run([
      wipe,
      { kind: 'kv-window', layer: null, tokens: fixture.tokens.length },
    ]);
    expectNear(await run([wipe]), whole);
    expect(windowed).not.toEqual(dropped);
    expect(windowed).not.toEqual(whole);
    // Dropped keys leave what an empty cache of that layer gives.
    const empty = session.emptyStates();
    await readWatched({ opened: null });
    const live = lab.liveStates;
    if (live === null) throw new Error('no live states');
    const names = ['past_key_values.1.key', 'past_key_values.1.value'];
    const mixed = live.derive(new Map(names.map((name) => [name, empty.tensor(name)])));
    const step = await session.step([7, 9], mixed);
    const expected = Array.from(step.logits);
    for (const states of [step.states, mixed, empty]) states.release();
    await lab.run(
      { id: 'lab 1', job: 'surgery', request: { operations: [{ kind: 'kv-drop', layer: 1 }] } },
      () => false,
      () => {},
    );
    const again = await session.step([7, 9], lab.liveStates ?? live);
    expectNear(again.logits, expected);
    again.states.release();
  });
});

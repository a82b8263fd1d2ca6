/** Owns the experiment that takes parts out of the model: the same continuation by the whole model and by what is left. */
import type { RouterStep, WithoutRequest, WithoutResult } from '../../src/protocol/lab-api';
import { withoutParts } from '../runtime/graph-change';
import type { GraphFile } from '../runtime/graph-reader';
import { ModelSession } from '../runtime/session';
import { SnapshotCache } from '../runtime/snapshots';
import { baselineWithKl, firstDifference, sourceTokens, type ExperimentHost } from './experiments';
import { LabSession } from './lab-session';
import type { LabReader, Standpoint } from './reader';

/** Runs `work` with a reader whose routers are noted, from states that the session has read itself. */
async function routed<T>(
  host: ExperimentHost,
  session: ModelSession,
  ids: readonly number[],
  work: (reader: LabReader, start: Standpoint) => Promise<T>,
): Promise<{ readonly value: T; readonly routed: readonly RouterStep[] }> {
  const steps: RouterStep[] = [];
  const { model } = host;
  const reader = host.readerOf({
    ...model,
    session: new LabSession(session, model.spec, null, {
      isWanted: () => true,
      emit: (step) => steps.push(step),
      textOf: (id) => host.reader.textOf(id),
    }),
    // Nothing that another session has read.
    snapshots: new SnapshotCache(0),
  });
  try {
    const start = await reader.readFresh(ids);
    try {
      return { value: await work(reader, start), routed: steps };
    } finally {
      start.states.release();
    }
  } finally {
    reader.dispose();
  }
}

export async function without(
  host: ExperimentHost,
  { source, parts, tokens, sampling }: WithoutRequest,
  graph: GraphFile,
): Promise<WithoutResult> {
  const { model, session } = host;
  const ids = sourceTokens(model, source);
  if (parts.length === 0) {
    const { value, routed: steps } = await routed(host, session, ids, (reader, start) => {
      reader.expect(tokens);
      return reader.write(start, { tokens, sampling, run: 0 });
    });
    return {
      baseline: { ...value, routed: steps },
      changed: null,
      kl: null,
      firstDifference: null,
    };
  }
  const rest = await ModelSession.create(
    { decoder: withoutParts(graph, parts) },
    { provider: session.provider, spec: model.spec },
  );
  rest.readsSingly = session.readsSingly;
  try {
    const whole = await routed(host, session, ids, (reader, plain) =>
      routed(host, rest, ids, async (other, cut) => {
        reader.expect(tokens);
        // The whole model's own words, and at each of them what the rest would have said.
        const { baseline, kl } = await baselineWithKl(
          { reader, model: { ...model, session: rest } },
          plain,
          cut,
          tokens,
          sampling,
        );
        other.expect(tokens);
        return { baseline, kl, changed: await other.write(cut, { tokens, sampling, run: 1 }) };
      }),
    );
    const { baseline, changed, kl } = whole.value.value;
    return {
      baseline: { ...baseline, routed: whole.routed },
      changed: { ...changed, routed: whole.value.routed },
      kl,
      firstDifference: firstDifference(baseline, changed),
    };
  } finally {
    await rest.dispose();
  }
}

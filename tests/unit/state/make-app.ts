/** A whole state layer for tests: the fake engine, real stores in memory, a clock and frames that tests move. */
import type { Conversation } from '../../../src/state/conversation';
import { createFakeEngine } from '../../../src/engine/fake-engine';
import type { FakeScenario } from '../../../src/engine/fake-scenarios';
import { ChatSession } from '../../../src/state/chat-session.svelte';
import { ConversationList } from '../../../src/state/conversation-list.svelte';
import { ModelStatus } from '../../../src/state/model-status.svelte';
import { Settings } from '../../../src/state/settings.svelte';
import { ConversationStore } from '../../../src/storage/conversation-store';
import { DraftStore } from '../../../src/storage/draft-store';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { SettingsStore } from '../../../src/storage/settings-store';

const SILENT_CHANNEL = { post: () => {}, listen: () => () => {}, close: () => {} };

/** @param stepMs by how much the clock goes on each time it is asked */
export function makeApp(scenario: FakeScenario, backing = new MemoryBacking(), stepMs = 10) {
  const problems: unknown[] = [];
  const onProblem = (error: unknown): void => void problems.push(error);
  let ids = 0;
  let clock = 1_000_000;
  const now = (): number => (clock += stepMs);
  /** What was asked to be kept, and when, on the clock of these tests. */
  const kept: { readonly at: number; readonly conversation: Conversation }[] = [];
  const engine = createFakeEngine(scenario, 0);
  /** The model that answers; tests put another in its place. */
  const current = { title: 'Tidepool' };
  const store = new ConversationStore({
    backing,
    channel: SILENT_CHANNEL,
    now,
    onNotice: onProblem,
  });
  const drafts = new DraftStore(backing, onProblem);
  const settings = new Settings(new SettingsStore(backing, SILENT_CHANNEL), onProblem);
  const status = new ModelStatus(engine, 'https://example.test/models/fake/');
  const list = new ConversationList(store, onProblem);
  const chat = new ChatSession({
    engine,
    status,
    settings,
    drafts,
    keep: (conversation) => {
      kept.push({ at: clock, conversation });
      list.keep(conversation);
    },
    writer: () => current.title,
    newId: () => `id-${(ids += 1)}`,
    now,
    schedule: (write) => void setTimeout(write, 0),
  });
  return { backing, chat, current, drafts, engine, kept, list, problems, settings, status, store };
}

/** Settles when `isSo` holds; fails after two seconds with what was awaited. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 2000;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

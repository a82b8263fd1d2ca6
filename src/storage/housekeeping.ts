/**
 * What lies in the database besides being used: sizes, what was set aside, everything out and in again, everything
 * deleted. Owns no chats (conversation-store.ts) and no models.
 */
import { EngineError } from '../core/errors';
import type { Judging } from '../core/judge/judging';
import { t } from '../core/language/translate';
import { cutText } from '../core/text/letters';
import type { Backing, TableName } from './backing';
import type { ConversationStore } from './conversation-store';
import type { FilePieces } from './export-files';
import { fitDraft } from './fit-entry';
import { joinReports, type ImportReport } from './import-report';
import type { JudgeStore } from './judge-store';
import type { PromptEntry, PromptStore } from './prompt-store';
import { ValueProblem } from './read-value';
import type { SettingsStore } from './settings-store';
import { LIMITS } from './stored-conversation';
import { rawText, readAsideValue, type AsideValue } from './stored-aside';
import type { TabChannel } from './tab-channel';

/** Bytes of UTF-8 that the records would be as JSON: close to what the database takes for them. */
export interface StoredSizes {
  readonly chats: { readonly count: number; readonly bytes: number };
  /** Chats in the undo window, drafts, the settings. */
  readonly restBytes: number;
}

/** A chat that could not be read. */
export interface AsideItem extends AsideValue {
  /** Tells it from others in the database. */
  readonly key: string;
  readonly bytes: number;
}

export interface WholeReport extends ImportReport {
  readonly hasSettings: boolean;
  readonly drafts: number;
  readonly aside: number;
  /** Saved prompts that are new here. */
  readonly prompts: number;
  /** Tasks, replies and verdicts of the judge that are new here. */
  readonly judged: number;
}

/** The report of two files, one after the other. */
export function joinWholeReports(first: WholeReport, second: WholeReport): WholeReport {
  return {
    ...joinReports([first, second]),
    hasSettings: first.hasSettings || second.hasSettings,
    drafts: first.drafts + second.drafts,
    aside: first.aside + second.aside,
    prompts: first.prompts + second.prompts,
    judged: first.judged + second.judged,
  };
}

export interface HousekeepingOptions {
  readonly backing: Backing;
  readonly channel: TabChannel;
  readonly conversations: ConversationStore;
  readonly settings: SettingsStore;
  readonly now: () => number;
}

function bytesOf(value: unknown): number {
  return new TextEncoder().encode(rawText(value)).length;
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  async sizes(): Promise<StoredSizes> {
    const chats = await this.#sizeOf('conversations');
    const rest = await Promise.all(
      (['summaries', 'trash', 'settings', 'drafts'] as const).map((table) => this.#sizeOf(table)),
    );
    return { chats, restBytes: rest.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  async #sizeOf(table: TableName): Promise<{ count: number; bytes: number }> {
    const keys = await this.#options.backing.run([table], 'readonly', (transaction) =>
      transaction.keys(table),
    );
    let bytes = 0;
    // One at a time: all chats together may be more than a phone's memory holds.
    for (const key of keys) {
      const value = await this.#options.backing.run([table], 'readonly', (transaction) =>
        transaction.get(table, key),
      );
      bytes += bytesOf(value);
    }
    return { count: keys.length, bytes };
  }

  /** Chats that could not be read and were set aside, newest first. */
  async aside(): Promise<readonly AsideItem[]> {
    const items = await this.#options.backing.run(['aside'], 'readonly', async (transaction) => {
      const found: AsideItem[] = [];
      for (const key of await transaction.keys('aside')) {
        const value = await transaction.get('aside', key);
        found.push({ ...asideOf(value), key, bytes: bytesOf(value) });
      }
      return found;
    });
    return items.sort((a, b) => b.keptAt - a.keptAt);
  }

  async deleteAside(key: string): Promise<void> {
    await this.#options.backing.run(['aside'], 'readwrite', (transaction) =>
      transaction.delete('aside', key),
    );
  }

  /** Their code is fetched when they are asked for, here as well. */
  async #prompts(): Promise<PromptStore> {
    const { PromptStore } = await import('./prompt-store');
    return new PromptStore(this.#options.backing);
  }

  async #judge(): Promise<JudgeStore> {
    const { JudgeStore } = await import('./judge-store');
    return new JudgeStore(this.#options.backing);
  }

  /** Everything but models, in JSON files: one, or as many as it takes for each to be read again. */
  async exportFiles(): Promise<readonly FilePieces[]> {
    const { conversations, settings, backing, now } = this.#options;
    const drafts: Record<string, string> = {};
    await backing.run(['drafts'], 'readonly', async (transaction) => {
      for (const key of await transaction.keys('drafts')) {
        const text = await transaction.get('drafts', key);
        if (typeof text === 'string') drafts[key] = fitDraft(text);
      }
    });
    const [{ wholeExportFiles }, prompts, judge] = await Promise.all([
      import('./whole-export'),
      this.#prompts(),
      this.#judge(),
    ]);
    return wholeExportFiles(
      {
        conversations: conversations.all(),
        settings: await settings.load(),
        drafts,
        aside: await this.aside(),
        prompts: await prompts.load(() => ''),
        judge: (await judge.load()) ?? null,
      },
      now(),
    );
  }

  /**
   * Adds what an exported file holds. Chats that are here and differ come in beside (see importConversationValues);
   * settings of the file take the place of those here; a draft that is here stays, and so does what the judge was given.
   * @throws EngineError `storage` when the file cannot be read, with nothing changed
   */
  async import(json: string, newId: () => string): Promise<WholeReport> {
    const { conversations, settings, backing, channel } = this.#options;
    // The reading of files is fetched when a file is read.
    const [{ readWholeExport }, { importConversationValues }] = await Promise.all([
      import('./whole-export'),
      import('./import-conversations'),
    ]);
    const file = await readWholeExport(json, newId);
    const report = await importConversationValues(file.conversations, conversations, newId);
    const problems = [...file.problems, ...report.problems];
    const hasSettings = Object.keys(file.settings).length > 0;
    if (hasSettings) await settings.merge(file.settings);
    const drafts = await backing.run(['drafts'], 'readwrite', async (transaction) => {
      let added = 0;
      for (const [key, text] of Object.entries(file.drafts)) {
        if ((await transaction.get('drafts', key)) !== undefined) continue;
        transaction.put('drafts', key, text);
        added += 1;
      }
      return added;
    });
    const present = new Set((await this.aside()).map(({ value }) => rawText(value)));
    const missing = file.aside.filter(({ value }) => !present.has(rawText(value)));
    await backing.run(['aside'], 'readwrite', (transaction) => {
      for (const record of missing) transaction.put('aside', newId(), record);
    });
    const prompts = file.prompts.length === 0 ? 0 : await this.#addPrompts(file.prompts, problems);
    const judged = file.judge === null ? 0 : await this.#addJudging(file.judge, problems);
    channel.post({ type: 'many' });
    if (hasSettings) channel.post({ type: 'settings' });
    return { ...report, problems, hasSettings, drafts, aside: missing.length, prompts, judged };
  }

  /** Adds prompts that are not here, as far as there is room; returns how many, and says what was left out. */
  async #addPrompts(found: readonly PromptEntry[], problems: string[]): Promise<number> {
    const [{ missingPrompts, PROMPT_LIMITS }, store] = await Promise.all([
      import('./prompt-store'),
      this.#prompts(),
    ]);
    const here = await store.load(() => '');
    const fresh = missingPrompts(here, found);
    const taken = fresh.slice(0, Math.max(0, PROMPT_LIMITS.prompts - here.length));
    if (taken.length > 0) await store.save([...here, ...taken]);
    if (taken.length < fresh.length)
      problems.push(
        t('{length} more had no room: {prompts} are kept.', {
          length: fresh.length - taken.length,
          prompts: PROMPT_LIMITS.prompts,
        }),
      );
    return taken.length;
  }

  /** Adds to the judging that is here what it lacks; returns how many entries, and says what was left out. */
  async #addJudging(found: Judging, problems: string[]): Promise<number> {
    const [{ mergeJudgings, readJudging, writeJudging }, store] = await Promise.all([
      import('../core/judge/judging'),
      this.#judge(),
    ]);
    const kept = await store.load();
    let here: Judging | null;
    try {
      here = kept === undefined ? null : readJudging(kept);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      problems.push(
        t('The judge’s work that is here cannot be read; that of the file was left out.'),
      );
      return 0;
    }
    const merged = mergeJudgings(here, found);
    await store.save(writeJudging(merged));
    problems.push(...merged.problems);
    return merged.added;
  }

  /** Deletes all that the database holds, settings too. */
  async deleteEverything(): Promise<void> {
    await this.#options.conversations.deleteAll();
    await this.#options.backing.run(['settings'], 'readwrite', (transaction) =>
      transaction.clear('settings'),
    );
  }
}

/** A record of the table, whatever has become of it. */
function asideOf(value: unknown): AsideValue {
  try {
    return readAsideValue(value);
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
    return { reason: cutText(error.message, LIMITS.titleLength), keptAt: 0, value };
  }
}

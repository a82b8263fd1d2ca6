// What is kept besides being used: sizes, damaged chats, everything out and in again.
import { beforeEach, describe, expect, it } from 'vitest';
import { ConversationStore } from '../../../src/storage/conversation-store';
import { Housekeeping } from '../../../src/storage/housekeeping';
import { JudgeStore } from '../../../src/storage/judge-store';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { PROMPT_LIMITS, PromptStore } from '../../../src/storage/prompt-store';
import { SettingsStore } from '../../../src/storage/settings-store';
import { rawText } from '../../../src/storage/stored-aside';
import { DEFAULT_SETTINGS } from '../../../src/state/settings.svelte';
import { conversationOf, exportedJson, TestChannels } from './conversations';

function openBrowser() {
  const backing = new MemoryBacking();
  const channels = new TestChannels();
  const channel = channels.open();
  const notices: string[] = [];
  const conversations = new ConversationStore({
    backing,
    channel,
    now: () => 5000,
    onNotice: (sentence) => notices.push(sentence),
  });
  const settings = new SettingsStore(backing, channel);
  const housekeeping = new Housekeeping({
    backing,
    channel,
    conversations,
    settings,
    now: () => 1_700_000_000_000,
  });
  return { backing, channels, conversations, settings, housekeeping, notices };
}

let browser: ReturnType<typeof openBrowser>;
let ids = 0;
const newId = (): string => `new-${(ids += 1)}`;

beforeEach(() => {
  browser = openBrowser();
});

const PROMPT = { kind: 'question', name: 'Sum', text: 'What is {{a}} + {{b}}?' } as const;

const JUDGED = {
  format: 'tidepool-judge',
  version: 1,
  tasks: [
    {
      task_id: 'a',
      domain: 'Sums',
      prompt: 'What is 23 + 58?',
      rubrics: [
        { criterion_description: 'States 81', criterion_type: [], criterion_weight: 'Major' },
      ],
    },
  ],
  replies: [{ source: 'x', task_id: 'a', response: 'It is 81.' }],
  verdicts: [
    {
      judge: 'Tide',
      source: 'x',
      task_id: 'a',
      criterion: 1,
      answer: 'yes',
      completion_tokens: 1,
      ms: 4,
    },
  ],
  setUp: {
    taskCount: 10,
    sources: [{ name: 'x', model: null, title: 'x', limit: 0 }],
    judgeModel: 'tide',
    judgeTitle: 'Tide',
    judgeLimit: 32,
    isForced: true,
  },
};

/** Two chats, one damaged, settings, a draft, a prompt, a judging. */
async function fill(): Promise<void> {
  const { backing, conversations, settings } = browser;
  await conversations.save(conversationOf('a', { title: 'First' }));
  await conversations.save(conversationOf('b', { title: 'Second', updatedAt: 2000 }));
  await settings.save({ ...DEFAULT_SETTINGS, theme: 'dark', maxAnswerTokens: 77 });
  const cycle: Record<string, unknown> = { id: 7n, title: 'Broken' };
  cycle['self'] = cycle;
  await backing.run(['conversations', 'drafts'], 'readwrite', async (transaction) => {
    transaction.put('conversations', 'bad', { conversation: cycle });
    transaction.put('drafts', 'new', 'half a sentence');
  });
  await new PromptStore(backing).save([PROMPT]);
  await new JudgeStore(backing).save(JUDGED);
  await conversations.list();
}

async function allOf(store: ConversationStore): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const conversation of store.all()) found.push(conversation);
  return found;
}

async function exported(): Promise<string> {
  const files = await browser.housekeeping.exportFiles();
  expect(files).toHaveLength(1);
  return files.flat().join('');
}

describe('a damaged chat', () => {
  it('is listed with its reason and size, written out raw, and deleted when asked', async () => {
    await fill();
    const [item, ...others] = await browser.housekeeping.aside();
    expect(others).toEqual([]);
    expect(item?.reason).toContain('conversation.id');
    expect(item?.keptAt).toBe(5000);
    expect(item?.bytes).toBeGreaterThan(20);
    const raw = JSON.parse(rawText(item?.value)) as unknown;
    expect(raw).toEqual({ conversation: { id: '7', title: 'Broken', self: '…' } });
    await browser.housekeeping.deleteAside(item?.key ?? '');
    expect(await browser.housekeeping.aside()).toEqual([]);
  });

  it('whose record is itself no record is listed all the same', async () => {
    await browser.backing.run(['aside'], 'readwrite', (transaction) =>
      transaction.put('aside', 'x', 'nonsense'),
    );
    expect(await browser.housekeeping.aside()).toMatchObject([{ key: 'x', value: 'nonsense' }]);
  });

  it('that lies deeper than a file may does not break the export', async () => {
    let deep: unknown = 'bottom';
    for (let i = 0; i < 500; i += 1) deep = [deep];
    await browser.backing.run(['aside'], 'readwrite', (transaction) =>
      transaction.put('aside', 'x', { reason: 'too deep', keptAt: 1, value: deep }),
    );
    const json = await exported();
    const other = (browser = openBrowser());
    expect(await other.housekeeping.import(json, newId)).toMatchObject({ aside: 1 });
  });
});

describe('everything', () => {
  it('goes to one file and comes in whole in another browser', async () => {
    await fill();
    const json = await exported();
    const before = await allOf(browser.conversations);
    const first = browser;
    browser = openBrowser();
    const report = await browser.housekeeping.import(json, newId);
    expect(report).toMatchObject({
      unchanged: 0,
      problems: [],
      hasSettings: true,
      drafts: 1,
      aside: 1,
      prompts: 1,
      judged: 3,
    });
    expect(await new JudgeStore(browser.backing).load()).toEqual(JUDGED);
    expect(await new PromptStore(browser.backing).load(() => 'id')).toEqual([
      { ...PROMPT, id: 'id' },
    ]);
    expect(report.added).toHaveLength(2);
    expect(await allOf(browser.conversations)).toEqual(before);
    expect(await browser.settings.load()).toEqual(await first.settings.load());
    expect(await browser.housekeeping.aside()).toHaveLength(1);
    // Again: nothing is doubled.
    expect(await browser.housekeeping.import(json, newId)).toMatchObject({
      unchanged: 2,
      drafts: 0,
      aside: 0,
      prompts: 0,
      judged: 0,
    });
    expect(await browser.conversations.list()).toHaveLength(2);
    expect(JSON.parse(await exported())).toEqual(JSON.parse(json));
  });

  it('never overwrites a chat or a draft that is here', async () => {
    await fill();
    const json = await exported();
    await browser.conversations.save(conversationOf('a', { answer: 'changed', updatedAt: 3000 }));
    const report = await browser.housekeeping.import(json, newId);
    expect(report).toMatchObject({ unchanged: 1, drafts: 0 });
    expect(report.added[0]?.id).not.toBe('a');
    expect(await browser.conversations.list()).toHaveLength(3);
  });

  it('adds prompts to those that are here, says what is broken or has no room, and takes files without', async () => {
    await fill();
    const file = JSON.parse(await exported()) as Record<string, unknown>;
    const store = new PromptStore(browser.backing);
    const many = Array.from({ length: PROMPT_LIMITS.prompts - 1 }, (_, at) => ({
      ...PROMPT,
      name: `Sum ${at}`,
    }));
    await store.save(many);
    const prompts = [PROMPT, { ...PROMPT, name: 'One more' }, { ...PROMPT, text: ' ' }];
    const report = await browser.housekeeping.import(JSON.stringify({ ...file, prompts }), newId);
    expect(report.prompts).toBe(1);
    expect(report.problems).toEqual([
      expect.stringContaining('Prompt 3, field “text”'),
      '1 more had no room: 500 are kept.',
    ]);
    expect(await store.load(newId)).toHaveLength(PROMPT_LIMITS.prompts);
    delete file['prompts'];
    expect(await browser.housekeeping.import(JSON.stringify(file), newId)).toMatchObject({
      prompts: 0,
      problems: [],
    });
  });

  it('says what of a judging is broken, reads the rest, and takes files without', async () => {
    await fill();
    const file = JSON.parse(await exported()) as Record<string, unknown>;
    const takeIn = async (judge: unknown): Promise<unknown> => {
      browser = openBrowser();
      const { judged, problems } = await browser.housekeeping.import(
        JSON.stringify({ ...file, judge }),
        newId,
      );
      return { judged, problems };
    };
    const [verdict] = JUDGED.verdicts;
    const verdicts = [{ ...verdict, criterion: 2 }, verdict, { ...verdict, answer: 'perhaps' }];
    expect(await takeIn({ ...JUDGED, verdicts })).toEqual({
      judged: 3,
      problems: [
        'Under “Judge”: verdicts, Row 1: the field “criterion” should be a criterion of the task, 1 to 1, but is 2.',
        'Under “Judge”: verdicts, Row 3: the field “answer” should be yes, no, neither, but is "perhaps".',
      ],
    });
    expect(await new JudgeStore(browser.backing).load()).toEqual(JUDGED);
    const unknown = {
      judged: 0,
      problems: ['Under “Judge”: The file has no “format” and “version” that this app knows.'],
    };
    for (const judge of [7, { ...JUDGED, version: 2 }]) {
      expect(await takeIn(judge)).toEqual(unknown);
      expect(await browser.conversations.list()).toHaveLength(2);
    }
    for (const judge of [undefined, null])
      expect(await takeIn(judge)).toEqual({ judged: 0, problems: [] });
    expect(await new JudgeStore(browser.backing).load()).toBeUndefined();
  });

  it('leaves a judging alone that it cannot read, and says so', async () => {
    await fill();
    const json = await exported();
    const newer = { ...JUDGED, version: 2 };
    await new JudgeStore(browser.backing).save(newer);
    expect(await browser.housekeeping.import(json, newId)).toMatchObject({
      judged: 0,
      problems: ['The judge’s work that is here cannot be read; that of the file was left out.'],
    });
    expect(await new JudgeStore(browser.backing).load()).toEqual(newer);
  });

  it('takes a file of chats alone as well', async () => {
    const json = await exportedJson([conversationOf('a')]);
    expect(await browser.housekeeping.import(json, newId)).toMatchObject({
      hasSettings: false,
      drafts: 0,
    });
    expect(await browser.conversations.list()).toHaveLength(1);
  });

  it.each([
    ['nonsense', 'not JSON'],
    ['{}', 'format'],
    ['[]', 'no conversations'],
    [JSON.stringify({ format: 'tidepool-everything', version: 99 }), 'version'],
    [
      JSON.stringify({
        format: 'tidepool-everything',
        version: 1,
        conversations: 7,
        settings: {},
        drafts: {},
        aside: [],
      }),
      'conversations',
    ],
    [
      JSON.stringify({
        format: 'tidepool-everything',
        version: 1,
        conversations: [],
        settings: {},
        drafts: { a: 7 },
        aside: [],
      }),
      'draft',
    ],
    [
      JSON.stringify({
        format: 'tidepool-everything',
        version: 1,
        conversations: [],
        settings: {},
        drafts: {},
        aside: [{}],
      }),
      'aside',
    ],
    [`${'['.repeat(70)}${']'.repeat(70)}`, 'levels deep'],
  ])('refuses %s with the place, and changes nothing', async (json, said) => {
    await expect(browser.housekeeping.import(json, newId)).rejects.toMatchObject({
      code: 'storage',
    });
    await expect(browser.housekeeping.import(json, newId)).rejects.toThrow(said);
    expect(await browser.conversations.list()).toEqual([]);
  });

  it('leaves settings out that are not as they should be, and takes the others', async () => {
    const file = {
      format: 'tidepool-everything',
      version: 1,
      conversations: [],
      drafts: {},
      aside: [],
    };
    const json = JSON.stringify({ ...file, settings: { theme: 'purple', maxAnswerTokens: 99 } });
    await browser.housekeeping.import(json, newId);
    expect(await browser.settings.load()).toEqual({ maxAnswerTokens: 99 });
  });

  it('has sizes, and is gone when it is deleted', async () => {
    await fill();
    const sizes = await browser.housekeeping.sizes();
    expect(sizes.chats.count).toBe(2);
    expect(sizes.chats.bytes).toBeGreaterThan(500);
    expect(sizes.restBytes).toBeGreaterThan(100);
    await browser.housekeeping.deleteEverything();
    expect(await browser.housekeeping.sizes()).toEqual({
      chats: { count: 0, bytes: 0 },
      restBytes: 0,
    });
    expect(await browser.housekeeping.aside()).toEqual([]);
  });
});

// Files beside the message box: counted, cut, sent with the question, kept with the chat, and never lost.
import { describe, expect, test } from 'vitest';
import { PendingFiles } from '../../../../src/state/files/pending-files.svelte';
import { readFile } from '../../../../src/state/files/read-file';
import { readConversation } from '../../../../src/storage/read-conversation';
import { makeApp, until } from '../make-app';

function makeFiles(scenario: 'thinks' = 'thinks') {
  const app = makeApp(scenario);
  const { chat, engine, settings, status } = app;
  const count = engine.countTokens.bind(engine);
  return { ...app, files: new PendingFiles({ chat, status, settings, count, read: readFile }) };
}

const textFile = (name: string, text: string): File => new File([text], name);
/** The fake model reads 2,048 tokens of about four letters. */
const LONG = 'The tide rises twice a day. '.repeat(2000);

describe('files of a question', () => {
  test('nothing is counted while a model loads; then each has its tokens and the context its sum', async () => {
    const { files, status } = makeFiles();
    await files.add([textFile('notes.md', 'The pool is calm.')]);
    expect(files.list.map(({ fitted }) => fitted)).toEqual([null]);
    await status.load();
    await files.fit();
    expect(files.list[0]?.fitted).toMatchObject({ name: 'notes.md', share: 1 });
    expect(files.room?.taken).toBeLessThan(100);
  });

  test('a long file is cut to what the context has left, and the reply keeps its room', async () => {
    const { files, status } = makeFiles();
    await status.load();
    await files.add([textFile('long.txt', LONG)]);
    const fitted = files.list[0]?.fitted;
    if (fitted === null || fitted === 'empty' || fitted === undefined) throw new Error('not cut');
    expect(fitted.share).toBeGreaterThan(0);
    expect(fitted.share).toBeLessThan(1);
    expect(LONG.startsWith(fitted.text)).toBe(true);
    const { context = 0, reply = 0, taken = 0 } = files.room ?? {};
    expect(context).toBe(2048);
    expect(taken + reply).toBeLessThanOrEqual(context);
  });

  test('the question goes with its files: read by the model before it, kept with the chat, gone from the box', async () => {
    const { chat, files, status } = makeFiles();
    await status.load();
    await files.add([textFile('notes.md', 'The pool is calm.'), textFile('b.csv', 'a,b\n1,2')]);
    chat.draft = 'What is calm?';
    expect(await files.send()).toBe('');
    expect(files.list).toEqual([]);
    await until(() => !chat.isBusy && chat.path.length === 2, 'the reply');
    const [question] = chat.path;
    if (question?.role !== 'user') throw new Error('no question');
    expect(question.files?.map(({ name }) => name)).toEqual(['notes.md', 'b.csv']);
    expect(chat.promptWith('And?', [])[0]?.content).toBe(
      'notes.md:\nThe pool is calm.\n\nb.csv:\na,b\n1,2\n\nWhat is calm?',
    );
    expect(readConversation(JSON.parse(JSON.stringify(chat.conversation)))).toEqual(
      chat.conversation,
    );
    await chat.edit(question.id, 'What is not?');
    const edited = chat.path[0];
    expect(edited?.role === 'user' ? edited.files : null).toEqual(question.files);
  });

  test('a question sent while the model loads waits for the count', async () => {
    const { chat, files } = makeFiles();
    await files.add([textFile('long.txt', LONG)]);
    chat.draft = 'How often?';
    expect(await files.send()).toBe('');
    const [question] = chat.path;
    expect(question?.role === 'user' ? question.files?.[0]?.share : 1).toBeLessThan(1);
  });

  test('a chat without room for the file says so, and keeps text and file', async () => {
    const { chat, files, status } = makeFiles();
    await status.load();
    chat.draft = LONG.slice(0, 20_000);
    await files.add([textFile('notes.md', 'The pool is calm.')]);
    expect(await files.send()).toMatch(/no room left .* start a new chat/);
    expect(files.list).toHaveLength(1);
    expect(chat.draft).not.toBe('');
  });

  test('what cannot be read is said with what to do, and the rest is taken', async () => {
    const { files, status } = makeFiles();
    await status.load();
    const picture = new File([new Uint8Array([0x89, 0x50, 0, 1])], 'map.png');
    await files.add([picture, textFile('empty.txt', ' \n'), textFile('a.txt', 'a')]);
    expect(files.problems).toEqual([
      '“map.png” is neither text nor PDF. Save it as text or as PDF, and add that.',
      '“empty.txt” is empty.',
    ]);
    expect(files.list.map(({ name }) => name)).toEqual(['a.txt']);
    await files.add(Array.from({ length: 9 }, (_, at) => textFile(`${at}.txt`, 'b')));
    expect(files.problems[0]).toMatch(/at most 8 files; the first 7/);
    expect(files.list).toHaveLength(8);
  });
});

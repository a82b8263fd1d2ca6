/** Owns the record of real outputs for the tests of Markdown: the sample chats and one held-out problem in twenty. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseProblems } from '../../src/core/evaluation/problem';
import { openFolder, openVariant, SHIPPED_VARIANT } from './load-model';
import { runReply, settingsFor } from './run-reply';
import { playChat, type SampleChat } from './sample-chats';

const EVERY = 20;
const LIMIT = 128;

/** Asked for marks, lists and code, which the model was never taught; what it writes then is real too. */
const OWN_CHATS: readonly SampleChat[] = [
  'Tell me a story about a crab.',
  'Write a list of three fish.',
  'Write a table of 2 and 3.',
  'Write code that adds two numbers.',
  'What is 5! ?',
  'Explain why 12 * 3 = 36.',
].map((question) => ({ title: question, limit: LIMIT, tools: [], users: [question] }));

interface Output {
  readonly from: string;
  readonly text: string;
}

export async function main(root: string): Promise<number> {
  const fixture = (name: string): string =>
    readFileSync(join(root, 'tests/fixtures/eval', name), 'utf8');
  const chats = [...(JSON.parse(fixture('chats.json')) as SampleChat[]), ...OWN_CHATS];
  const folder = await openFolder(join(root, 'public/models/tidepool'));
  const session = await openVariant(folder, SHIPPED_VARIANT);
  const outputs: Output[] = [];
  const add = (from: string, text: string): void => {
    if (text.trim() !== '') outputs.push({ from, text });
  };
  try {
    for (const chat of chats) {
      const { replies } = await playChat(folder, session, chat);
      replies.forEach(({ thought, answer }, turn) => {
        add(`${chat.title}, ${turn + 1}, thought`, thought);
        add(`${chat.title}, ${turn + 1}`, answer);
      });
    }
    const problems = parseProblems(JSON.parse(fixture('problems.json')));
    for (const problem of problems.filter((_, at) => at % EVERY === 0)) {
      const { thought, answer } = await runReply(folder, session, {
        messages: [{ role: 'user', content: problem.question }],
        limit: LIMIT,
        ...settingsFor(problem),
      });
      add(`${problem.id}, thought`, thought);
      add(problem.id, answer);
    }
  } finally {
    await session.dispose();
  }
  const record = {
    command: 'node scripts/record-outputs.js',
    model: folder.manifest.files.find(({ path }) => path.includes('quantized'))?.sha256 ?? '',
    outputs,
  };
  writeFileSync(
    join(root, 'tests/fixtures/real-outputs.json'),
    `${JSON.stringify(record, null, 2)}\n`,
  );
  console.log(
    `${outputs.length} outputs, ${outputs.reduce((sum, { text }) => sum + text.length, 0)} characters`,
  );
  return 0;
}

/** Owns what the model reads after its tool calls. */
import type { ToolSchema } from '../../src/core/tools/run-tool';
import type { ChatTokenizer, TemplateMessage } from '../runtime/hub';

/**
 * What follows the assistant's last tool call: its end of turn, the results, and the start of the next assistant turn.
 * `messages` end with that assistant message; `results` are the tools' answers.
 */
export function renderToolTurn(
  tokenizer: ChatTokenizer,
  messages: readonly TemplateMessage[],
  results: readonly string[],
  options: { tools: readonly ToolSchema[]; enableThinking: boolean; endOfTurn: string },
): string {
  const { tools, enableThinking, endOfTurn } = options;
  const render = (contents: readonly string[]): string =>
    tokenizer.render(
      [...messages, ...contents.map((content) => ({ role: 'tool' as const, content }))],
      { tools, enableThinking, addGenerationPrompt: true },
    );
  const after = render(results);
  // Up to the results the renderings of any results agree; the last end of a turn before them is the assistant's. The
  // turn by itself is no guide: Qwen3's template shows a thought in it, and none once a result follows.
  const [first = '', ...rest] = results;
  const other = render([first.startsWith('x') ? 'y' : 'x', ...rest]);
  let shared = 0;
  while (shared < after.length && after[shared] === other[shared]) shared += 1;
  const end = after.lastIndexOf(endOfTurn, shared - endOfTurn.length);
  if (endOfTurn === '' || end < 0) {
    throw new RangeError(
      `the chat template does not end an assistant turn with ${JSON.stringify(endOfTurn)}`,
    );
  }
  return after.slice(end);
}

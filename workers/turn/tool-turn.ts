/** Owns what the model reads after its tool calls. */
import type { ToolSchema } from '../../src/core/tools/run-tool';
import { commonLength } from '../prompt';
import type { ChatTokenizer, TemplateMessage } from '../runtime/hub';

/**
 * Ids of what follows the assistant's last tool call: its end of turn as the template has it, the results, and the start
 * of the next assistant turn. `messages` end with that assistant message; `results` are the tools' answers. Whatever the
 * model ended its turn with was never read.
 */
export function toolTurnIds(
  tokenizer: ChatTokenizer,
  messages: readonly TemplateMessage[],
  results: readonly string[],
  options: {
    readonly tools: readonly ToolSchema[];
    readonly enableThinking: boolean;
    readonly endIds: readonly number[];
  },
): number[] {
  const { tools, enableThinking, endIds } = options;
  const idsOf = (all: readonly TemplateMessage[], addGenerationPrompt: boolean): number[] =>
    tokenizer.encode(tokenizer.render(all, { tools, enableThinking, addGenerationPrompt }));
  const withResults = (contents: readonly string[]): number[] =>
    idsOf([...messages, ...contents.map((content) => ({ role: 'tool' as const, content }))], true);
  const after = withResults(results);
  // Up to the results the renderings of any results agree; the last end of a turn before them is the assistant's. The
  // turn by itself is no guide: Qwen3's template shows a thought in it, and none once a result follows.
  const [first = '', ...rest] = results;
  const shared = commonLength(after, withResults([first.startsWith('x') ? 'y' : 'x', ...rest]));
  const begin = commonLength(after, idsOf(messages.slice(0, -1), true));
  const end = after.slice(0, shared).findLastIndex((id) => endIds.includes(id));
  // A template that ends no turn before its results goes on where the call stops.
  return after.slice(end >= begin ? end : commonLength(after, idsOf(messages, false)));
}

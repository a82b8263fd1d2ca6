/**
 * Owns the way from messages to prompt tokens, and the points of a prompt at which later prompts will fork off.
 * Owns no states.
 */
import type { PromptMessage } from '../src/protocol/engine-api';
import type { ToolSchema } from '../src/core/tools/run-tool';
import type { ThinkFormat } from '../src/models/think-format';
import type { ChatTokenizer, TemplateMessage } from './runtime/hub';
import type { SeamedText } from './runtime/seamed-text';

export interface PromptRequest {
  readonly messages: readonly PromptMessage[];
  readonly tools: readonly ToolSchema[];
  readonly enableThinking: boolean;
  readonly continueFrom?: { readonly thought: string | null; readonly answer: string };
}

export interface Prompt {
  readonly ids: readonly number[];
  /**
   * Token counts, ascending, at which a state is worth keeping: before the last user message (edit) and where the
   * next turn's rendering, which strips this turn's thought, still agrees (next turn, regenerate).
   */
  readonly forks: readonly number[];
}

/** The app's messages in the form of chat templates. */
export function templateMessages(messages: readonly PromptMessage[]): TemplateMessage[] {
  return messages.map((message): TemplateMessage => {
    if (
      message.role !== 'assistant' ||
      message.toolCalls === undefined ||
      message.toolCalls.length === 0
    ) {
      return { role: message.role, content: message.content };
    }
    return {
      role: 'assistant',
      // The template puts the newline between text and call itself.
      content: message.content.trimEnd(),
      ...(message.thought === undefined ? {} : { reasoning_content: message.thought }),
      tool_calls: message.toolCalls.map((call) => ({ type: 'function', function: call })),
    };
  });
}

export function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

/** Renders and tokenises. Errors are the template's own. */
export function buildPrompt(
  tokenizer: ChatTokenizer,
  format: ThinkFormat,
  request: PromptRequest,
): Prompt {
  const messages = templateMessages(request.messages);
  const { tools } = request;
  const render = (enableThinking: boolean): SeamedText =>
    tokenizer.render(messages, { tools, enableThinking, addGenerationPrompt: true });
  const { continueFrom } = request;
  const text = [...render(request.enableThinking)];
  if (continueFrom !== undefined) {
    const { thought, answer } = continueFrom;
    if (thought !== null) text.push(...tokenizer.lettersOf(thought));
    // A closed thought goes on with its close; an open one with its next word.
    if (thought !== null && answer !== '') text.push(format.think?.closeText ?? '');
    text.push(...tokenizer.lettersOf(answer));
  }
  const ids = tokenizer.encode(text);

  // Later turns show this reply without its thought, so their prompt parts from this one where a rendering
  // with thinking and one without do.
  let stable =
    format.think === null
      ? ids.length
      : commonLength(ids, tokenizer.encode(render(!request.enableThinking)));
  // The last token is read in any case, for its logits.
  stable = Math.min(stable, ids.length - 1);
  // A thought's tag stands in both, but later turns may show none.
  const hasTag = format.think !== null && ids[stable - 1] === format.think.openId;
  if (hasTag && tokenizer.adapter?.isEmptyShown === false) stable -= 1;
  const forks = [stable];
  if (format.turnStartId !== null) {
    // Backwards: the assistant's own turn start, then the last user message's.
    const own = ids.lastIndexOf(format.turnStartId, stable - 1);
    const user = own > 0 ? ids.lastIndexOf(format.turnStartId, own - 1) : -1;
    if (user > 0) forks.unshift(user);
  }
  return { ids, forks };
}

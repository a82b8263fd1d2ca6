/**
 * Owns what a page may give as a prompt, by the Prompt API's "validate and canonicalize a prompt"
 * (webmachinelearning.github.io/prompt-api, read 2026-11-28). This model reads text only.
 */
import type { PromptMessage } from '../core/chat/prompt-message';
import { domError } from './spec-errors';

export interface LanguageModelContent {
  readonly type: 'text' | 'image' | 'audio';
  readonly value: unknown;
}

export interface LanguageModelMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string | readonly LanguageModelContent[];
  /** Of a last message of the assistant's: the answer goes on from it. */
  readonly prefix?: boolean;
}

export type LanguageModelPrompt = string | readonly LanguageModelMessage[];

export interface PromptInput {
  readonly messages: readonly PromptMessage[];
  /** Beginning of the answer; '' for none. */
  readonly prefix: string;
}

function textOf({ role, content }: LanguageModelMessage): string {
  if (typeof content === 'string') return content;
  return content
    .map(({ type, value }) => {
      if (type !== 'text')
        throw domError(
          'NotSupportedError',
          role === 'assistant'
            ? 'What the assistant said can be text only.'
            : `This model reads text, and no ${type}.`,
        );
      if (typeof value !== 'string') throw new TypeError('The value of a text is no string.');
      return value;
    })
    .join('');
}

/** The messages of a prompt. Throws the exceptions of the standard; `hasInput` once the session has read something. */
export function readPrompt(input: LanguageModelPrompt, hasInput: boolean): PromptInput {
  if (typeof input === 'string')
    return { messages: [{ role: 'user', content: input }], prefix: '' };
  if (!Array.isArray(input)) throw new TypeError('A prompt is a string or a list of messages.');
  const given = input as readonly LanguageModelMessage[];
  if (given.length === 0) return { messages: [{ role: 'user', content: '' }], prefix: '' };
  const messages: PromptMessage[] = [];
  let prefix = '';
  given.forEach((message, index) => {
    const { role } = message;
    if (!['system', 'user', 'assistant'].includes(role))
      throw new TypeError(`"${role}" is no role of a message.`);
    if (message.prefix === true && (role !== 'assistant' || index < given.length - 1))
      throw domError(
        'SyntaxError',
        'Only the last message, and only one of the assistant’s, can be a prefix.',
      );
    if (role === 'system' && (hasInput || index > 0))
      throw new TypeError('A system message can only be the very first.');
    const content = textOf(message);
    if (message.prefix === true) prefix = content;
    else messages.push({ role, content });
  });
  return { messages, prefix };
}

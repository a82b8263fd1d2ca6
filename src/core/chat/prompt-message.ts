/** Owns the shape of the linear messages that a prompt is rendered from. */

export interface ToolCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string>>;
}

/** One message of the linear path from the root to the leaf that is to be answered. */
export type PromptMessage =
  | { readonly role: 'system'; readonly content: string }
  | { readonly role: 'user'; readonly content: string }
  | {
      readonly role: 'assistant';
      readonly content: string;
      readonly toolCalls?: readonly ToolCall[];
      /** Of a turn of the reply that goes on: templates show it until the next question. */
      readonly thought?: string;
    }
  | { readonly role: 'tool'; readonly content: string };

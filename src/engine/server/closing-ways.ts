/**
 * Owns the ways in which a reply goes on from what was begun: a thought that was closed here, or one that is open. Writes
 * the question for each way; owns no order of them and no stream.
 */
import type { PromptMessage } from '../../core/chat/prompt-message';
import type { ClosingWay } from '../../core/server/server-kind';
import type { ServerModel, ServerTarget } from '../../core/server/server-target';
import { THINK_TAGS } from '../../core/server/tag-splitter';
import { TOOL_SCHEMAS, type ToolName } from '../../core/tools/run-tool';
import {
  chatBody,
  chatMessages,
  promptBody,
  templateVariables,
  type AskSettings,
} from './request-body';
import type { Refused, ServerHttp } from './server-http';

/** What a reply has so far. */
export interface Begun {
  readonly messages: readonly PromptMessage[];
  readonly tools: readonly ToolName[];
  readonly thought: string;
  /** False: the thought goes on. */
  readonly isClosed: boolean;
  readonly answer: string;
}

export interface Question {
  readonly path: '/v1/chat/completions' | '/v1/completions';
  readonly body: Record<string, unknown>;
}

/** Statuses by which a server says that it has no such way; others are its trouble. */
const NO_SUCH_WAY: ReadonlySet<number> = new Set([400, 404, 405, 415, 422, 501]);

export function hasNoSuchWay({ status }: Refused): boolean {
  return NO_SUCH_WAY.has(status);
}

/** The blank between the closed thought and the answer, as the model's template writes it; most leave an empty line. */
function closeTextOf(template: string): string {
  const { close } = THINK_TAGS;
  const isShort = template.includes(`${close}\\n`) && !template.includes(`${close}\\n\\n`);
  return isShort ? `\n${close}\n` : `\n${close}\n\n`;
}

/** The thought with its tags, open or closed, and what was answered. */
function writeBegun({ thought, isClosed, answer }: Begun, template: string): string {
  if (!isClosed) return thought;
  const close = closeTextOf(template);
  return thought + (thought === '' || thought.endsWith('\n') ? close.slice(1) : close) + answer;
}

/** A prompt that ends where the thought begins; the template of a model that opens no thought is helped. */
function opened(prompt: string): string {
  const { open } = THINK_TAGS;
  // A template with thinking on ends in the open tag; one that closed it at once, for want of thinking, is undone.
  const bare = prompt.replace(/<think>\s*<\/think>\s*$/, '');
  return bare.trimEnd().endsWith(open) ? bare : `${bare}${open}\n`;
}

export class ClosingWays {
  readonly #http: ServerHttp;
  readonly #model: ServerModel;

  constructor(http: ServerHttp, model: ServerModel) {
    this.#http = http;
    this.#model = model;
  }

  /** The question that goes on in this way; null where the server does not offer it. */
  async question(
    way: ClosingWay,
    begun: Begun,
    settings: AskSettings,
    signal: AbortSignal,
  ): Promise<Question | null> {
    const { template } = this.#model;
    if (way === 'template' || way === 'tokenize' || way === 'published') {
      const prompt = await this.#prompt(way, begun, settings.target, signal);
      if (prompt === null) return null;
      return {
        path: '/v1/completions',
        body: promptBody(settings, opened(prompt) + writeBegun(begun, template)),
      };
    }
    const messages = chatMessages(begun.messages, 'wire');
    if (way === 'prefill') {
      const content = `${THINK_TAGS.open}\n${writeBegun(begun, template)}`;
      return chat(settings, begun, [...messages, { role: 'assistant', content }], true);
    }
    // Asked again the model would write the answer's beginning once more, and a thought it has not read cannot go on.
    if (begun.answer !== '' || !begun.isClosed) return null;
    return chat(settings, begun, messages, false);
  }

  /** True where the prompt of a thinking model opens the thought. llama.cpp takes such thoughts apart by itself. */
  async opensThought(target: ServerTarget, signal: AbortSignal): Promise<boolean> {
    const way = this.#model.facts.ways.find((one) => one === 'tokenize' || one === 'published');
    if (way !== 'tokenize' && way !== 'published') return false;
    const hello = { messages: [{ role: 'user', content: 'Hello' }], tools: [] } as const;
    const prompt = await this.#prompt(way, hello, target, signal);
    return prompt?.trimEnd().endsWith(THINK_TAGS.open) === true;
  }

  /** The conversation as the model reads it, up to the place where its thought begins. */
  async #prompt(
    way: 'template' | 'tokenize' | 'published',
    { messages, tools }: Pick<Begun, 'messages' | 'tools'>,
    target: ServerTarget,
    signal: AbortSignal,
  ): Promise<string | null> {
    const schemas = tools.map((name) => TOOL_SCHEMAS[name]);
    const asked = {
      model: target.model,
      messages: chatMessages(messages, 'wire'),
      ...(schemas.length > 0 ? { tools: schemas } : {}),
      chat_template_kwargs: templateVariables(true),
    };
    switch (way) {
      case 'template': {
        const { prompt } = await this.#json('/apply-template', asked, signal);
        return typeof prompt === 'string' ? prompt : null;
      }
      case 'tokenize': {
        const { tokens } = await this.#json(
          '/tokenize',
          { ...asked, add_generation_prompt: true },
          signal,
        );
        if (!Array.isArray(tokens)) return null;
        const { prompt } = await this.#json('/detokenize', { model: target.model, tokens }, signal);
        return typeof prompt === 'string' ? prompt : null;
      }
      case 'published': {
        const { Template } = await import('@huggingface/jinja');
        return new Template(this.#model.template).render({
          messages: chatMessages(messages, 'template'),
          tools: schemas.length > 0 ? schemas : null,
          add_generation_prompt: true,
          bos_token: '',
          eos_token: '',
          ...templateVariables(true),
        });
      }
    }
  }

  async #json(
    path: string,
    body: object,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.#http.post(path, body, signal);
    if (!(answer instanceof Response)) {
      if (hasNoSuchWay(answer)) return {};
      throw this.#http.problem(answer);
    }
    const value: unknown = await answer.json().catch(() => null);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  }
}

function chat(
  settings: AskSettings,
  { tools }: Begun,
  messages: readonly Record<string, unknown>[],
  isPrefilled: boolean,
): Question {
  return {
    path: '/v1/chat/completions',
    body: chatBody(settings, { messages, tools, thinks: false, budget: null, isPrefilled }),
  };
}

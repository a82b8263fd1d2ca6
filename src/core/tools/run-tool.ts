/**
 * Owns the tools the model was taught, by name: descriptions for the template and their execution.
 */
import type { ToolCall } from '../chat/prompt-message';
import { calculate } from './calculator';
import { formatClock } from './clock';
import { CalculationError } from './fraction';

export type ToolName = 'calculator' | 'clock';

/** A tool as the chat template takes it (the JSON form of OpenAI's function tools). */
export interface ToolSchema {
  readonly type: 'function';
  readonly function: {
    readonly name: ToolName;
    readonly description: string;
    readonly parameters: {
      readonly type: 'object';
      readonly properties: Readonly<Record<string, { readonly type: 'string' }>>;
      readonly required?: readonly string[];
    };
  };
}

/** Word for word what training had (TOOLS in model/tidepool_model/data/chat_format.py). */
export const TOOL_SCHEMAS: Readonly<Record<ToolName, ToolSchema>> = {
  calculator: {
    type: 'function',
    function: {
      name: 'calculator',
      description: 'works out an expression',
      parameters: {
        type: 'object',
        properties: { expression: { type: 'string' } },
        required: ['expression'],
      },
    },
  },
  clock: {
    type: 'function',
    function: {
      name: 'clock',
      description: 'gives the date and the time',
      parameters: { type: 'object', properties: {} },
    },
  },
};

export interface ToolResult {
  /** What the model reads; an error begins with "Error:". */
  readonly content: string;
  readonly isError: boolean;
}

function failure(reason: string): ToolResult {
  return { content: `Error: ${reason}`, isError: true };
}

/**
 * Runs one call with the tools that are offered; never throws on what a model wrote. `now` is the
 * clock's time.
 */
export function runTool(call: ToolCall, offered: readonly ToolName[], now: Date): ToolResult {
  const name = offered.find((tool) => tool === call.name);
  switch (name) {
    case undefined:
      return failure(
        `there is no tool "${call.name}"; the tools are ${offered.join(', ') || 'none'}`,
      );
    case 'clock':
      return { content: formatClock(now), isError: false };
    case 'calculator': {
      const { expression } = call.arguments;
      if (expression === undefined)
        return failure('the calculator needs the parameter "expression"');
      try {
        return { content: calculate(expression), isError: false };
      } catch (error) {
        if (error instanceof CalculationError) return failure(error.message);
        throw error;
      }
    }
    default:
      return name satisfies never;
  }
}

/** Owns the running of a reply's tool calls and the bound on their number. Owns no reading of results. */
import { runTool, type ToolName } from '../../src/core/tools/run-tool';
import type { EngineEvent, ToolCall } from '../../src/protocol/engine-api';

/** Tool calls of one reply; a model that asks for more is going round in circles. */
const MAX_TOOL_CALLS = 6;

export interface ToolHost {
  emit(event: EngineEvent): void;
  /** Local date and time for the clock tool. */
  now(): Date;
}

export class ToolRunner {
  readonly #offered: readonly ToolName[];
  readonly #host: ToolHost;
  #calls = 0;

  constructor(offered: readonly ToolName[], host: ToolHost) {
    this.#offered = offered;
    this.#host = host;
  }

  /** Calls so far. */
  get calls(): number {
    return this.#calls;
  }

  /**
   * Results of a turn's calls in order, null standing for a call that could not be read; null when the model has been told
   * that there are no more, and calls on: then its last word stands.
   */
  run(calls: readonly (ToolCall | null)[]): readonly string[] | null {
    const results = calls.map((call) => this.#run(call));
    if (this.#calls <= MAX_TOOL_CALLS + 1) return results;
    this.#host.emit({
      type: 'notice',
      text: `The model asked for more than ${MAX_TOOL_CALLS} tool calls in one reply, so the reply ends here.`,
    });
    return null;
  }

  #run(call: ToolCall | null): string {
    this.#calls += 1;
    const result =
      call === null
        ? { content: 'Error: the tool call could not be read', isError: true }
        : this.#calls > MAX_TOOL_CALLS
          ? {
              content: `Error: more than ${MAX_TOOL_CALLS} tool calls; answer now`,
              isError: true,
            }
          : runTool(call, this.#offered, this.#host.now());
    this.#host.emit({ type: 'tool-result', name: call?.name ?? 'unknown', ...result });
    return result.content;
  }
}

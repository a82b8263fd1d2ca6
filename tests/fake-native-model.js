/**
 * The browser's own model as a browser without one has it in tests: thinks inline without end, unless its answer is begun
 * with a closed thought; then it answers. Text of a function, so that a page can be given it before it loads.
 * @param {{ availability?: string, window?: number, failure?: string }} [options]
 */
export function fakeNativeModel(options = {}) {
  /** @type {{ initial: unknown[], input: unknown[], schema: unknown }[]} */
  const asked = [];
  const state = {
    asked,
    created: 0,
    destroyed: 0,
    availability: options.availability ?? 'downloadable',
  };
  const pause = () => new Promise((resolve) => globalThis.setTimeout(resolve, 1));
  return {
    state,
    availability: async () => state.availability,
    /** @param {{ initialPrompts?: unknown[], signal?: AbortSignal, monitor?: (monitor: EventTarget) => void }} [given] */
    create: async (given = {}) => {
      given.signal?.throwIfAborted();
      if (options.failure !== undefined && given.initialPrompts !== undefined)
        throw new DOMException('the model is tired', options.failure);
      state.created += 1;
      const monitor = new EventTarget();
      given.monitor?.(monitor);
      for (const loaded of [0, 0.4, 1])
        monitor.dispatchEvent(Object.assign(new Event('downloadprogress'), { loaded, total: 1 }));
      state.availability = 'available';
      const session = {
        contextWindow: options.window ?? 4096,
        contextUsage: 10,
        /** @param {{ content: string }[]} input */
        measureContextUsage: async (input) =>
          input.reduce((sum, { content }) => sum + content.split(' ').length, 0),
        /**
         * @param {{ role: string, content: string, prefix?: boolean }[]} input
         * @param {{ signal?: AbortSignal, responseConstraint?: unknown }} [asking]
         */
        promptStreaming: (input, asking = {}) => {
          asked.push({
            initial: given.initialPrompts ?? [],
            input,
            schema: asking.responseConstraint,
          });
          const begun = input.at(-1);
          const isClosed = begun?.prefix === true && begun.content.includes('</think>');
          const isPlain = input.some(({ content }) => content.includes('plainly'));
          const answer = ['The ', 'answer ', 'is ', '42.'];
          let step = 0;
          return new ReadableStream({
            async pull(controller) {
              await pause();
              if (asking.signal?.aborted === true) return controller.error(asking.signal.reason);
              session.contextUsage += 1;
              if (isClosed || isPlain) {
                const piece = answer[step];
                if (piece === undefined) controller.close();
                else controller.enqueue(piece);
              } else
                controller.enqueue(step === 0 ? '<think>\n' : step % 8 === 0 ? 'so. ' : 'step ');
              step += 1;
            },
          });
        },
        destroy: () => {
          state.destroyed += 1;
        },
      };
      return session;
    },
  };
}

/** The named scripts of the fake engine: what it thinks, says and how it fails. Data only; owns no timing. */
import type { ToolCall } from '../core/chat/prompt-message';

export type FakeScenario =
  | 'streams'
  | 'thinks'
  | 'cut'
  | 'load-error'
  | 'dies'
  | 'slow-prefill'
  | 'tools'
  | 'rounds'
  | 'no-threads'
  | 'slow-load';

export interface FakeScript {
  readonly thought: string;
  readonly answer: string;
  /** Tool steps taken between thought and answer, each with what is said before it and thought after it. */
  readonly tools: readonly {
    readonly before?: string;
    readonly after?: string;
    readonly call: ToolCall;
    readonly result: string;
    readonly isError: boolean;
  }[];
  /** The first load fails. */
  readonly failsFirstLoad?: boolean;
  /** The worker dies after this many tokens of the first reply. */
  readonly diesAfterTokens?: number;
  /** Milliseconds for each chunk of 16 prompt tokens, above the normal pace. */
  readonly prefillMs?: number;
  readonly loadMs?: number;
  readonly hasThreads?: boolean;
}

const SUM_THOUGHT = `23 + 58
units: 3 + 8 = 11, write 1, carry 1
tens: 2 + 5 + 1 = 8
so 81
check: 81 - 58 = 23, yes`;

const SUM: FakeScript = { thought: SUM_THOUGHT, answer: '23 + 58 = **81**', tools: [] };

const MARKDOWN_ANSWER = `A hybrid keeps two memories.

| Memory | Grows? | Good at |
| --- | --- | --- |
| Mamba state | no, it is a pool | the gist |
| KV cache | yes, it is a tide | exact recall |

The update of one head, written in code:

\`\`\`python
def step(state, decay, x, b):
    # state: (head_dim, state_size)
    return decay * state + outer(x, b)
\`\`\`

- The pool is **rewritten** with each token.
- The tide only *adds* to itself.`;

const RAMBLING_THOUGHT = Array.from(
  { length: 90 },
  (_, at) => `Step ${at + 1}: carry the ${(at * 7) % 10} and look at the next column once more`,
).join(',\n');

const STORY = `A fox found a red kite in the reeds. The string was wet, so it would not fly. The fox ran along the sand until the wind took it, and the kite went up like a small sun.

“Come back!” said the fox. The kite only pulled harder. So the fox held on, and learned to run a little lighter.`;

export const FAKE_SCRIPTS: Readonly<Record<FakeScenario, FakeScript>> = {
  streams: {
    thought: 'A table and a bit of code will say it best.',
    answer: MARKDOWN_ANSWER,
    tools: [],
  },
  thinks: SUM,
  cut: { ...SUM, thought: RAMBLING_THOUGHT },
  'load-error': { ...SUM, failsFirstLoad: true },
  dies: { ...SUM, answer: STORY, diesAfterTokens: 45 },
  'slow-prefill': { ...SUM, prefillMs: 400 },
  tools: {
    thought:
      'That is too large to do in the head. I will use the calculator, then look at the clock.',
    answer: '417 × 96 is **40032**, and it is a quarter past nine.',
    tools: [
      {
        call: { name: 'calculator', arguments: { expression: '417 * 96' } },
        result: '40032',
        isError: false,
      },
      { call: { name: 'clock', arguments: {} }, result: '09:15', isError: false },
    ],
  },
  rounds: {
    thought: 'That is too large to do in the head.',
    answer: '417 × 96 is **40032**, and half of it is **20016**.',
    tools: [
      {
        before: 'First the product.',
        call: { name: 'calculator', arguments: { expression: '417 * 96' } },
        result: '40032',
        isError: false,
        after: 'Now half of that, which the calculator knows as well.',
      },
      {
        before: 'Then its half.',
        call: { name: 'calculator', arguments: { expression: '40032 / 2' } },
        result: '20016',
        isError: false,
      },
    ],
  },
  'no-threads': { ...SUM, hasThreads: false },
  'slow-load': { ...SUM, loadMs: 30_000 },
};

export function isFakeScenario(name: string): name is FakeScenario {
  return Object.hasOwn(FAKE_SCRIPTS, name);
}

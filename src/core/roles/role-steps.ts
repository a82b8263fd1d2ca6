/**
 * Owns the order of drafting, checking and mending, what each role reads, and which result is the answer. The wording is
 * that of training (model/tidepool_model/posttraining/roles.py). Pure; asks no model.
 */
import type { PromptMessage } from '../chat/prompt-message';
import type { RolePart } from '../chat/reply';
import { chancesOf, heaviest, votedKey } from '../chat/weigh-answers';
import type { RolePrompts } from './role-prompts';

/** How many drafts are written, and how many feedbacks on each: 1 to 4. */
export interface RolePlan {
  readonly drafts: number;
  readonly feedbacks: number;
}

export const MOST_DRAFTS = 4;
export const MOST_FEEDBACKS = 4;

/** What feedback says of a draft that stands, word for word. */
const NOTHING_WRONG = 'Nothing is wrong.';

export type NextStep = Pick<RolePart, 'role' | 'draft' | 'feedback'>;

function find(steps: readonly RolePart[], wanted: NextStep): RolePart | undefined {
  return steps.find(
    ({ role, draft, feedback, isDone }) =>
      isDone && role === wanted.role && draft === wanted.draft && feedback === wanted.feedback,
  );
}

/** Place of what is said most often; the first of those that are said as often. */
function mostFrequent(keys: readonly string[]): number {
  return heaviest(
    keys,
    keys.map(() => 1),
  );
}

/** What most feedbacks on a draft say: told to its editor. Null: that nothing is wrong, or there is none. */
export function feedbackOn(steps: readonly RolePart[], draft: number): string | null {
  const said = steps
    .filter((step) => step.role === 'feedback' && step.draft === draft && step.isDone)
    .map(({ text }) => text.trim());
  const text = said[mostFrequent(said)] ?? NOTHING_WRONG;
  return text === NOTHING_WRONG || text === '' ? null : text;
}

/** The step that comes after those that are done; null: none, the answer can be chosen. */
export function nextStep(steps: readonly RolePart[], plan: RolePlan): NextStep | null {
  for (let draft = 1; draft <= plan.drafts; draft += 1) {
    const wanted: NextStep[] = [{ role: 'draft', draft, feedback: 0 }];
    for (let feedback = 1; feedback <= plan.feedbacks; feedback += 1)
      wanted.push({ role: 'feedback', draft, feedback });
    const missing = wanted.find((step) => find(steps, step) === undefined);
    if (missing !== undefined) return missing;
    const edit: NextStep = { role: 'edit', draft, feedback: 0 };
    if (feedbackOn(steps, draft) !== null && find(steps, edit) === undefined) return edit;
  }
  return null;
}

/** A draft as the other roles are shown it: its thought as numbered steps, so that feedback can say where. */
export function shownDraft({ thought, text }: Pick<RolePart, 'thought' | 'text'>): string {
  const lines = thought
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line, at) => `Step ${at + 1}: ${line}`);
  return [...lines, `Answer: ${text.trim()}`.trim()].join('\n');
}

/** What a role reads of the question and of the steps so far. */
export function roleMessages(
  step: NextStep,
  question: string,
  steps: readonly RolePart[],
  prompts: RolePrompts,
): PromptMessage[] {
  const draft = find(steps, { role: 'draft', draft: step.draft, feedback: 0 });
  const feedback = step.role === 'edit' ? feedbackOn(steps, step.draft) : null;
  const parts = [question];
  if (step.role !== 'draft' && draft !== undefined) parts.push(`Draft:\n${shownDraft(draft)}`);
  if (feedback !== null) parts.push(`Feedback:\n${feedback}`);
  return [
    { role: 'system', content: prompts[step.role] },
    { role: 'user', content: parts.join('\n\n') },
  ];
}

/** What became of each draft, in order: its edit, or itself where nothing was found wrong or no edit was made. */
function results(steps: readonly RolePart[]): readonly RolePart[] {
  return steps
    .filter(({ role, isDone }) => role === 'draft' && isDone)
    .map((draft) => find(steps, { role: 'edit', draft: draft.draft, feedback: 0 }) ?? draft);
}

export interface Choice {
  readonly text: string;
  /** A sentence on how it was chosen. */
  readonly how: string;
}

/**
 * What each result weighs in the vote: one, or where all were scored the chance that it is the best of them by
 * Bradley-Terry, so that agreement and reward both count.
 */
function weightsOf(said: readonly RolePart[]): { readonly weights: number[]; isScored: boolean } {
  const rewards = said.flatMap(({ reward }) => (reward === undefined ? [] : [reward]));
  if (rewards.length < said.length) return { weights: said.map(() => 1), isScored: false };
  return { weights: chancesOf(rewards), isScored: true };
}

/** The answer that comes of all steps: of several results the heaviest, and of those that say it the first. Null: there is none yet. */
export function chooseResult(steps: readonly RolePart[]): Choice | null {
  const all = results(steps);
  const said = all.filter(({ text }) => text.trim() !== '');
  const [first] = said;
  if (first === undefined) return null;
  if (all.length === 1)
    return { text: first.text, how: HOW[first.role === 'edit' ? 'edit' : 'draft'] };
  const keys = said.map(({ text }) => votedKey(text));
  const { weights, isScored } = weightsOf(said);
  const at = heaviest(keys, weights);
  const agreeing = keys.filter((key) => key === keys[at]).length;
  const voted = agreeing === 1 ? HOW.apart : HOW.most;
  const how = agreeing === all.length ? HOW.all : isScored ? HOW.scored : voted;
  return { text: said[at]?.text ?? first.text, how };
}

const HOW = {
  edit: 'The draft as it was mended.',
  draft: 'The draft stands: its feedback found nothing wrong.',
  all: 'All drafts came to the same answer.',
  most: 'The answer that most drafts came to.',
  scored: 'The answer with the greatest weight: how many drafts came to it, and their rewards.',
  apart: 'Each draft came to another answer; this is the first one’s.',
} as const satisfies Record<string, string>;

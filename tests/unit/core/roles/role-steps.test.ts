// Which step comes next, what each role reads, and which result is the answer.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Role, RolePart } from '../../../../src/core/chat/reply';
import {
  chooseResult,
  feedbackOn,
  nextStep,
  roleMessages,
  shownDraft,
} from '../../../../src/core/roles/role-steps';
import { votedKey } from '../../../../src/core/chat/weigh-answers';

const PROMPTS = { draft: 'You write.', feedback: 'You check.', edit: 'You mend.' };

function step(role: Role, draft: number, text: string, feedback = 0, thought = ''): RolePart {
  return { kind: 'role', role, draft, feedback, thought, text, tokens: 3, isDone: true };
}

describe('the choice', () => {
  const scored = (draft: number, text: string, reward: number): RolePart => ({
    ...step('draft', draft, text),
    reward,
  });

  test('rewards weigh the vote where every result has one', () => {
    const apart = [scored(1, '1', 0), scored(2, '2', 1.5), scored(3, '3', 1)];
    expect(chooseResult(apart)).toEqual({
      text: '2',
      how: 'The answer with the greatest weight: how many drafts came to it, and their rewards.',
    });
    // Two that agree outweigh one with a slightly higher reward, not one with a far higher one.
    expect(chooseResult([scored(1, '1', 0.2), scored(2, '2', 0), scored(3, '2', 0)])?.text).toBe(
      '2',
    );
    expect(chooseResult([scored(1, '1', 3), scored(2, '2', 0), scored(3, '2', 0)])?.text).toBe('1');
  });

  test('one result without a reward, and the votes are counted alone', () => {
    const steps = [scored(1, '1', 9), step('draft', 2, '2'), step('draft', 3, '2')];
    expect(chooseResult(steps)).toEqual({ text: '2', how: 'The answer that most drafts came to.' });
  });
});

describe('the order', () => {
  test('a draft, its feedback, and an edit only where something is wrong', () => {
    const plan = { drafts: 1, feedbacks: 1 };
    const draft = step('draft', 1, '2 + 2 = 5.');
    expect(nextStep([], plan)).toEqual({ role: 'draft', draft: 1, feedback: 0 });
    expect(nextStep([draft], plan)).toEqual({ role: 'feedback', draft: 1, feedback: 1 });
    expect(nextStep([draft, step('feedback', 1, 'Nothing is wrong.', 1)], plan)).toBeNull();
    const wrong = step('feedback', 1, 'The answer is wrong.', 1);
    expect(nextStep([draft, wrong], plan)).toEqual({ role: 'edit', draft: 1, feedback: 0 });
    expect(nextStep([draft, wrong, step('edit', 1, '2 + 2 = 4.')], plan)).toBeNull();
  });

  test('a step that was cut off is written again', () => {
    const cut = { ...step('draft', 1, '2 +'), isDone: false };
    expect(nextStep([cut], { drafts: 1, feedbacks: 1 })).toEqual({
      role: 'draft',
      draft: 1,
      feedback: 0,
    });
  });

  test('any plan ends, with a result of each draft', () => {
    const says = fc.constantFrom('Nothing is wrong.', 'Step 1 is wrong.', '');
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(says, { minLength: 16, maxLength: 16 }),
        (drafts, feedbacks, said) => {
          const steps: RolePart[] = [];
          for (let next = nextStep(steps, { drafts, feedbacks }); next !== null;) {
            const text =
              next.role === 'feedback' ? (said[steps.length % 16] ?? '') : `${next.draft}`;
            steps.push({ ...step('draft', 1, text), ...next });
            next = nextStep(steps, { drafts, feedbacks });
            if (steps.length > drafts * (feedbacks + 2)) throw new Error('it does not end');
          }
          expect(steps.filter(({ role }) => role === 'feedback')).toHaveLength(drafts * feedbacks);
          expect(chooseResult(steps)?.text).toBe('1');
        },
      ),
    );
  });

  test('what most feedbacks say counts', () => {
    const wrong = 'Step 2 has a wrong number. It should be: 3 + 4 = 7.';
    const steps = ['Nothing is wrong.', wrong, wrong].map((text, at) =>
      step('feedback', 1, text, at + 1),
    );
    expect(feedbackOn(steps, 1)).toBe(wrong);
    expect(feedbackOn(steps.slice(0, 2), 1)).toBeNull();
    expect(feedbackOn(steps, 2)).toBeNull();
  });
});

describe('what a role reads', () => {
  const draft = step('draft', 1, '3 + 4 = 8.', 0, '3 + 4 = 8.\n\nSo 8.\n');

  test('a draft stands with its thought as numbered steps', () => {
    expect(shownDraft(draft)).toBe('Step 1: 3 + 4 = 8.\nStep 2: So 8.\nAnswer: 3 + 4 = 8.');
    expect(shownDraft({ thought: '', text: '' })).toBe('Answer:');
  });

  test('the editor reads question, draft and feedback under its own system prompt', () => {
    const steps = [draft, step('feedback', 1, 'Step 1 is wrong.', 1)];
    const edit = { role: 'edit', draft: 1, feedback: 0 } as const;
    expect(roleMessages(edit, '3 + 4?', steps, PROMPTS)).toEqual([
      { role: 'system', content: 'You mend.' },
      {
        role: 'user',
        content:
          '3 + 4?\n\nDraft:\nStep 1: 3 + 4 = 8.\nStep 2: So 8.\nAnswer: 3 + 4 = 8.\n\nFeedback:\nStep 1 is wrong.',
      },
    ]);
  });
});

describe('the choice', () => {
  test('the answer that most results agree in, whatever their words', () => {
    const steps = [
      step('draft', 1, 'It is 7.'),
      step('draft', 2, '3 + 4 makes 8.'),
      step('edit', 2, 'That is 8.'),
      step('draft', 3, 'The sum is 8.'),
    ];
    expect(votedKey('That is 8.')).toBe(votedKey('The sum is 8.'));
    expect(chooseResult(steps)).toEqual({
      text: 'That is 8.',
      how: 'The answer that most drafts came to.',
    });
    expect(chooseResult(steps.slice(0, 1))?.how).toContain('The draft stands');
    expect(chooseResult([])).toBeNull();
    expect(chooseResult([step('draft', 1, ' ')])).toBeNull();
  });
});

/** Owns the one question a judge is asked for each criterion, and how its answer is read. Asks nobody. */
import type { JudgeAnswer } from './rubric';

/**
 * ProfBench's prompt, word for word (utils.py, QUESTION_PROMPT_YES_NO): the task's own prompt is not in it, so a criterion
 * must say all that is needed. The reply stands first, and is read once for all of its criteria.
 */
export function judgeQuestion(reply: string, criterion: string): string {
  return `Response:\n\n${reply}\n\nEvaluate whether the response above satisfies this criterion: ${criterion}. Only answer Yes or No.`;
}

/** What a judge that is held to the two words answers with: a JSON string of one of them. */
export const FORCED_ANSWER = { enum: ['Yes', 'No'] } as const;

const LEAD_IN = /^(?:(?:the\s+|my\s+|final\s+)*(?:answer|verdict)\b(?:\s+is\b)?\W*)/i;
const FIRST = /^(yes|no)\b/i;
/** "Yes and no", "Yes or No": the words of the question given back. */
const BOTH = /^(?:yes\W+(?:(?:and|or)\W+)?no|no\W+(?:(?:and|or)\W+)?yes)\b/i;

/**
 * Reads "yes" or "no" where an answer begins with it, whatever its case, quotes or stars; after "The answer is" too.
 * Anything else is neither: ProfBench reads only a leading "Yes", and a small judge writes all manner of things.
 */
export function readAnswer(text: string): JudgeAnswer {
  const bare = text
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .replace(LEAD_IN, '')
    .replace(/^[^\p{L}\p{N}]+/u, '');
  if (BOTH.test(bare)) return 'neither';
  const [, word] = FIRST.exec(bare) ?? [];
  if (word === undefined) return 'neither';
  return word.toLowerCase() === 'yes' ? 'yes' : 'no';
}

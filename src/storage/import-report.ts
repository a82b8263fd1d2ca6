/** What became of an import, added up over files and in words. Pure. */
import { said, t } from '../core/language/translate';
import type { StoredConversation } from './stored-conversation';

export interface ImportReport {
  /** Conversations that are new here, newest first as in the file. */
  readonly added: readonly StoredConversation[];
  /** Conversations that were here already, word for word. */
  readonly unchanged: number;
  /** A sentence for each conversation that could not be read; the others are added all the same. */
  readonly problems: readonly string[];
}

/** More would cover the page, and say little that the first do not. */
const SAID_PROBLEMS = 5;

/** The first of the problems as one text, and how many more there are. */
export function problemsInWords(problems: readonly string[]): string {
  const more = problems.length - SAID_PROBLEMS;
  return [
    ...problems.slice(0, SAID_PROBLEMS).map(said),
    ...(more > 0 ? [t('There are {more} more of such problems.', { more })] : []),
  ].join(' ');
}

/** Adds up the reports of several files. */
export function joinReports(reports: readonly ImportReport[]): ImportReport {
  return {
    added: reports.flatMap(({ added }) => added),
    unchanged: reports.reduce((sum, { unchanged }) => sum + unchanged, 0),
    problems: reports.flatMap(({ problems }) => problems),
  };
}

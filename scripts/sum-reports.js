// Prints the sum of the reports given as `kind=path`, and ends badly when anything failed; `.ci/run` ends with it.
// `broken=N` adds N failures of steps that are not tests (an install, a check, a server that did not start).
import {
  addCounts,
  countPlaywright,
  countPytest,
  countVitest,
  readReport,
} from './count-results.js';

/** @type {Record<string, [string, (text: string) => import('./count-results.js').Count]>} */
const kinds = {
  vitest: ['Unit tests', countVitest],
  playwright: ['Browser tests', countPlaywright],
  pytest: ['Python tests', countPytest],
};

const counts = process.argv.slice(2).map((argument) => {
  const [kind = '', value = ''] = argument.split('=', 2);
  if (kind === 'broken') return { passed: 0, failed: Number(value), skipped: 0 };
  const known = kinds[kind];
  if (known === undefined) {
    throw new Error(
      `"${argument}" is not broken=N or one of ${Object.keys(kinds).join(', ')}=PATH.`,
    );
  }
  return readReport(known[0], value, known[1], (line) => console.log(line));
});
const total = addCounts(counts);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

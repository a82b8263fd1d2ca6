// Adds up the reports of Vitest, Playwright and pytest; runs no tests itself.
import { existsSync, readFileSync } from 'node:fs';

/**
 * @typedef {object} Count
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} [named] A line for each test that failed, or passed only when tried again.
 */

/** @typedef {{ status: string, fullName?: string, failureMessages?: string[] }} VitestTest */

/** @typedef {{ status: string, name?: string, message?: string, assertionResults: VitestTest[] }} VitestFile */

/**
 * @typedef {object} VitestReport The part of Vitest's JSON report that is counted.
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {VitestFile[]} testResults One entry a test file.
 */

/**
 * @typedef {object} PlaywrightReport The part of Playwright's JSON report that is counted.
 * @property {{ expected: number, unexpected: number, flaky: number, skipped: number }} stats
 * @property {{ message?: string }[]} errors Failures outside tests.
 * @property {PlaywrightSuite[]} [suites]
 */

/** @typedef {{ errors: { message?: string }[] }} PlaywrightResult One try. */

/** @typedef {{ status: string, projectName: string, results: PlaywrightResult[] }} PlaywrightTest */

/** @typedef {{ title: string, file: string, line: number, tests: PlaywrightTest[] }} PlaywrightSpec */

/** @typedef {{ specs?: PlaywrightSpec[], suites?: PlaywrightSuite[] }} PlaywrightSuite */

/**
 * One line of what a test said, without the terminal's colours.
 * @param {string | undefined} message
 */
function firstLine(message) {
  // eslint-disable-next-line no-control-regex -- the colours of a terminal begin with Escape
  const plain = (message ?? '').replaceAll(/\u001b\[[\d;]*m/g, '');
  return plain.split('\n').find((line) => line.trim() !== '') ?? 'no reason given';
}

/**
 * Counts a Vitest JSON report. A file that could not even be loaded counts as one failure.
 * @param {string} text
 * @returns {Count}
 */
export function countVitest(text) {
  /** @type {VitestReport} */
  const report = JSON.parse(text);
  /** @type {string[]} */
  const named = [];
  let unloadable = 0;
  for (const file of report.testResults) {
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    if (file.status === 'failed' && failed.length === 0) {
      unloadable += 1;
      named.push(`failed to load: ${file.name ?? 'a file'}: ${firstLine(file.message)}`);
    }
    for (const test of failed)
      named.push(`failed: ${test.fullName ?? 'a test'}: ${firstLine(test.failureMessages?.[0])}`);
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable,
    skipped: report.numPendingTests + report.numTodoTests,
    named,
  };
}

/**
 * @param {PlaywrightSuite[]} suites
 * @returns {PlaywrightSpec[]}
 */
function specsOf(suites) {
  return suites.flatMap(({ specs = [], suites: inner = [] }) => [...specs, ...specsOf(inner)]);
}

/**
 * Counts a Playwright JSON report. A test that passed when tried again (CI tries twice) counts as passed and is named;
 * errors outside tests (a server that did not start) count one each.
 * @param {string} text
 * @returns {Count}
 */
export function countPlaywright(text) {
  /** @type {PlaywrightReport} */
  const { stats, errors, suites = [] } = JSON.parse(text);
  const named = errors.map(({ message }) => `failed outside tests: ${firstLine(message)}`);
  for (const { title, file, line, tests } of specsOf(suites)) {
    for (const { status, projectName, results } of tests) {
      if (status !== 'unexpected' && status !== 'flaky') continue;
      const reason = firstLine(results.flatMap((result) => result.errors)[0]?.message);
      const outcome = status === 'flaky' ? 'passed only when tried again' : 'failed';
      named.push(`${outcome}: [${projectName}] ${file}:${line} ${title}: ${reason}`);
    }
  }
  return {
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected + errors.length,
    skipped: stats.skipped,
    named,
  };
}

/**
 * Counts a pytest JUnit report.
 * @param {string} text
 * @returns {Count}
 */
export function countPytest(text) {
  const suites = [...text.matchAll(/<testsuite\s[^>]*>/g)].map(([tag]) => tag);
  if (suites.length === 0) throw new Error('the pytest report names no test suite');
  /** @param {string} name */
  const sum = (name) =>
    suites.reduce((total, tag) => {
      const value = new RegExp(`\\s${name}="(\\d+)"`).exec(tag)?.[1];
      if (value === undefined) throw new Error(`the pytest report has no "${name}": ${tag}`);
      return total + Number(value);
    }, 0);
  const failed = sum('failures') + sum('errors');
  return { passed: sum('tests') - failed - sum('skipped'), failed, skipped: sum('skipped') };
}

/**
 * Adds up counts.
 * @param {Count[]} counts
 * @returns {Count}
 */
export function addCounts(counts) {
  return counts.reduce(
    (total, count) => ({
      passed: total.passed + count.passed,
      failed: total.failed + count.failed,
      skipped: total.skipped + count.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

/**
 * Reads one runner's report. No report, an unreadable one, or one without a single test is one failure:
 * a runner that crashed must not look like a runner that had nothing to say.
 * @param {string} name The runner, for the sentence.
 * @param {string} path Its report.
 * @param {(text: string) => Count} count
 * @param {(line: string) => void} say
 * @returns {Count}
 */
export function readReport(name, path, count, say) {
  try {
    if (!existsSync(path)) throw new Error(`it left no report at ${path}`);
    const result = count(readFileSync(path, 'utf8'));
    if (result.passed + result.failed === 0) throw new Error('it ran no tests');
    const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : '';
    say(`${name}: ${result.passed} passed, ${result.failed} failed${skipped}`);
    for (const line of result.named ?? []) say(`  ${line}`);
    return result;
  } catch (error) {
    say(
      `${name}: counted as 1 failed, because ${error instanceof Error ? error.message : String(error)}`,
    );
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

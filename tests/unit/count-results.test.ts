// Checks that the counts at the end of a run are those of the reports, and that a crash is never counted as silence.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addCounts,
  countPlaywright,
  countPytest,
  countVitest,
  readReport,
} from '../../scripts/count-results.js';

const vitestReport = (files: readonly object[]) =>
  JSON.stringify({
    numPassedTests: 3,
    numFailedTests: 1,
    numPendingTests: 1,
    numTodoTests: 0,
    testResults: files,
  });

describe('the counts of one runner', () => {
  it('counts a Vitest file that could not be loaded as one failure, and names what failed', () => {
    const failing = {
      status: 'failed',
      assertionResults: [
        {
          status: 'failed',
          fullName: 'adds up',
          failureMessages: ['\u001b[31mexpected 1\u001b[39m\nat x'],
        },
      ],
    };
    const unloadable = {
      status: 'failed',
      name: 'a.test.ts',
      message: 'no such module',
      assertionResults: [],
    };
    expect(countVitest(vitestReport([failing]))).toEqual({
      passed: 3,
      failed: 1,
      skipped: 1,
      named: ['failed: adds up: expected 1'],
    });
    const both = countVitest(vitestReport([failing, unloadable]));
    expect(both.failed).toBe(2);
    expect(both.named?.[1]).toBe('failed to load: a.test.ts: no such module');
  });

  it('counts errors outside browser tests as failures, and names what passed only when tried again', () => {
    const spec = (title: string, status: string, message?: string) => ({
      title,
      file: 'e2e/a.spec.ts',
      line: 7,
      tests: [
        {
          status,
          projectName: 'wasm',
          results: [{ errors: message === undefined ? [] : [{ message }] }, { errors: [] }],
        },
      ],
    });
    const report = {
      stats: { expected: 4, unexpected: 1, flaky: 1, skipped: 3 },
      errors: [{ message: 'the server did not start' }],
      suites: [
        { specs: [spec('sinks', 'unexpected', '\n')], suites: [] },
        {
          suites: [
            { specs: [spec('floats', 'flaky', 'too slow\nat y'), spec('swims', 'expected')] },
          ],
        },
      ],
    };
    expect(countPlaywright(JSON.stringify(report))).toEqual({
      passed: 5,
      failed: 2,
      skipped: 3,
      named: [
        'failed outside tests: the server did not start',
        'failed: [wasm] e2e/a.spec.ts:7 sinks: no reason given',
        'passed only when tried again: [wasm] e2e/a.spec.ts:7 floats: too slow',
      ],
    });
  });

  it("adds up pytest's suites, errors among the failures", () => {
    const xml =
      '<testsuites><testsuite name="a" errors="1" failures="2" skipped="1" tests="10"></testsuite>' +
      '<testsuite name="b" errors="0" failures="0" skipped="0" tests="5"></testsuite></testsuites>';
    expect(countPytest(xml)).toEqual({ passed: 11, failed: 3, skipped: 1 });
    expect(() => countPytest('<testsuites/>')).toThrow('names no test suite');
  });
});

describe('readReport', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'tidepool-reports-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (content?: string) => {
    const path = join(folder, 'report.json');
    if (content !== undefined) writeFileSync(path, content);
    const said: string[] = [];
    return { count: readReport('Unit tests', path, countVitest, (line) => said.push(line)), said };
  };

  it('counts a missing, a broken and an empty report as one failure each, and says why', () => {
    expect(read().count.failed).toBe(1);
    expect(read('{"numPassed').count.failed).toBe(1);
    const empty = read(
      JSON.stringify({
        numPassedTests: 0,
        numFailedTests: 0,
        numPendingTests: 0,
        numTodoTests: 0,
        testResults: [],
      }),
    );
    expect(empty.count.failed).toBe(1);
    expect(empty.said[0]).toContain('it ran no tests');
  });

  it('passes on the counts of a good report', () => {
    const { count, said } = read(vitestReport([]));
    expect(count).toMatchObject({ passed: 3, failed: 1, skipped: 1 });
    expect(said).toEqual(['Unit tests: 3 passed, 1 failed, 1 skipped']);
  });
});

it('adds counts', () => {
  const one = { passed: 1, failed: 2, skipped: 3 };
  expect(addCounts([one, one])).toEqual({ passed: 2, failed: 4, skipped: 6 });
});

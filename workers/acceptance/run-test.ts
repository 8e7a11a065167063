/** Runs the command of one acceptance test and reads the results that it reports. */
import { resolve } from 'node:path';
import type { Failure } from '../../src/domain/failure.ts';
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { TestResult } from '../../src/domain/outcome.ts';
import { containingOfWork } from '../../src/domain/policy/containing.ts';
import { type AcceptanceCommand, matrixVariables } from '../../src/domain/workstream.ts';
import { removeLog, testLogFile } from '../../src/os/log-file.ts';
import { firstOf } from '../../src/text/cut-text.ts';
import type { Execution } from '../execution.ts';
import { shellCommand } from '../processes/command.ts';
import { contained } from '../processes/contained.ts';
import { OutputFile } from '../processes/output-file.ts';
import { type ProcessEnd, runProcess } from '../processes/process.ts';
import { StopSignal } from '../thread/stop-signal.ts';
import { type FoundTests, readTests } from './read-tests.ts';
import type { ReportedTests, ReportFiles } from './report-files.ts';
import { readTestLog } from './test-log.ts';

/**
 * It passes with exit code 0, unless what it prints or reports says that a test failed, which a pipe or `|| true` may
 * hide. Its output goes to a file of its own.
 * @param position its place among the workstream's tests, from 1.
 */
export async function runTest(
  test: AcceptanceCommand,
  name: string,
  position: number,
  execution: Execution,
): Promise<TestResult> {
  const { workspace, logFile } = execution.assignment;
  const output = new OutputFile(testLogFile(logFile, position), execution.host.redactor);
  // Output of an earlier test of the same name would be mistaken for its own.
  removeLog(output.path);
  const reports = test.report === null ? null : await lookAtReports(test.report, workspace, execution);
  const start = performance.now();
  const end = await endOf(test, output, execution);
  const durationSeconds = (performance.now() - start) / 1000;
  await output.finish(execution.redactionEffort);
  const path = output.close();
  if (output.lost !== null)
    execution.warn(`Some of the output of "${name}" could not be kept: ${output.lost}.`);
  const reported = reports === null ? null : await reports.after();
  for (const warning of reported?.warnings ?? []) execution.warn(`Acceptance test "${name}": ${warning}`);
  const found = reported?.tests ?? (await printedTests(path));
  const whyFailed = describeTestFailure(end, test, found) ?? unreadableReport(reported);
  if (whyFailed === null && found !== null) warnOf(noneRun(name, found), execution);
  return {
    ...NOTHING_KNOWN,
    name,
    status: whyFailed === null ? 'passed' : 'failed',
    durationSeconds,
    detail: whyFailed ?? '',
    logFile: path,
    format: found?.format ?? null,
    counts: found?.counts ?? null,
    cases: found?.cases ?? [],
  };
}

/** Loaded by the few tests that name result files. */
async function lookAtReports(pattern: string, workspace: string, { host }: Execution): Promise<ReportFiles> {
  const { ReportFiles } = await import('./report-files.ts');
  return ReportFiles.before(pattern, workspace, host.redactor);
}

/** How the command ended, or which limit ended it: its own time, or the end of the whole execution. */
async function endOf(
  test: AcceptanceCommand,
  output: OutputFile,
  execution: Execution,
): Promise<ProcessEnd | 'timed-out' | 'stopped'> {
  const { assignment } = execution;
  const { signal } = execution;
  const command = {
    shown: test.text,
    ...shellCommand(test.text, test.shell ?? assignment.shell),
    cwd: resolve(assignment.workspace, test.cwd ?? '.'),
    env: { ...matrixVariables(assignment.workstream.matrix), ...test.env },
  };
  const host = {
    output,
    assignment: { ...assignment, logFile: output.path },
    host: execution.host,
    children: execution.children,
    get stopped() {
      return execution.stopped;
    },
    progress: (fraction: number | null, text: string) => execution.progress(fraction, text),
    environment: () => execution.environment(),
    running: null,
  };
  const limited = timeLimit(test.timeoutSeconds, signal);
  try {
    const { env } = command;
    const end = await contained(containingOfWork(execution.assignment), execution, { env }, (containment) =>
      runProcess({ ...command, containment }, host, limited.signal),
    );
    return 'reason' in end ? { failure: end, exitCode: null, tail: '' } : end;
  } catch (error) {
    if (signal.aborted) return 'stopped';
    if (limited.passed()) return 'timed-out';
    throw error;
  } finally {
    limited.stop();
  }
}

/** Where there are no result files that can be used, what was printed counts. */
async function printedTests(log: string | null): Promise<FoundTests | null> {
  if (log === null) return null;
  const { text, isWhole } = readTestLog(log);
  return readTests(text, isWhole);
}

/** A test whose report can't be read has not passed. */
function unreadableReport(reported: ReportedTests | null): string | null {
  const unreadable = reported?.unreadable ?? null;
  return unreadable === null ? null : `exit code 0, but ${unreadable}`;
}

function warnOf(text: string | null, execution: Execution): void {
  if (text !== null) execution.warn(text);
}

// Says why an acceptance test failed.

/**
 * The rest of a sentence such as "npm test (exit code 1; 2 of 14 tests failed: a, b)"; null where the test passed: by
 * exit code 0, and where nothing of what it says itself has failed.
 */
function describeTestFailure(
  end: ProcessEnd | 'timed-out' | 'stopped',
  test: AcceptanceCommand,
  found: FoundTests | null,
): string | null {
  if (end === 'stopped') return 'it was stopped';
  if (end === 'timed-out') {
    return `it was still running after ${test.timeoutSeconds} s and was ended; raise its timeout_seconds if it needs longer`;
  }
  const { failure } = end;
  if (failure === null) return hidden(found);
  if (failure.reason !== 'exit-non-zero') return said(failure, end.exitCode);
  const cases = found === null ? '' : casesOf(found);
  return `exit code ${failure.exitCode}${cases}`;
}

function hidden(found: FoundTests | null): string | null {
  const names = found === null ? null : failedNames(found);
  return names === null
    ? null
    : `exit code 0, although ${names}; a pipe, a \`;\` or a \`||\` in the command may hide the exit code`;
}

/** The failure's sentence as a part of one. */
function said(failure: Failure, exitCode: number | null): string {
  const sentence = describeFailure(failure)
    .replace(/^There is no command/, 'there is no command')
    .replace(/\.$/, '');
  return exitCode === null ? sentence : `${sentence} (exit code ${exitCode})`;
}

function casesOf(found: FoundTests): string {
  const names = failedNames(found);
  if (names !== null) return `; ${names}`;
  const { counts } = found;
  return counts === null || counts.total === 0 ? '' : `, although none of its ${counts.total} tests failed`;
}

/** Most names in one sentence. */
const NAMES = 3;
const NAME = 100;

/** `2 of 14 tests failed: a, b`; null where none failed. */
function failedNames({ counts, cases }: FoundTests): string | null {
  const names = cases.filter(({ status }) => status === 'failed').map(({ name }) => name);
  const failed = counts?.failed ?? names.length;
  if (failed === 0) return null;
  const of = counts === null ? `${failed}` : `${failed} of ${counts.total}`;
  const shown = names.slice(0, NAMES).map((name) => (name.length > NAME ? `${firstOf(name, NAME)}…` : name));
  const more = shown.length > 0 && failed > shown.length ? ` and ${failed - shown.length} more` : '';
  const list = shown.length === 0 ? '' : `: ${shown.join(', ')}${more}`;
  return `${of} ${counts?.total === 1 || of === '1' ? 'test' : 'tests'} failed${list}`;
}

/** A warning where a test passed although it says itself that it ran none; null where it ran some, or does not say. */
function noneRun(name: string, { counts }: FoundTests): string | null {
  if (counts === null || counts.total > counts.skipped) return null;
  const passed = `Acceptance test "${name}" passed by its exit code 0`;
  return counts.total === 0
    ? `${passed}, but no test was run. Check which tests the command selects.`
    : `${passed}, but no test was run: all ${counts.total} were skipped.`;
}

/** A limit that one test has for itself, within that of its execution. */
interface TimeLimit {
  /** Aborted when the time is up or the execution is stopped. */
  signal: StopSignal;
  /** Whether the time was up. */
  passed(): boolean;
  stop(): void;
}

/** Starts counting at once. Without seconds only the execution's own signal counts. */
function timeLimit(seconds: number | null, outer: StopSignal): TimeLimit {
  if (seconds === null) return { signal: outer, passed: () => false, stop: () => undefined };
  const limit = new StopSignal();
  let hasPassed = false;
  const timer = setTimeout(() => {
    hasPassed = !outer.aborted;
    limit.abort(new DOMException('The test is to stop: timed-out.', 'AbortError'));
  }, seconds * 1000);
  const stopListening = outer.onAbort((reason) => limit.abort(reason));
  return {
    signal: limit,
    passed: () => hasPassed,
    stop: () => {
      clearTimeout(timer);
      stopListening();
    },
  };
}

/** What a test result holds where nothing was run or nothing was found. */
export const NOTHING_KNOWN = {
  blocking: true,
  durationSeconds: null,
  detail: '',
  logFile: null,
  format: null,
  counts: null,
  cases: [],
} satisfies Partial<TestResult>;

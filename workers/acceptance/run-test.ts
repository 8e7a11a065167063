/** Runs the command of one acceptance test and finds out what it says of itself. */
import { resolve } from 'node:path';
import { testLogFile } from '../../src/domain/log-files.ts';
import { matrixVariables } from '../../src/domain/matrix-variables.ts';
import type { TestResult } from '../../src/domain/outcome.ts';
import type { AcceptanceCommand } from '../../src/domain/workstream.ts';
import type { Execution } from '../execution.ts';
import { OutputFile } from '../output-file.ts';
import { type ProcessEnd, runProcess } from '../process.ts';
import { shellCommand } from '../shell.ts';
import { describeTestFailure } from './describe-failure.ts';
import { removeLog } from '../../src/support/log-file.ts';
import { noneRun } from './none-run.ts';
import { type FoundTests, readTests } from './read-tests.ts';
import type { ReportedTests, ReportFiles } from './report-files.ts';
import { readTestLog } from './test-log.ts';
import { NOTHING_KNOWN } from './test-result.ts';
import { timeLimit } from './time-limit.ts';

/**
 * It passes by exit code 0, unless what it prints or reports says that something failed: what a pipe or `|| true` hides
 * is no success. Its output goes to a file of its own.
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
  // What a test with the same name printed earlier would be taken for its output.
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
  const { abortSignal: signal } = execution.signal;
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
  };
  const limited = timeLimit(test.timeoutSeconds, signal);
  try {
    return await runProcess(command, host, limited.signal);
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

/** A success that was to be read from a file and can't be is none. */
function unreadableReport(reported: ReportedTests | null): string | null {
  const unreadable = reported?.unreadable ?? null;
  return unreadable === null ? null : `exit code 0, but ${unreadable}`;
}

function warnOf(text: string | null, execution: Execution): void {
  if (text !== null) execution.warn(text);
}

/** One assignment in, one outcome out: the steps, then acceptance. Catches everything. */
import type { Failure } from '../src/domain/failure.ts';
import { describeFailure } from '../src/domain/failure-message.ts';
import type { MadeFile, Outcome, StepResult, TestResult } from '../src/domain/outcome.ts';
import { containingOfWork } from '../src/domain/policy/containing.ts';
import { isDenial } from '../src/domain/tool.ts';
import { runsInThread, type Step } from '../src/domain/workstream.ts';
import { leftSentences, straySentence } from '../src/os/owned-processes.ts';
import { measured } from '../src/os/stopwatch.ts';
import { checkAcceptance } from './acceptance/check.ts';
import { testTail } from './acceptance/test-log.ts';
import { currentExecution, type Execution } from './execution.ts';
import type * as Outputs from './output-files.ts';
import { shellCommand } from './processes/command.ts';
import { contained, refusedContaining } from './processes/contained.ts';
import { runProcess } from './processes/process.ts';
import { runStep } from './runners/step.ts';
import { type StepOutcome, stepOutcome } from './runners/step-outcome.ts';
import { cpuTimeSince } from './thread/cpu-time.ts';
import { exitCodeFailure, takeExitCode } from './thread/exit-code.ts';
import { clearTimeout, delay, now, Promise, setTimeout } from './thread/own-globals.ts';
import { StopSignal } from './thread/stop-signal.ts';
import { flattenThrown } from './thread/thrown.ts';

/** The outcome as far as it is known. */
interface PartialOutcome {
  steps: StepResult[];
  tests: TestResult[];
  /** Of the last module that returned one, and the answer of the last tool. */
  outputs: { module: string | null; tool: string | null };
  filesModified: Set<string>;
  metrics: Record<string, number>;
  outputFiles: MadeFile[];
  failure: Failure | null;
}

/** What modules can change for our own code. */
interface ChangeableState {
  /** What differs from the start; null for nothing. */
  changed(isNew: boolean): string | null;
  restore(): void;
}

/**
 * Never rejects. When it resolves, nothing that the workstream started is left running but what `retire` names.
 * @param state what modules can change in the thread or process.
 */
export async function execute(execution: Execution, state: ChangeableState): Promise<Outcome> {
  const partial: PartialOutcome = {
    steps: [],
    tests: [],
    outputs: { module: null, tool: null },
    filesModified: new Set(),
    metrics: {},
    outputFiles: [],
    failure: null,
  };
  await orInternalError(execution, partial, () => {
    // Only code of modules needs the tie, which makes every promise of a thread slower from its first use on.
    if (!usesModules(execution)) return runAll(execution, partial);
    return untilOver(
      execution,
      currentExecution.run(execution, () => runAll(execution, partial)),
    );
  });
  if (usesModules(execution)) restoreState(execution, partial, state);
  await orInternalError(execution, partial, async () => {
    await cleanUp(execution);
    if (execution.output.isOpen) await execution.output.finish(execution.redactionEffort);
  });
  partial.failure ??= lateExitCode(execution);
  if (partial.failure?.reason === 'internal-error') execution.retire ??= 'something failed in its agent';
  execution.ended = true;
  const failure = execution.stopped?.failure ?? partial.failure;
  const { used, waited } = cpuTimeSince(execution.cpuBefore);
  const { steps, tests, outputs, metrics } = partial;
  const { startedAt, endedAt, durationSeconds } = measured(execution.begin);
  const logFile = execution.output.close();
  const { lost } = execution.output;
  if (lost !== null) execution.warn(`Some of its output could not be kept: ${lost}.`);
  // What came another way than through the files and messages, such as the names of acceptance tests.
  return execution.host.redactor.fields<Outcome>({
    status: failure === null ? 'completed' : 'failed',
    failure,
    steps,
    tests,
    output: outputs.module ?? outputs.tool,
    metrics,
    series: execution.series,
    outputs: partial.outputFiles,
    startedAt,
    endedAt,
    durationSeconds,
    cpuSeconds: used,
    cpuWaitSeconds: waited,
    filesModified: [...partial.filesModified],
    warnings: execution.warnings,
    logFile,
  });
}

/** An error that gets here is thrown by our own code, perhaps because of what the workstream's code changed. */
async function orInternalError(
  execution: Execution,
  partial: PartialOutcome,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    partial.failure ??= { reason: 'internal-error', thrown: flattenThrown(error, execution.host.redactor) };
    execution.ranNewCode = true;
  }
}

/** Beyond the grace, how long what was stopped by an error here may take to end. */
const STOP_SECONDS = 0.5;

/**
 * Resolves as the work does. Where that was stopped by an error that nothing caught, of which the main thread does not
 * know, it is not waited for longer than the grace: by what the code has changed, the event may have been lost that was
 * to end it.
 */
function untilOver(execution: Execution, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let limit: NodeJS.Timeout | undefined;
    const stopListening = execution.signal.onAbort(() => {
      if (execution.stopped?.because !== 'crashed') return;
      const seconds = execution.assignment.limits.graceSeconds + STOP_SECONDS;
      limit = setTimeout(() => {
        execution.retire ??= 'what it waited for did not end';
        resolve();
      }, seconds * 1000);
    });
    const settle = async (): Promise<void> => {
      try {
        await work;
        resolve();
      } catch (error) {
        reject(error);
      } finally {
        stopListening();
        clearTimeout(limit);
      }
    };
    void settle();
  });
}

export const usesModules = ({ assignment }: Execution): boolean =>
  assignment.workstream.steps.some((step) => step.kind === 'module');

/** Restores what modules have changed, for our own code. A thread is not used again; a process never is. */
function restoreState(execution: Execution, partial: PartialOutcome, state: ChangeableState): void {
  const changed = state.changed(execution.ranNewCode);
  if (changed === null) return;
  state.restore();
  if (execution.host.place === 'thread') execution.retire ??= `the workstream changed ${changed}`;
  if (partial.failure?.reason !== 'internal-error') return;
  // The workstream is the cause.
  const { thrown } = partial.failure;
  partial.failure = { reason: 'thrown', how: 'thrown', thrown };
  execution.warn(`It changed ${changed}, and the code that runs it failed by that.`);
}

/** The failure of an exit code that was set after the module's function had returned. */
function lateExitCode(execution: Execution): Failure | null {
  const exitCode = takeExitCode();
  if (exitCode === 0) return null;
  const module = execution.assignment.workstream.steps.findLast((step) => step.kind === 'module')?.module;
  return module === undefined ? null : exitCodeFailure(module, exitCode, execution);
}

async function runAll(execution: Execution, partial: PartialOutcome): Promise<void> {
  const { outputs } = execution.assignment.workstream;
  if (outputs.length === 0) return runSteps(execution, partial);
  // With a library that takes a fifth of the start of a thread, and most workstreams declare none.
  const { OutputFiles } = await import('./output-files.ts');
  const files = await OutputFiles.before(outputs, execution.assignment.workspace);
  await runSteps(execution, partial);
  if (execution.stopped === null) await listOutputs(files, execution, partial);
}

/** A declared path at which there is nothing is a failure, unless there is another one already. */
async function listOutputs(
  files: Outputs.OutputFiles,
  execution: Execution,
  partial: PartialOutcome,
): Promise<void> {
  const made = await files.after(() => execution.stopped !== null);
  partial.outputFiles = made.files;
  for (const path of made.changed) partial.filesModified.add(path);
  if (partial.failure !== null) return;
  for (const warning of made.warnings) execution.warn(warning);
  if (made.missing.length > 0) partial.failure = { reason: 'missing-output', paths: made.missing };
}

async function runSteps(execution: Execution, partial: PartialOutcome): Promise<void> {
  const { workstream } = execution.assignment;
  partial.failure = (await refusedBefore(execution)) ?? (await setUp(execution));
  if (partial.failure !== null) return;
  const hasTests = workstream.acceptanceTests.length + workstream.testGates.length > 0;
  for (const step of workstream.steps) {
    if (execution.stopped !== null && execution.early === null) return;
    const result = await runOne(step, execution, partial);
    if (result.failure === null) continue;
    if (!step.continueOnError || execution.stopped !== null) {
      partial.failure ??= result.failure;
      if (!isDenial(result.failure) || !hasTests || execution.stopped !== null) return;
      // What was done in spite of a denial is tested: the coordinator decides by the tests and the changes.
      continue;
    }
    execution.warn(`Step ${step.id} failed and was passed over: ${describeFailure(result.failure)}`);
  }
  if (!hasTests) return;
  partial.tests = await checkAcceptance(execution);
  const failed = partial.tests.filter((test) => test.status === 'failed' && test.blocking);
  const [first] = failed;
  if (first !== undefined) {
    partial.failure ??= {
      reason: 'acceptance-failed',
      tests: failed.map(({ name, detail }) => ({ name, detail })),
      tail: testTail(first.logFile),
      log: first.logFile,
    };
  }
}

async function runOne(step: Step, execution: Execution, partial: PartialOutcome): Promise<StepResult> {
  const start = now();
  const outcome = await runWithDeadline(step, execution);
  if (outcome.output !== null) partial.outputs[step.kind === 'tool' ? 'tool' : 'module'] = outcome.output;
  for (const file of outcome.filesModified) partial.filesModified.add(file);
  Object.assign(partial.metrics, outcome.metrics);
  const result: StepResult = {
    id: step.id,
    kind: step.kind,
    status: outcome.failure === null ? 'completed' : 'failed',
    durationSeconds: (now() - start) / 1000,
    exitCode: outcome.exitCode,
    tail: outcome.tail,
    failure: outcome.failure,
    tool: outcome.tool,
  };
  partial.steps.push(result);
  return result;
}

/** Runs a step under its own limit, if it has one. The main thread has the deadline too: this thread may be blocked. */
async function runWithDeadline(step: Step, execution: Execution): Promise<StepOutcome> {
  const { executionId } = execution.assignment;
  const seconds = step.timeoutSeconds;
  const signal = seconds === null ? execution.signal : new StopSignal();
  const stopListening = seconds === null ? null : execution.signal.onAbort((reason) => signal.abort(reason));
  const timer = seconds === null ? undefined : setTimeout(() => signal.abort(timeIsUp()), seconds * 1000);
  if (seconds !== null) execution.post({ type: 'deadline', executionId, step: step.id, seconds });
  const start = execution.output.size;
  const stopped = (outcome: StepOutcome): StepOutcome => {
    const tail = execution.output.tail(start);
    const passed: Failure = { reason: 'timed-out', seconds: seconds ?? 0, step: step.id, tail };
    return { ...outcome, output: null, tail, failure: execution.stopped?.failure ?? passed };
  };
  try {
    const outcome = await runStep(step, execution, signal);
    return signal.aborted ? stopped(outcome) : outcome;
  } catch (error) {
    if (!signal.aborted) throw error;
    return stopped(stepOutcome({}));
  } finally {
    clearTimeout(timer);
    stopListening?.();
    if (seconds !== null) execution.post({ type: 'deadline', executionId, step: step.id, seconds: null });
  }
}

const timeIsUp = (): Error => new DOMException('The step is to stop: timed-out.', 'AbortError');

/** Ends what the workstream left running; a thread in which its code may go on is not used again. */
async function cleanUp(execution: Execution): Promise<void> {
  if (execution.stopped !== null) execution.children.mayHaveLeftTheirGroups();
  const hadProcesses = execution.children.mayBeAny && (await endProcesses(execution));
  const before = counted(execution.resourcesBefore);
  if (!usesModules(execution) || (!hasMoreThan(before) && !hadProcesses)) return;
  const leftovers = await leftoversSince(before);
  if (leftovers !== null) {
    const { place } = execution.host;
    const ending = place === 'thread' ? 'its thread was replaced' : 'its process was ended';
    execution.warn(`It left ${leftovers} active; ${ending}.`);
    execution.retire ??= `the workstream left ${leftovers} active`;
  } else if (hadProcesses) {
    execution.retire ??= 'the workstream left child processes running';
  }
}

/** Returns whether there were any. */
async function endProcesses(execution: Execution): Promise<boolean> {
  const ended = await execution.children.endAll(execution.graceLeft);
  for (const sentence of leftSentences(ended)) execution.warn(sentence);
  if (ended.strays.length > 0) execution.warn(straySentence(ended.strays));
  return ended.found.length > 0;
}

/** What has no child processes needs no containment. */
async function refusedBefore(execution: Execution): Promise<Failure | null> {
  return runsInThread(execution.assignment.workstream) ? null : refusedContaining(execution);
}

/** Prepares the workspace with the assignment's setup line. Returns null when that succeeded, or there is none. */
async function setUp(execution: Execution): Promise<Failure | null> {
  const { setup, shell, workspace } = execution.assignment;
  if (setup === null) return null;
  const command = { shown: setup, ...shellCommand(setup, shell), cwd: workspace, env: {} };
  try {
    // It may run what contained steps have written: those of an earlier attempt, or of what this one builds on.
    const end = await contained(
      containingOfWork(execution.assignment),
      execution,
      { env: {} },
      (containment) => runProcess({ ...command, containment }, execution, execution.signal),
    );
    if ('reason' in end) return end;
    return end.failure === null ? null : setupFailure(setup, end.failure, end.exitCode);
  } catch (error) {
    if (execution.stopped === null) throw error;
    return execution.stopped.failure;
  }
}

/** Failures that are not its own, such as too much output, stay what they are. */
function setupFailure(setup: string, failure: Failure, exitCode: number | null): Failure {
  const { reason } = failure;
  if (reason === 'exit-non-zero' || reason === 'killed-by-signal') {
    return { reason: 'setup-failed', exitCode, command: setup, tail: failure.tail, log: failure.log };
  }
  if (reason !== 'command-not-found' && reason !== 'command-not-executable') return failure;
  const { tail = '', log = null } = failure;
  return { reason: 'setup-failed', exitCode, command: setup, tail, log, cause: describeFailure(failure) };
}

/** Timers, sockets and the like that keep a thread's event loop busy, counted by kind. */
type Resources = ReadonlyMap<string, number>;

function counted(kinds: readonly string[]): Resources {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** What closes by itself, such as a file that was just read, gets this long to do so. */
const SETTLE_MS = 10;

/** Whether something is active that was not in `before`. */
const hasMoreThan = (before: Resources): boolean => compare(before) !== null;

/** What is still active and was not in `before`, as "2 × Timeout, 1 × TCPServerWrap"; null for nothing. */
async function leftoversSince(before: Resources): Promise<string | null> {
  if (compare(before) === null) return null;
  await delay(SETTLE_MS).promise;
  return compare(before);
}

function compare(before: Resources): string | null {
  const parts: string[] = [];
  for (const [kind, count] of counted(process.getActiveResourcesInfo())) {
    const more = count - (before.get(kind) ?? 0);
    // A pending immediate ends by itself within this turn of the event loop.
    if (more > 0 && kind !== 'Immediate') parts.push(`${more} × ${kind}`);
  }
  return parts.length === 0 ? null : parts.join(', ');
}

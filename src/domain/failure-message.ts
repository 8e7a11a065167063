/** The one place where a failure becomes a sentence for a person. */
import type { Failure, Obstacle, Thrown } from './failure.ts';

/**
 * Says what happened in one line or a few, without the output's tail or the stack (see `failureContext`).
 * The switch is exhaustive: a new reason does not compile until it has its sentence.
 */
export function describeFailure(failure: Failure): string {
  switch (failure.reason) {
    case 'invalid-workstream':
      return failure.problems.join('\n');
    case 'duplicate-id':
      return `The id "${failure.id}" is used more than once: ${failure.places.join(' and ')}. Give each workstream an id of its own.`;
    case 'cycle':
      return `It depends on itself: ${failure.path.join(' → ')}. Remove one of these dependencies.`;
    case 'missing-dependency':
      return `It depends on "${failure.missing}", which is in no file.${failure.suggestion === null ? '' : ` Did you mean "${failure.suggestion}"?`}`;
    case 'dependency-failed':
      return `It needs "${failure.dependency}", which ${failure.detail}.`;
    case 'module-not-found':
      return `There is no module file ${failure.module}.`;
    case 'module-load-failed':
      return `The module ${failure.module} could not be loaded: ${oneThrown(failure.thrown)}`;
    case 'export-not-found':
      return noExport(failure);
    case 'command-not-found':
      return notFound(failure.command);
    case 'command-not-executable':
      return describeObstacle(failure.command, failure.obstacle, failure.detail);
    case 'tool-not-found':
      return failure.program === null
        ? `No tool is called "${failure.tool}".${failure.suggestion === undefined ? '' : ` Did you mean "${failure.suggestion}"?`} Name one that Millrace knows (claude, codex, gemini, opencode, aider), or add it to tools in millrace.config.json.`
        : `The tool ${failure.tool} is not installed: there is no command "${failure.program}" on PATH.`;
    case 'sandbox-unavailable':
      return `It asks for a sandbox that it can't have: ${failure.detail.replace(/\.$/, '')}. It is not run without one.`;
    case 'tool-unsupported':
      return `${failure.tool} ${failure.version} can't be used: ${failure.detail}.`;
    case 'tool-not-logged-in':
      return `${failure.tool} is not logged in: ${failure.detail}`;
    case 'tool-quota':
      return `${failure.tool} is out of quota: ${failure.detail}`;
    case 'usage-limit':
      return `${failure.tool} waits for its usage limit${failure.resetsAt === null ? '' : ` until ${failure.resetsAt}`}: ${failure.detail}`;
    case 'tool-limit':
      return `${failure.tool} stopped at its own limit: ${failure.detail}`;
    case 'tool-error':
      return `${failure.tool} failed: ${failure.detail}`;
    case 'permission-denied':
      return `${failure.tool} ended as if it had succeeded, but was not permitted to do this: ${failure.denied.join('; ')}.`;
    case 'read-only':
      return `${failure.tool} ended as if it had succeeded, but could not write: ${failure.detail}`;
    case 'no-model-answer':
      return `${failure.tool} ended as if it had succeeded, but no model answered: ${failure.detail}`;
    case 'tool-interrupted':
      return `${failure.tool} broke off before it was done: ${failure.detail}`;
    case 'no-changes':
      return `It was to change files (${failure.scope.join(', ')}) and changed none of them.`;
    case 'outside-scope':
      return `It changed files outside its files_scope: ${failure.files.join(', ')}.`;
    case 'conflict-markers':
      return `It left the marks of a conflict in ${failure.files.join(', ')}, and no acceptance test passed on that.`;
    case 'budget-exceeded':
      return failure.of === 'run'
        ? `The run has spent ${dollars(failure.spentUsd)} of the ${dollars(failure.limitUsd)} it may cost. Raise --max-cost-usd to go on.`
        : failure.of === 'tool'
          ? `${failure.tool ?? 'Its tool'} has spent ${dollars(failure.spentUsd)} of the ${dollars(failure.limitUsd)} that it may cost in one run. Raise its max_cost_usd in millrace.config.json to go on.`
          : `It has spent ${dollars(failure.spentUsd)} of the ${dollars(failure.limitUsd)} it may cost. Raise max_cost_usd to go on.`;
    case 'merge-conflict':
      return `It needs the work of ${failure.between.join(' and ')}, which changed the same lines: ${failure.files.join(', ')}. Merge their branches by hand, or let one depend on the other.`;
    case 'setup-failed':
      return `Its workspace could not be prepared: ${setupEnd(failure)}`;
    case 'circuit-open':
      return `It was not started: ${failure.tool} had failed ${failure.count} times in a row with ${failure.cause}. Fix that first, or turn this off with --tool-circuit 0.`;
    case 'exit-non-zero':
      return failure.isModule === true
        ? `The module ${failure.command} set process.exitCode to ${failure.exitCode}, which says that it failed. To fail, throw an error; to succeed, set it back to 0.`
        : `\`${failure.command}\` ended with exit code ${failure.exitCode}.`;
    case 'killed-by-signal':
      return `\`${failure.command}\` was ended by ${failure.signal}.`;
    case 'output-limit':
      return `${failure.command === null ? 'It' : `\`${failure.command}\``} printed more than ${failure.limitMb} MB and was ended. Raise --max-output if that is wanted.`;
    case 'thrown':
      return describeThrown(failure.how, failure.thrown);
    case 'invalid-result':
      return `The module's result can't be used: ${failure.detail}`;
    case 'timed-out':
      return `${failure.step === null ? 'It' : `Step ${failure.step}`} was still running after ${failure.seconds} s and was ended. Raise timeout_seconds if it needs longer.`;
    case 'out-of-memory':
      return outOfMemory(failure);
    case 'worker-crashed':
      return failure.exitCode === null
        ? `Its worker thread died: ${failure.detail}`
        : `Its worker thread ended with exit code ${failure.exitCode}: ${failure.detail}`;
    case 'process-crashed':
      return `Its process ${describeDeath(failure)}: ${failure.detail}`;
    case 'acceptance-failed':
      return `Not accepted: ${failure.tests.map((test) => `${test.name} (${test.detail})`).join('; ')}.`;
    case 'missing-output':
      return `It ended without an error, and did not make ${missingPaths(failure.paths)} in its outputs.`;
    case 'review-failed':
      return rejected(failure);
    case 'no-review':
      return `It is not accepted without a review, and ${failure.tool} gave none: ${failure.detail}`;
    case 'workspace-error':
      return failure.detail;
    case 'cancelled':
      return failure.by === undefined
        ? `It was cancelled: ${failure.detail}.`
        : `It was stopped by ${failure.by}: ${failure.detail}.`;
    case 'interrupted':
      return `The run was interrupted before it finished: ${failure.detail}.`;
    case 'host-lost':
      return `The hosts that executed it were lost: ${failure.detail}.`;
    case 'remote-refused':
      return `It was refused: ${failure.detail}.`;
    case 'no-worker':
      return noWorker(failure.requires, failure.waitedSeconds);
    case 'skipped-by-user':
      return 'It was skipped by the person who went through the run.';
    case 'insufficient-resources':
      return insufficientResources(failure);
    case 'fail-fast':
      return `It was not started: ${failure.failed === 1 ? 'a workstream' : `${failure.failed} workstreams`} had failed, and nothing more is started then (--fail-fast=${failure.limit}).`;
    case 'internal-error':
      return `Millrace itself failed here, please report it: ${oneThrown(failure.thrown)}`;
  }
}

/** What helps to understand a failure beyond its sentence; null where nothing is known. */
export interface FailureContext {
  /** The last lines that a child process printed. */
  tail: string | null;
  /** Path of the whole output. */
  log: string | null;
  /** The stack trace of what was thrown. */
  stack: string | null;
}

/** The context a failure carries with it. */
export function failureContext(failure: Failure): FailureContext {
  return {
    tail: 'tail' in failure && failure.tail !== '' ? (failure.tail ?? null) : null,
    log: 'log' in failure ? (failure.log ?? null) : null,
    stack: 'thrown' in failure ? (failure.thrown.stack ?? null) : null,
  };
}

/** Most paths that are named. */
const NAMED = 10;

function missingPaths(paths: readonly string[]): string {
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : '';
  return `${paths.slice(0, NAMED).join(', ')}${more}, which ${paths.length === 1 ? 'is' : 'are'} declared`;
}

function setupEnd({ command, exitCode, cause }: Extract<Failure, { reason: 'setup-failed' }>): string {
  const end = exitCode === null ? 'did not end by itself' : `ended with exit code ${exitCode}`;
  return cause === undefined ? `\`${command}\` ${end}.` : `\`${command}\` ${end}. ${cause}`;
}

function notFound(command: string): string {
  if (command.endsWith('\r')) {
    const name = command.slice(0, -1);
    return `There is no command "${name}\\r" on PATH: what names "${name}" has Windows line ends. ${LINE_ENDS}`;
  }
  return `There is no command "${command}"${command.includes('/') ? '' : ' on PATH'}.`;
}

const LINE_ENDS = 'Store the file with line feeds only, for example by `dos2unix`.';

/** Says why the system does not run a file that is there, and what to do. */
export function describeObstacle(command: string, obstacle: Obstacle, detail: string): string {
  const name = `\`${command}\``;
  switch (obstacle) {
    case 'folder':
      return `${name} is a folder and can't be run.`;
    case 'no-permission':
      return `${name} can't be run: its file is not executable. Make it so with \`chmod +x ${detail}\`.`;
    case 'not-allowed-there':
      return `${name} can't be run: this user may not run files at ${detail}, or its file system is mounted noexec.`;
    case 'broken-link':
      return `${name} can't be run: it is a link to ${detail}, which does not exist.`;
    case 'missing-interpreter':
      return `${name} can't be run: its first line names the interpreter ${detail}, which does not exist here. Install it, or correct that line.`;
    case 'windows-line-ends':
      return `${name} can't be run: it has Windows line ends, so its first line names the interpreter "${detail}\\r", which does not exist. ${LINE_ENDS}`;
    case 'missing-loader':
      return `${name} can't be run: it needs the loader ${detail}, which does not exist here. It was built for another system or C library.`;
    case 'wrong-format':
      return `${name} can't be run: ${detail}.`;
    case 'refused':
      return `${name} can't be run: ${detail}.`;
  }
}

function describeThrown(
  how: 'thrown' | 'unhandled-rejection' | 'uncaught-exception',
  thrown: Thrown,
): string {
  switch (how) {
    case 'thrown':
      return oneThrown(thrown);
    case 'unhandled-rejection':
      return `A promise was rejected and nothing handled it: ${oneThrown(thrown)}`;
    case 'uncaught-exception':
      return `An exception in a callback was not caught: ${oneThrown(thrown)}`;
  }
}

/** The message, and a line for each cause: errors are grouped by that. */
function oneThrown(thrown: Thrown): string {
  const causes = (thrown.causes ?? []).map((cause) => `\nCaused by: ${headOf(cause)}`);
  return headOf(thrown) + causes.join('');
}

function headOf({ name, message, code }: Omit<Thrown, 'causes'>): string {
  const suffix = code === undefined || message.includes(code) ? '' : ` (${code})`;
  return [name, message].filter((part) => part !== '').join(': ') + suffix;
}

/** Findings that the sentence names; the prompt of the next attempt has all. */
const NAMED_FINDINGS = 3;

function rejected({ tool, findings }: Extract<Failure, { reason: 'review-failed' }>): string {
  const rest = findings.length - NAMED_FINDINGS;
  const named = findings.slice(0, NAMED_FINDINGS).join('; ');
  return `${tool} reviewed it and rejected it: ${named}${rest > 0 ? `; and ${rest} more` : ''}`;
}

function outOfMemory({ of, limitMb }: Extract<Failure, { reason: 'out-of-memory' }>): string {
  const size = limitMb === null ? '' : ` of ${limitMb} MB`;
  switch (of) {
    case 'thread-heap':
      return `It used up the thread's JavaScript heap${size}. Raise --agent-memory.`;
    case 'process-heap':
      return `It used up its process's JavaScript heap${size}. Raise ${limitMb === null ? '--agent-memory' : 'memory_limit_mb (or --agent-memory, where it names none)'}.`;
    case 'process':
      return `Its process held more than its memory limit${size} and what Node itself needs, Buffers included. Raise memory_limit_mb, or hold less at once.`;
  }
}

function insufficientResources({
  of,
  needed,
  available,
  isGiven,
}: Extract<Failure, { reason: 'insufficient-resources' }>): string {
  const [field, option, unit] =
    of === 'cpus' ? (['cpus', '--cpus', 'cpus'] as const) : (['memory_mb', '--memory', 'MB'] as const);
  const amount = (value: number): string => `${Math.round(value * 100) / 100} ${unit}`;
  const source = isGiven ? `${option} says so` : 'this machine, or its container, has no more';
  return `It needs ${amount(needed)}, and the run may use ${amount(available)}: ${source}. Lower ${field}, or raise ${option}.`;
}

const dollars = (amount: number): string => `$${amount.toFixed(2)}`;

function noExport({
  module,
  export: name,
  found,
  available,
}: Extract<Failure, { reason: 'export-not-found' }>): string {
  const has = available.length === 0 ? 'it has no function' : `it has: ${available.join(', ')}`;
  return found === null
    ? `The module ${module} has no export "${name}"; ${has}.`
    : `The export "${name}" of the module ${module} is ${found} and no function; ${has}.`;
}

/** How a process ended that was not to end yet. One of the two is null. */
export interface Death {
  exitCode: number | null;
  signal: string | null;
}

/** Ends the sentence "The process …". */
export function describeDeath({ exitCode, signal }: Death): string {
  return signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
}

function noWorker(requires: readonly string[], waitedSeconds: number): string {
  const what = requires.length === 0 ? 'there was none' : `none provides ${requires.join(' and ')}`;
  const flag = requires.length === 0 ? '' : ` --provides ${requires.join(',')}`;
  return `No host could execute it: ${what} within ${waitedSeconds} seconds. Start one with millrace worker${flag}, or wait longer (--wait-for-workers).`;
}

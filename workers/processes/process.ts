/** Starts a child process of a step and waits for its end. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import type { Failure } from '../../src/domain/failure.ts';
import { type Argv, containedCommand } from '../../src/os/bubblewrap.ts';
import { lastStates } from '../../src/text/printable.ts';
import type { Execution } from '../execution.ts';
import type { StopSignal } from '../thread/stop-signal.ts';
import { variables } from '../thread/thread-state.ts';
import type { ChildEnd, Command } from './command.ts';
import { type Guard, guardProcess, type ProcessHost } from './process-guard.ts';
import { containmentFailure } from './sandbox.ts';
import { liesWithTheCommand, notStarted, startError, startFailure } from './start-failure.ts';

/** How a child process ended. `failure` is null exactly for exit code 0. */
export interface ProcessEnd {
  failure: Failure | null;
  exitCode: number | null;
  tail: string;
}

/**
 * Runs a command in its own process group, its output straight into the execution's log file.
 * @throws the signal's reason when stopped; by then the group has been ended.
 */
export async function runProcess(
  command: Command,
  execution: ProcessHost,
  signal: StopSignal,
): Promise<ProcessEnd> {
  signal.throwIfAborted();
  const { output } = execution;
  const from = output.size;
  const guard = guardProcess(execution, signal, {
    command: command.shown,
    start: from,
    activity: lastLineOf(execution, from),
  });
  try {
    // By the command host where there is one, because that is faster.
    const end = (await launch(command, execution, guard)) ?? (await runHere(command, execution, guard));
    if ('reason' in end) return { failure: end, exitCode: null, tail: '' };
    signal.throwIfAborted();
    const size = 'logSize' in end ? output.sizeAt(end.logSize) : output.size;
    const tail = size > from ? output.tail(from) : '';
    if (guard.limitPassed(size))
      return { failure: limitFailure(command, execution, tail), exitCode: null, tail };
    return describeEnd(command, end, { command: command.shown, tail, log: execution.assignment.logFile });
  } finally {
    guard.stop();
  }
}

/** Null where there is no command host, or it could not start it and does not know why. */
async function launch(
  command: Command,
  execution: ProcessHost,
  guard: Guard,
): Promise<ChildEnd | Failure | null> {
  const { assignment, children, host, output } = execution;
  if (host.launcher === null || !(host.launcher.isTied || (await host.launcher.tied()))) return null;
  const { inode } = output;
  if (inode === 0) return null;
  const request = {
    graceSeconds: assignment.limits.graceSeconds,
    log: output.path,
    inode,
    folder: command.cwd,
    argv: argvOf(command),
    inherited: variables(),
    variables: changesFor(command, execution),
  };
  const end = await host.launcher.launch(request, (pid) => {
    children.launched(pid);
    guard.started(pid);
  });
  switch (end.type) {
    case 'ended':
      children.launchEnded(end.pid, end.left, end.usage);
      return end;
    case 'lost':
      // What the host may have started before it died is searched for when the execution ends.
      children.mayHaveLeftTheirGroups();
      return { error: end.error };
    case 'not-started': {
      const bad = badFolder(command.cwd);
      if (bad !== null) return bad;
      return end.code !== null && liesWithTheCommand(end.code)
        ? startFailure(command, startError(command, end.code))
        : null;
    }
  }
}

/** The command's own variables, and those of its execution, as `CommandRequest` has them. */
function changesFor({ env }: Command, execution: ProcessHost): string[] {
  const changes: string[] = [];
  const own = execution.environment();
  for (const [name, value] of Object.entries(env)) {
    if (!(name in own)) changes.push(value === undefined ? name : `${name}=${value}`);
  }
  for (const [name, value] of Object.entries(own)) changes.push(`${name}=${value}`);
  if (!isOfWorktree(execution)) return changes;
  const inherited = variables();
  const ofRepository = OF_A_REPOSITORY.filter(
    (name) => !(name in env) && inherited[name] === process.env[name],
  );
  return [...changes, ...ofRepository];
}

/** Starts it from this thread. */
async function runHere(command: Command, execution: ProcessHost, guard: Guard): Promise<ChildEnd | Failure> {
  const bad = badFolder(command.cwd);
  if (bad !== null) return bad;
  const { descriptor } = execution.output;
  const child = startProcess(command, ['ignore', descriptor, descriptor]);
  if (child instanceof Error) return startFailure(command, child);
  if (child.pid !== undefined) guard.started(child.pid);
  return ended(child);
}

/** What is started: the command, or what contains it. */
function argvOf({ file, args, cwd, containment }: Command): Argv {
  return containment === null
    ? [file, ...args]
    : containedCommand([file, ...args], realpathSync(cwd), containment);
}

function environmentOf({ env }: Command): NodeJS.ProcessEnv {
  const all: NodeJS.ProcessEnv = { ...variables(), ...env };
  for (const name of Object.keys(env)) if (env[name] === undefined) delete all[name];
  return all;
}

/** Returns the error where Node refuses at once: too many arguments, a NUL character, no memory. */
export function startProcess(command: Command, stdio: StdioOptions): ChildProcess | Error {
  try {
    const [file, ...args] = argvOf(command);
    return spawn(file, args, {
      cwd: command.cwd,
      env: environmentOf(command),
      shell: command.shell,
      detached: true,
      windowsHide: true,
      stdio,
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Resolves when the process has ended, although others may still have its output open. */
export function ended(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** A missing folder would otherwise be reported as a missing command. */
export function badFolder(cwd: string): Failure | null {
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true) return null;
  return { reason: 'workspace-error', detail: `There is no folder ${cwd} to run the command in.` };
}

/** The failure of a process that printed too much. */
export function limitFailure(command: Command, execution: ProcessHost, tail: string): Failure {
  const { limits, logFile: log } = execution.assignment;
  return { reason: 'output-limit', limitMb: limits.maxOutputMb, command: command.shown, tail, log };
}

function describeEnd(
  command: Command,
  end: ChildEnd,
  context: { command: string; tail: string; log: string },
): ProcessEnd {
  const { tail } = context;
  if ('error' in end) return { failure: startFailure(command, end.error), exitCode: null, tail };
  if (end.code === 0) return { failure: null, exitCode: 0, tail };
  const uncontained = command.containment === null ? null : containmentFailure(end.code, tail);
  if (uncontained !== null) return { failure: uncontained, exitCode: end.code, tail };
  const failure: Failure =
    end.code === null
      ? { reason: 'killed-by-signal', signal: end.signal ?? 'an unknown signal', ...context }
      : (notStarted(command, end.code, context) ?? {
          reason: 'exit-non-zero',
          exitCode: end.code,
          ...context,
        });
  return { failure, exitCode: end.code, tail };
}

/** Returns the last line that was printed since it was asked before, at first since `from`. */
function lastLineOf({ output }: ProcessHost, from: number): () => string | null {
  let shown = from;
  return () => {
    const { size } = output;
    if (size <= shown) return null;
    const line = output.tail(shown).trimEnd().split('\n').at(-1) ?? '';
    shown = size;
    return lastStates(line);
  };
}

/** Adds the execution's variables to `NAME=value` pairs, and removes what would lead git out of the worktree. */
export function variablesOf(
  execution: Pick<Execution, 'assignment' | 'environment'>,
  pairs: string[],
): string[] {
  const inherited = isOfWorktree(execution) ? ofTheRepository() : null;
  const own = inherited === null ? pairs : pairs.filter((pair) => !inherited.has(pair));
  return withVariables(own, execution.environment());
}

/** The same for variables that are an object, those that it inherits included, as Node has it. */
export function variablesIn(
  execution: Pick<Execution, 'assignment' | 'environment'>,
  variables: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const inherited = isOfWorktree(execution) ? ofTheRepository() : null;
  // Without a prototype, so that a variable of any name is one.
  const own: NodeJS.ProcessEnv = Object.create(null);
  for (const name in variables) {
    const value = variables[name];
    if (value !== undefined && inherited?.has(`${name}=${value}`) !== true) own[name] = String(value);
  }
  return Object.assign(own, execution.environment());
}

/** Variables of the same name are replaced: of two, most programs see the first. */
function withVariables(pairs: string[], variables: Record<string, string>): string[] {
  const others = pairs.filter((pair) => !(pair.slice(0, pair.indexOf('=')) in variables));
  return [...others, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
}

/** Where git finds its repository, when Millrace was started by a hook of git or by `git rebase --exec`. */
const OF_A_REPOSITORY = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
];

const isOfWorktree = ({ assignment }: Pick<Execution, 'assignment'>): boolean =>
  assignment.workstream.workspace === 'worktree';

/** What Millrace inherited would lead a git in a worktree to the user's index and tree. What a step sets itself stays. */
const ofTheRepository = (): Set<string> =>
  new Set(OF_A_REPOSITORY.map((name) => `${name}=${process.env[name]}`));

/** Starts git. Nothing else in Millrace does, but for the one question of `can-isolate.ts`. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { MARK_VARIABLE, markValue, runMark } from '../os/owned-processes.ts';
import { signalGroup } from '../os/process-group.ts';

/** How one call of git ended. */
export interface GitResult {
  /** 127 where git can't be started, 128 where a signal ended it. */
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface GitCall {
  /** Absolute folder to run in. */
  cwd: string;
  /** Added to the cleaned environment. */
  env?: Record<string, string>;
  /** Written to standard input, which is closed otherwise. */
  input?: string;
  /** Longest that it may take; it may be less by the limits of the work it is part of. Default: 60 outside of any. */
  seconds?: number;
  /** Ends the call when it is aborted, where it is part of no work with limits. */
  signal?: AbortSignal;
}

/** Git failed; the message is its complaint. */
export class GitError extends Error {
  override name = 'GitError';
}

/**
 * What the user's configuration must not do to a call of ours: run hooks, ask for a key, start a daemon, tidy up in
 * the background, refuse line ends, split the index that is copied. Filters, ignore rules and attributes do apply.
 */
const CONFIGURATION = [
  'core.hooksPath=/dev/null',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'log.showSignature=false',
  'core.fsmonitor=false',
  'core.safecrlf=false',
  'core.splitIndex=false',
  'core.quotePath=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'i18n.commitEncoding=UTF-8',
  'advice.addEmbeddedRepo=false',
].flatMap((setting) => ['-c', setting]);

/**
 * Variables that say where git's configuration and programs are, and how it reaches the repository that a partial clone
 * gets its files from. All others could send a call elsewhere.
 */
const KEPT =
  /^GIT_(CONFIG_.*|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|SSH|SSH_COMMAND|SSH_VARIANT|SSL_.*)$/;

/** Makes each question of git, or of ssh in a session without a terminal, an error: there is no person to answer it. */
const NEVER_ASK = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '',
  SSH_ASKPASS: '',
  SSH_ASKPASS_REQUIRE: 'never',
  GCM_INTERACTIVE: 'never',
  GIT_EDITOR: 'false',
  GIT_SEQUENCE_EDITOR: 'false',
  GIT_PAGER: 'cat',
};

/** Of a call that is part of no work with limits. */
const EACH_SECONDS = 60;
/** How long a process that got SIGTERM may take to remove its locks, in milliseconds. */
const GRACE_MS = 1_000;
/** How long what git left running may hold its output open. */
const DRAIN_MS = 2_000;

/** The environment without what points git to another repository, index or work tree, or changes how it matches. */
export function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(env).filter(([name]) => !name.startsWith('GIT_') || KEPT.test(name));
  return { ...Object.fromEntries(own), ...NEVER_ASK, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' };
}

/**
 * Runs git without a shell, in a process group of its own, which is ended when the call takes too long or the work it
 * is part of is over. Never rejects: that git is missing, or did not end, is a result as well.
 */
export function git(args: readonly string[], call: GitCall): Promise<GitResult> {
  const limits = allowance();
  const name = `git ${args.find((arg) => /^[a-z]/.test(arg)) ?? ''}`;
  if (limits?.over.aborted === true) {
    const stderr = `${limits.cut ?? name} ${String(limits.over.reason)}`;
    return Promise.resolve({ exitCode: 128, stdout: '', stderr });
  }
  const { cwd, env = {}, input, signal } = call;
  if (signal?.aborted === true) {
    const stderr = `${name} ${String(signal.reason)}`;
    return Promise.resolve({ exitCode: 128, stdout: '', stderr });
  }
  const child = spawn('git', [...CONFIGURATION, ...args], {
    cwd,
    env: { ...gitEnvironment(process.env), ...markOf(limits), ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
    windowsHide: true,
  });
  const seconds = call.seconds ?? (limits === null ? EACH_SECONDS : Number.POSITIVE_INFINITY);
  // It may end without having read everything; its exit code decides.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  return ended(child, cwd, cutShort(child, name, seconds, limits, signal));
}

/** The mark by which it is found and ended when this process dies. */
function markOf(limits: Allowance | null): Record<string, string> {
  const runId = limits?.runId ?? null;
  return runId === null ? {} : { [MARK_VARIABLE]: markValue(runMark(runId)) };
}

/** Ends a call that takes too long. */
interface Cut {
  /** Why it was ended; empty for one that was not. */
  why: string;
  /** Stops waiting for it; what it does afterwards no longer matters. */
  // Whatever it left running has no more to do for it, and might hold its output open for ever.
  // A process that it left running might hold its output open for ever.
  release(): void;
}

function cutShort(
  child: ChildProcess,
  name: string,
  seconds: number,
  limits: Allowance | null,
  signal: AbortSignal | undefined,
): Cut {
  const over = limits?.over ?? signal;
  const timers: NodeJS.Timeout[] = [];
  const cut: Cut = {
    why: '',
    release: () => {
      for (const timer of timers) clearTimeout(timer);
      over?.removeEventListener('abort', onOver);
    },
  };
  const end = (why: string): void => {
    if (cut.why !== '' || child.pid === undefined) return;
    cut.why = `${name} ${why}`;
    const { pid } = child;
    signalGroup(pid, 'SIGTERM');
    timers.push(setTimeout(() => signalGroup(pid, 'SIGKILL'), GRACE_MS));
  };
  const onOver = (): void => {
    if (limits !== null) limits.cut ??= name;
    end(String(over?.reason));
  };
  over?.addEventListener('abort', onOver, { once: true });
  if (Number.isFinite(seconds)) timers.push(setTimeout(() => end(tooLong(seconds)), seconds * 1000));
  return cut;
}

function ended(child: ChildProcess, cwd: string, cut: Cut): Promise<GitResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  endWithUs(child);
  return new Promise((resolve) => {
    const end = (exitCode: number, detail: string): void => {
      cut.release();
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
      resolve({ exitCode, stdout: text(stdout), stderr: detail === '' ? text(stderr) : detail });
    };
    child.once('error', (error) => end(127, whyNotStarted(error, cwd)));
    child.once('exit', () => {
      // Whatever it left running has no more to do for it, and might hold its output open for ever.
      const drained = setTimeout(() => {
        if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, DRAIN_MS);
      child.once('close', () => clearTimeout(drained));
    });
    child.once('close', (code, signal) => {
      // A process that it waited for may have ignored the signal and hold none of its output.
      if (cut.why !== '' && child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      if (cut.why !== '') end(128, cut.why);
      else if (signal !== null) end(128, `git was ended by ${signal}`);
      else end(code ?? 128, '');
    });
  });
}

/** Why git could not be started in a folder, in a few words. */
export function whyNotStarted(error: Error, cwd: string): string {
  if (!existsSync(cwd)) return `the folder ${cwd} no longer exists`;
  const isMissing = 'code' in error && error.code === 'ENOENT';
  return isMissing ? 'git was not found on PATH' : `git could not be started: ${error.message}`;
}

const alive = new Set<ChildProcess>();

/** Because of its own process group it would outlive this process. */
function endWithUs(child: ChildProcess): void {
  if (alive.size === 0) process.on('exit', endAll);
  alive.add(child);
  const forget = (): void => {
    alive.delete(child);
    if (alive.size === 0) process.off('exit', endAll);
  };
  child.once('error', forget);
  child.once('exit', forget);
}

function endAll(): void {
  for (const { pid } of alive) if (pid !== undefined) signalGroup(pid, 'SIGTERM');
}

/** Returns what git printed. @throws GitError where it failed */
export function outputOf(result: GitResult): string {
  if (result.exitCode !== 0) throw new GitError(complaint(result));
  return result.stdout;
}

/** True for exit code 0, false for 1. @throws GitError for any other, which is no answer */
export function saidYes(result: GitResult): boolean {
  if (result.exitCode > 1) throw new GitError(complaint(result));
  return result.exitCode === 0;
}

/** Matches the message about a lock that another process has, or had. */
const LOCK = /Unable to create '(.+\.lock)': File exists/;

/** The lock on which a call failed; null where that is not why. */
export const lockOf = ({ stderr }: GitResult): string | null => LOCK.exec(stderr)?.[1] ?? null;

/** Git's own error message: the first line that begins as an error, or the first line at all. */
export function complaint(result: GitResult): string {
  const lock = lockOf(result);
  if (lock !== null)
    return `${lock} exists: another git process is running in the repository, or one that was killed left it; remove it if no git process runs`;
  const { exitCode, stderr, stdout } = result;
  const lines = `${stderr}\n${stdout}`.split('\n').filter((line) => line.trim() !== '');
  const said = lines.find((line) => /^(fatal|error): /.test(line)) ?? lines[0];
  return said?.replace(/^(fatal|error): |\.$/g, '') ?? `git ended with exit code ${exitCode}`;
}

/** The parts of what git printed with `-z`. */
export function splitNul(text: string): string[] {
  const parts = text.split('\0');
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts;
}

// How long git may take for all calls of one operation together.

export interface GitLimits {
  /** The run for which the work is done, where no other process works for it at the same time; null otherwise. */
  runId: string | null;
  /** Seconds from now, for all calls together. */
  seconds: number;
  /** Aborted when the run is interrupted. Default: never. */
  signal?: AbortSignal;
  /** Seconds that are left after that: work that was done is still to be kept. Default: none. */
  secondsAfterAbort?: number;
}

/** What is left of the limits. */
export interface Allowance {
  readonly runId: string | null;
  /** Aborted when no call may go on any more, with the reason in a few words. */
  readonly over: AbortSignal;
  /** The call that was active then, and so the cause why later ones were not made; null for none. */
  cut: string | null;
}

/** Why a call was ended, after its name. */
export const tooLong = (seconds: number): string =>
  `did not end within ${seconds} s: a filter, a network or a disk may not answer`;

/** Longest delay of a timer in milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

const current = new AsyncLocalStorage<Allowance>();

/** Time beyond the limits in which an operation that was cut short can report that itself, in milliseconds. */
const CLEANUP_MS = 3_000;

/**
 * Does something in which calls of git end with the limits. Rejects soon after that where something else does not come
 * to its end; no call of git that it makes then does anything.
 */
export async function withinLimits<T>(limits: GitLimits, work: () => Promise<T>): Promise<T> {
  const { runId, seconds, signal, secondsAfterAbort = 0 } = limits;
  const over = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const endAfter = (later: number, why: string): void => {
    timers.push(setTimeout(() => over.abort(why), Math.min(later * 1000, LONGEST_MS)));
  };
  const onAbort = (): void => {
    const why = 'did not end before the run was interrupted';
    if (secondsAfterAbort === 0) over.abort(why);
    else endAfter(secondsAfterAbort, why);
  };
  endAfter(seconds, tooLong(seconds));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([
      current.run({ runId, over: over.signal, cut: null }, work),
      afterAll(over.signal, timers),
    ]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function afterAll(over: AbortSignal, timers: NodeJS.Timeout[]): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new Error(`It ${String(over.reason)}`));
    over.addEventListener('abort', () => timers.push(setTimeout(end, CLEANUP_MS)), { once: true });
  });
}

/** Runs without the limits of the current operation, for what several operations wait for. */
export const withoutLimits = <T>(work: () => T): T => current.exit(work);

/** Null where nothing limits the calls of git but their own limit. */
export const allowance = (): Allowance | null => current.getStore() ?? null;

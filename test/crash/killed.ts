/** Starts a run and kills it at a moment that is drawn by lot. */
import { type ChildProcess, spawn } from 'node:child_process';
import { commandOf, hasProcessTable, livingProcesses } from '../../src/os/process-table.ts';
import { bin, cleanEnvironment } from '../kit/command.ts';
import { isLiving } from '../kit/is-living.ts';

/** Variable by which everything that a crash test started is found. */
export const CRASH_VARIABLE = 'CRASH_TEST_FOLDER';

/** What a run did before it ended or was killed. */
export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
  /** What was being done when it was killed; null when it ended by itself. */
  killedWhile: 'loading' | 'executing' | 'ending' | null;
}

/** When it is killed. */
export type Moment =
  | { after: 'start'; milliseconds: number }
  | { after: 'lines'; lines: number }
  | { after: 'last-result'; milliseconds: number };

/**
 * Who is killed: the run's process, which another takes the place of at once; the same, and then both of the processes
 * that are there (`run-then-both`); the one that watches over it, whereupon the run ends as after SIGTERM; both, so that
 * it has to be resumed; or the process that starts commands, without which the run goes on.
 */
export type Whom = 'run' | 'run-then-both' | 'watcher' | 'both' | 'host';

export interface Kill {
  moment: Moment;
  whom: Whom;
  /** Milliseconds from the first kill to the second, where there are two. */
  again: number;
  /** Called right after, with all that was printed before. */
  onKilled: (stdout: string) => void;
}

const FINISHED = '"event":"workstream-finished"';

/** Runs `millrace ARGS` to its end, and kills it on the way when the moment comes; null lets it be. */
export async function runAndKill(folder: string, args: string[], kill: Kill | null): Promise<Ran> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: { ...cleanEnvironment(), [CRASH_VARIABLE]: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const seen: Seen = { stdout: '', stderr: '', lines: 0, results: 0, killedWhile: null };
  let orphan: number | null = null;
  const moment = kill?.moment ?? null;
  let timer: NodeJS.Timeout | null = null;
  const strike = (): void => {
    if (kill?.whom === 'watcher' && child.pid !== undefined) orphan ??= runOf(child.pid);
    if (kill === null || seen.killedWhile !== null || !signal(child, kill.whom)) return;
    seen.killedWhile = phaseOf(seen);
    kill.onKilled(seen.stdout);
    if (kill.whom === 'run-then-both') timer = setTimeout(() => signal(child, 'both'), kill.again);
  };
  if (moment?.after === 'start') timer = setTimeout(strike, moment.milliseconds);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen.stdout += text;
    seen.lines += text.split('\n').length - 1;
    seen.results += text.split(FINISHED).length - 1;
    if (moment?.after === 'lines' && seen.lines >= moment.lines) strike();
    if (moment?.after === 'last-result' && phaseOf(seen) === 'ending') {
      timer ??= setTimeout(strike, moment.milliseconds);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    seen.stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (timer !== null) clearTimeout(timer);
  // A run whose watcher was killed closes its output a moment before its process is gone.
  if (orphan !== null) await gone(orphan);
  return { code, stdout: seen.stdout, stderr: seen.stderr, killedWhile: seen.killedWhile };
}

async function gone(pid: number): Promise<void> {
  while (isLiving(pid)) await new Promise((resolve) => setImmediate(resolve));
}

interface Seen extends Pick<Ran, 'stdout' | 'stderr' | 'killedWhile'> {
  lines: number;
  results: number;
}

/** False where there is nobody to kill: it has ended, or has not started the run's process yet. */
function signal(child: ChildProcess, whom: Whom): boolean {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
  if (whom === 'both') return sigkill(-child.pid);
  const victim = whom === 'watcher' ? child.pid : runOf(child.pid);
  if (whom === 'host') return victim !== null && killHostOf(victim);
  return victim !== null && sigkill(victim);
}

/** False where it ended between the look at the process table and now. */
function sigkill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}

/** False where it starts no commands, or not in a process of their own. */
function killHostOf(run: number): boolean {
  const host = [...livingProcesses()].find(
    ({ pid, parent }) => parent === run && commandOf(pid).includes('command-host'),
  );
  return host !== undefined && sigkill(host.pid);
}

/** The process of the run that this one watches over; null where there is none, or the system does not tell. */
function runOf(watcher: number): number | null {
  if (!hasProcessTable) return null;
  return [...livingProcesses()].find(({ parent }) => parent === watcher)?.pid ?? null;
}

function phaseOf({ stdout, results }: Pick<Seen, 'stdout' | 'results'>): Ran['killedWhile'] {
  const started = stdout.includes('"event":"run-started"');
  if (!started) return 'loading';
  const [, total = '0'] = /"event":"run-started".*?"workstreams":(\d+)/.exec(stdout) ?? [];
  const [, before = '0'] = /"finished_before":(\d+)/.exec(stdout) ?? [];
  return results + Number(before) >= Number(total) ? 'ending' : 'executing';
}

/** Starts a run and kills it at a moment that is drawn by lot. */
import { type ChildProcess, spawn } from 'node:child_process';
import { bin, cleanEnvironment } from '../rig/command.ts';

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

const FINISHED = '"event":"workstream-finished"';

/** Runs `millrace ARGS`, and kills it when the moment comes: only it, or its whole process group. */
export async function runAndKill(
  folder: string,
  args: string[],
  moment: Moment | null,
  whole: boolean,
): Promise<Ran> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: { ...cleanEnvironment(), [CRASH_VARIABLE]: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const seen = { stdout: '', stderr: '', lines: 0, results: 0, killed: false };
  const kill = (): void => {
    if (seen.killed || child.pid === undefined) return;
    seen.killed = true;
    signal(child, whole);
  };
  let timer: NodeJS.Timeout | null = null;
  if (moment?.after === 'start') timer = setTimeout(kill, moment.milliseconds);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen.stdout += text;
    seen.lines += text.split('\n').length - 1;
    seen.results += text.split(FINISHED).length - 1;
    if (moment?.after === 'lines' && seen.lines >= moment.lines) kill();
    if (moment?.after === 'last-result' && phaseOf(seen) === 'ending') {
      timer ??= setTimeout(kill, moment.milliseconds);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    seen.stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (timer !== null) clearTimeout(timer);
  return {
    code,
    stdout: seen.stdout,
    stderr: seen.stderr,
    killedWhile: code === null ? phaseOf(seen) : null,
  };
}

function signal(child: ChildProcess, whole: boolean): void {
  if (!whole || child.pid === undefined) child.kill('SIGKILL');
  else process.kill(-child.pid, 'SIGKILL');
}

function phaseOf({ stdout, results }: { stdout: string; results: number }): Ran['killedWhile'] {
  const started = stdout.includes('"event":"run-started"');
  if (!started) return 'loading';
  const [, total = '0'] = /"event":"run-started".*?"workstreams":(\d+)/.exec(stdout) ?? [];
  const [, before = '0'] = /"finished_before":(\d+)/.exec(stdout) ?? [];
  return results + Number(before) >= Number(total) ? 'ending' : 'executing';
}

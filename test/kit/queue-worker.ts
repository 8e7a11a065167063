/** `millrace worker` as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { bin, cleanEnvironment, parseLines } from './command.ts';
import { QUEUE_KEY } from './redis.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface StartedWorker {
  child: ChildProcess;
  /** The lines of its log so far. */
  lines: () => Record<string, unknown>[];
}

interface WorkerOptions {
  /** Its folder; default: one of its own. */
  state?: string;
  /** What its clock on the wall shows, in milliseconds since 1970; default: the time. */
  clock?: number;
  /** How many workstreams it executes at once; default: one. */
  agents?: number;
  /** Default: two. */
  leaseSeconds?: number;
  /** More of its environment. */
  env?: NodeJS.ProcessEnv;
  /** More of its arguments. */
  args?: readonly string[];
  /** A command that executes the one that follows it, such as `['ip', 'netns', 'exec', NAME]`. */
  within?: readonly string[];
}

const setClock = fileURLToPath(new URL('./set-clock.mjs', import.meta.url));

/** Resolves when it takes work. It is killed when the test ends. */
export async function startWorker(
  url: string,
  name: string,
  {
    state = temporaryFolder(),
    clock,
    agents = 1,
    leaseSeconds = 2,
    env = {},
    args: more = [],
    within = [],
  }: WorkerOptions = {},
): Promise<StartedWorker> {
  const flags = { queue: url, name, agents, 'lease-seconds': leaseSeconds, state };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const [preloaded, shown]: [string[], Record<string, string>] =
    clock === undefined ? [[], {}] : [['--import', setClock], { TEST_CLOCK: `${clock},1` }];
  const [program, ...before] = [...within, process.execPath];
  const child = spawn(program, [...before, ...preloaded, bin, 'worker', ...args, ...more], {
    env: { ...cleanEnvironment(), MILLRACE_QUEUE_KEY: QUEUE_KEY, ...shown, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => kill(child));
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const lines = () => parseLines(printed.slice(0, printed.lastIndexOf('\n') + 1));
  await expect.poll(() => lines().some(({ event }) => event === 'worker-started')).toBe(true);
  return { child, lines };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

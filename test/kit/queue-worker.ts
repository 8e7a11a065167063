/** `millrace worker` as a process of its own, with one agent and a lease of two seconds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished } from 'vitest';
import { bin, cleanEnvironment, parseLines } from './command.ts';
import { QUEUE_KEY } from './redis.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface StartedWorker {
  child: ChildProcess;
  /** The lines of its log so far. */
  lines: () => Record<string, unknown>[];
}

/** Resolves when it takes work. It is killed when the test ends. */
export async function startWorker(
  url: string,
  name: string,
  state = temporaryFolder(),
): Promise<StartedWorker> {
  const flags = { queue: url, name, agents: '1', 'lease-seconds': '2', state };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  const child = spawn(process.execPath, [bin, 'worker', ...args], {
    env: { ...cleanEnvironment(), MILLRACE_QUEUE_KEY: QUEUE_KEY },
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

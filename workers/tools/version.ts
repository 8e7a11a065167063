import { closeSync, constants } from 'node:fs';
import { NEW_FILE } from '../../src/os/log-file.ts';
import { signalGroup } from '../../src/os/process-group.ts';
import { readTail } from '../../src/os/read-text.ts';
import { openRegular } from '../../src/os/regular-file.ts';
import { firstOf } from '../../src/text/cut-text.ts';
import type { Command } from '../processes/command.ts';
import { ended, startProcess } from '../processes/process.ts';

const TIMEOUT_MS = 20_000;
const MAX_LENGTH = 200;

/** The versions that this thread has read. */
const known = new Map<string, string | null>();

/**
 * The first line that the program prints about its version, at most 200 characters; null when it prints none within
 * `timeoutMs` or ends with another exit code than 0. It is asked once in each thread. `file` takes its output.
 */
export async function probeVersion(
  command: Command,
  file: string,
  signal: AbortSignal,
  timeoutMs = TIMEOUT_MS,
): Promise<string | null> {
  const key = [command.file, ...command.args].join('\0');
  const before = known.get(key);
  if (before !== undefined) return before;
  const version = await ask(command, file, signal, timeoutMs);
  // Stopped before it could answer: the next workstream may ask again.
  if (!signal.aborted) known.set(key, version);
  return version;
}

async function ask(
  command: Command,
  file: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<string | null> {
  const { O_RDWR, O_CREAT, O_TRUNC } = constants;
  const rules = { flags: O_RDWR | O_CREAT | O_TRUNC, refuseLinks: true, mode: NEW_FILE.mode };
  const output = openRegular(file, rules);
  try {
    const child = startProcess(command, ['ignore', output, 'ignore']);
    if (child instanceof Error) return null;
    // Nothing is lost with it, so it needs no grace.
    const end = (): void => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    };
    const timer = setTimeout(end, timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const result = await ended(child);
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    return 'code' in result && result.code === 0 ? firstLine(readTail(output, 0)) : null;
  } finally {
    closeSync(output);
  }
}

function firstLine(text: string): string | null {
  const line = text.split('\n').find((part) => part.trim() !== '');
  return line === undefined ? null : firstOf(line.trim(), MAX_LENGTH);
}

/** The numbers of the first version in a text, as in "codex-cli 0.169.0"; null for none. */
function versionNumbers(text: string): number[] | null {
  const found = /\d+(?:\.\d+)+/.exec(text)?.[0];
  return found === undefined ? null : found.split('.').map(Number);
}

/** Whether the version that a program printed is before `first`. False where it printed none. */
export function isBefore(printed: string, first: string): boolean {
  const numbers = versionNumbers(printed);
  const limit = versionNumbers(first);
  if (numbers === null || limit === null) return false;
  for (const [index, part] of limit.entries()) {
    const difference = (numbers[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** What Linux tells of the processes of this machine in /proc; there is no such table elsewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Whether there is one. */
export const hasProcessTable = process.platform === 'linux' && existsSync('/proc/self/stat');

/** A process that still runs. One that has ended and was not reaped by its parent does not. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  /** Process group. */
  group: number;
  /** When it was started, in clock ticks: tells it from a later one with the same pid. */
  startedAt: string;
}

/** Every living process, zombies left out: in a container whose first process reaps nobody they stay for ever. */
export function* livingProcesses(): Generator<ProcessEntry> {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readEntry(Number(name));
    if (entry !== null) yield entry;
  }
}

/** Whether the process is alive. */
export const isLiving = (pid: number): boolean => readEntry(pid) !== null;

/**
 * Whether a variable of the environment that the process was started with holds `text`. False where that can't be
 * read: the process has ended, or it belongs to another user.
 */
export function startedWith(pid: number, variable: string, text: string): boolean {
  const environment = readText(`/proc/${pid}/environ`);
  if (!environment.includes(text)) return false;
  return environment.split('\0').some((pair) => pair.startsWith(`${variable}=`) && pair.includes(text));
}

/** Null when there is no such process or it has ended. */
function readEntry(pid: number): ProcessEntry | null {
  const stat = readText(`/proc/${pid}/stat`);
  // The program's name comes before these fields, and may itself hold spaces and brackets (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const startedAt = fields[19];
  if (startedAt === undefined || state === 'Z' || state === 'X') return null;
  return { pid, parent: Number(parent), group: Number(group), startedAt };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It ended between the listing and the reading, or is not ours to look into.
    return '';
  }
}

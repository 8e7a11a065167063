/** Tells whether the process that wrote a run still exists, even if its id has been given to another one since. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own count; null where that can't be known. */
  started: string | null;
  hostname: string;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid), hostname: hostname() };
}

/** True only when it is known: a process of another machine may be alive. One that nobody has waited for is gone too. */
export function isGone(identity: ProcessIdentity): boolean {
  if (identity.hostname !== hostname()) return false;
  if (!exists(identity.pid) || isZombie(identity.pid)) return true;
  const started = startOf(identity.pid);
  return started !== null && identity.started !== null && started !== identity.started;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** Field 3 of /proc/PID/stat is its state. In a container whose first process waits for nobody, zombies stay. */
const isZombie = (pid: number): boolean => /^[ZX]$/.test(fieldsOf(pid)[0] ?? '');

/** Field 22 of /proc/PID/stat: clock ticks from boot to the start. */
const startOf = (pid: number): string | null => fieldsOf(pid)[19] ?? null;

/** The fields of /proc/PID/stat from the third on; the name in field 2 may hold spaces and brackets. */
function fieldsOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // There is no /proc here, or the process has just ended.
    return [];
  }
}

/** Tells whether the process that wrote a run still exists, even if its id has been given to another one since. */
import { hostname } from 'node:os';
import { isZombie, startOf } from './process-table.ts';

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

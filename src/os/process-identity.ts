/** Tells whether the process that wrote a run still exists, even if its id has been given to another one since. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isZombie, startOf } from './process-table.ts';

export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own count; null where that can't be known. */
  started: string | null;
  hostname: string;
  /** Names the start of the machine; null or absent where that is not known. */
  bootId?: string | null;
  /** Among whose processes `pid` counts: containers on one machine have one each, and may share a host name. */
  pidNamespace?: string | null;
}

/**
 * What can be said of a process from here.
 *
 * - `rebooted`: a machine of this name was started since. That is this machine, or another one of its name.
 * - `elsewhere`: on another machine or in another container, where its id says nothing to us.
 */
export type Sight = 'alive' | 'gone' | 'rebooted' | 'elsewhere';

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid), hostname: hostname(), ...HERE };
}

/** True only when it is known: a process of another machine may be alive. One that nobody has waited for is gone too. */
export function isGone(identity: ProcessIdentity): boolean {
  const sight = lookAfter(identity);
  return sight === 'gone' || sight === 'rebooted';
}

/** Looks whether a process is alive. */
export function lookAfter(identity: ProcessIdentity): Sight {
  if (identity.hostname !== hostname()) return 'elsewhere';
  if (differ(identity.bootId, HERE.bootId)) return 'rebooted';
  if (differ(identity.pidNamespace, HERE.pidNamespace)) return 'elsewhere';
  if (!exists(identity.pid) || isZombie(identity.pid)) return 'gone';
  return differ(identity.started, startOf(identity.pid)) ? 'gone' : 'alive';
}

/** What is not known differs from nothing. */
function differ(one: string | null | undefined, other: string | null | undefined): boolean {
  return (one ?? null) !== null && (other ?? null) !== null && one !== other;
}

/** Null where the system does not tell. */
function told(read: () => string): string | null {
  try {
    return read().trim();
  } catch {
    // Only Linux has these files.
    return null;
  }
}

const HERE = {
  bootId: told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
  pidNamespace: told(() => readlinkSync('/proc/self/ns/pid')),
};

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

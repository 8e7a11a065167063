/** Whether the process that wrote a run still exists, even if its id was assigned to another process since. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isZombie, startOf } from './process-table.ts';

export interface ProcessIdentity {
  pid: number;
  /** When it started, in clock ticks since the start of the system; null where that can't be known. */
  started: string | null;
  hostname: string;
  /** Identifies the start of the machine; null or absent where that is not known. */
  bootId?: string | null;
  /** The namespace of `pid`: containers on one machine have one each, and may share a host name. */
  pidNamespace?: string | null;
}

/**
 * What this process can find out about another one.
 *
 * - `rebooted`: a machine of this name was started since: this one, or another one of the same name.
 * - `elsewhere`: it is on another machine or in another container, where its id means nothing here.
 */
export type Liveness = 'alive' | 'gone' | 'rebooted' | 'elsewhere';

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid), hostname: hostname(), ...HERE };
}

/** True only where it is known: a process of another machine may be alive. A zombie is gone. */
export function isGone(identity: ProcessIdentity): boolean {
  const liveness = livenessOf(identity);
  return liveness === 'gone' || liveness === 'rebooted';
}

export function livenessOf(identity: ProcessIdentity): Liveness {
  if (identity.hostname !== hostname()) return 'elsewhere';
  if (differ(identity.bootId, HERE.bootId)) return 'rebooted';
  if (differ(identity.pidNamespace, HERE.pidNamespace)) return 'elsewhere';
  if (!exists(identity.pid) || isZombie(identity.pid)) return 'gone';
  return differ(identity.started, startOf(identity.pid)) ? 'gone' : 'alive';
}

/** False where one of them is not known. */
function differ(one: string | null | undefined, other: string | null | undefined): boolean {
  return (one ?? null) !== null && (other ?? null) !== null && one !== other;
}

/** Null where the system has no such file. */
function contentOf(read: () => string): string | null {
  try {
    return read().trim();
  } catch {
    // Only Linux has these files.
    return null;
  }
}

const HERE = {
  bootId: contentOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
  pidNamespace: contentOf(() => readlinkSync('/proc/self/ns/pid')),
};

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

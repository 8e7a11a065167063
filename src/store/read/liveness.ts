/** Whether a run that is marked as running still has its process: one rule for its state, for resuming and for locks. */
import { z } from 'zod';
import { livenessOf, type ProcessIdentity } from '../../os/process-identity.ts';
import { numberCell, textCell } from '../schema/cells.ts';

/** The interval of a run's heartbeat, and after how long without one it counts as gone, in milliseconds. */
export const HEARTBEAT_MS = 10_000;
export const SILENCE_MS = 60_000;

/** The columns of a run's row that the rule needs. */
export const processShape = {
  pid: numberCell,
  pid_started: textCell,
  hostname: textCell,
  boot_id: textCell,
  pid_namespace: textCell,
  heartbeat_at: textCell,
};

export const PROCESS_COLUMNS = Object.keys(processShape).join(', ');

const processRow = z.object(processShape);
type ProcessRow = z.infer<typeof processRow>;

/** The process that last wrote a run; null where that is not known. */
export function processOf(row: ProcessRow): ProcessIdentity | null {
  const { pid, pid_started: started, hostname, boot_id: bootId, pid_namespace: pidNamespace } = row;
  return pid === null || hostname === null ? null : { pid, started, hostname, bootId, pidNamespace };
}

/**
 * Whether the process that writes a run is known to be gone. Where its id can be checked, that decides. One of another
 * machine or another container is alive as long as its heartbeat is less than a minute old, and also where it has none,
 * because an older version writes it.
 * @param now milliseconds since 1970.
 */
export function isWriterGone(row: ProcessRow, now = Date.now()): boolean {
  const process = processOf(row);
  if (process === null) return false;
  const liveness = livenessOf(process);
  if (liveness === 'alive' || liveness === 'gone') return liveness === 'gone';
  const heard = Date.parse(row.heartbeat_at ?? '');
  return Number.isNaN(heard) ? liveness === 'rebooted' : now - heard > SILENCE_MS;
}

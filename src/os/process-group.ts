import { ancestors, entryOf, hasProcessTable, livingProcesses } from './process-table.ts';

/** Signals every process of a group. A group that has ended, or belongs to another user, is no error. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  signalProcess(-leader, signal);
}

/**
 * Signals a process, or with a negative number a group. One that has ended, or that this user may not signal, is no error.
 * A process that this one depends on is never signalled: see `isVital`.
 */
export function signalProcess(target: number, signal: NodeJS.Signals): void {
  if (isVital(target)) return;
  try {
    process.kill(target, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Whether that is this process, its group, one of its ancestors, the first process, or (0, -1) more than one group. */
export function isVital(target: number): boolean {
  const pid = Math.abs(target);
  if (pid <= 1 || pid === process.pid || pid === process.ppid) return true;
  if (!hasProcessTable) return false;
  const vital = ancestors();
  return target > 0 ? vital.includes(pid) : vital.some((each) => entryOf(each)?.group === pid);
}

/** Whether a process of the group is alive. One that has ended and was not reaped by its parent is not. */
export function groupIsAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0);
  } catch {
    // ESRCH: the group has no process. EPERM: it belongs to another user.
    return false;
  }
  return !hasProcessTable || hasLivingMember(leader);
}

function hasLivingMember(leader: number): boolean {
  for (const { group } of livingProcesses()) if (group === leader) return true;
  return false;
}

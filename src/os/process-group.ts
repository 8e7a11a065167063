import { ancestors, entryOf, hasProcessTable, livingProcesses } from './process-table.ts';

/** Signals every process of a group. One that is gone already, or that belongs to another user, is no error. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  signalProcess(-leader, signal);
}

/**
 * Signals a process, or the group of a negative number. One that is gone, or not ours to signal, is no error. What this
 * process lives by is never signalled, whoever asks for it: itself, its group, what it descends from, and the first
 * process of the system, as whose group every process would be taken.
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

/** Whether that is this process, its group, what it descends from, the first process, or everything at once. */
export function isVital(target: number): boolean {
  const pid = Math.abs(target);
  if (pid <= 1 || pid === process.pid || pid === process.ppid) return true;
  if (!hasProcessTable) return false;
  const vital = ancestors();
  return target > 0 ? vital.includes(pid) : vital.some((each) => entryOf(each)?.group === pid);
}

/** Whether a process of the group still runs. One that has ended and was not reaped by its parent does not. */
export function groupIsAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0);
  } catch {
    // ESRCH: nobody is left in the group. EPERM can't be ours to end.
    return false;
  }
  return !hasProcessTable || hasLivingMember(leader);
}

function hasLivingMember(leader: number): boolean {
  for (const { group } of livingProcesses()) if (group === leader) return true;
  return false;
}

import { readdirSync, readFileSync } from 'node:fs';

/** Signals every process of a group. One that is gone already, or that belongs to another user, is no error. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Whether a process of the group still runs. One that has ended and was not reaped by its parent does not. */
export function groupIsAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0);
  } catch {
    // ESRCH: nobody is left in the group. EPERM can't be ours to end.
    return false;
  }
  return process.platform !== 'linux' || hasLivingMember(leader);
}

/** Looks through /proc: in a container whose first process reaps nobody, orphans stay as zombies for ever. */
function hasLivingMember(leader: number): boolean {
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const [state, , group] = statFields(name);
    return group === String(leader) && state !== 'Z' && state !== 'X';
  });
}

/** The fields of /proc/PID/stat after the program's name, which may itself hold spaces and brackets (proc(5)). */
function statFields(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It ended between the listing and the reading.
    return [];
  }
}

import { OwnedProcesses, MARK_VARIABLE } from './owned-processes.ts';
import { markOfRun } from './mark-of-run.ts';
import { isGone, type ProcessIdentity } from './process-identity.ts';
import { hasProcessTable, livingProcesses, startedWith } from './process-table.ts';

/** What became of the processes that a run's process left when it was killed. */
export type LeftProcesses =
  | { kind: 'none' }
  | { kind: 'ended'; groups: number; left: number }
  /** This system does not tell the environment of processes. */
  | { kind: 'not-looked-for' }
  /** This process was started by one of them, and would end itself. */
  | { kind: 'above-us' };

/**
 * Ends what a process that is dead had started for a run, wherever it went: found by the mark in its environment,
 * which names the run, the process and when that was started.
 * @param graceSeconds how long they get to end by themselves.
 */
export async function endLeftProcesses(
  runId: string,
  process: ProcessIdentity,
  graceSeconds: number,
): Promise<LeftProcesses> {
  if (!isGone(process)) return { kind: 'none' };
  if (!hasProcessTable || process.started === null) return { kind: 'not-looked-for' };
  const mark = markOfRun(runId, process);
  if (ancestors().some((pid) => startedWith(pid, MARK_VARIABLE, mark))) return { kind: 'above-us' };
  const { groups, left } = await new OwnedProcesses(mark).end(graceSeconds, 'everywhere');
  return groups === 0 ? { kind: 'none' } : { kind: 'ended', groups, left };
}

/** This process, its parent, and so on. */
function ancestors(): number[] {
  const parents = new Map([...livingProcesses()].map(({ pid, parent }) => [pid, parent]));
  const found: number[] = [];
  let pid: number | undefined = globalThis.process.pid;
  while (pid !== undefined && pid > 0 && !found.includes(pid)) {
    found.push(pid);
    pid = parents.get(pid);
  }
  return found;
}

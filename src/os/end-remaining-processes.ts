import { MARK_VARIABLE, type NamedProcess, OwnedProcesses, runMark } from './owned-processes.ts';
import { isGone, type ProcessIdentity } from './process-identity.ts';
import { ancestors, hasProcessTable, startedWith } from './process-table.ts';

/** What became of the processes that a run's process left when it was killed. */
export type LeftProcesses =
  | { kind: 'none' }
  | { kind: 'ended'; found: NamedProcess[]; left: NamedProcess[] }
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
  const mark = runMark(runId, process);
  if (ancestors().some((pid) => startedWith(pid, MARK_VARIABLE, mark))) return { kind: 'above-us' };
  const { found, left } = await new OwnedProcesses(mark).end(graceSeconds, 'everywhere');
  return found.length === 0 ? { kind: 'none' } : { kind: 'ended', found, left };
}

import { ownIdentity, type ProcessIdentity } from './process-identity.ts';

/**
 * How the marks begin of everything that a process starts for a run. Two databases may have a run of the same id at
 * the same time, and pids are given out again: a process and its start tell them apart.
 */
export function markOfRun(
  runId: string,
  { pid, started }: Pick<ProcessIdentity, 'pid' | 'started'> = own,
): string {
  return `${runId}/${pid}-${started ?? ''}/`;
}

const own = ownIdentity();

import { type Inheritance, NOTHING_EARLIER } from '../domain/earlier-run.ts';
import type { Connection } from '../store/connection.ts';
import { attemptsOf } from '../store/earlier-run.ts';
import type { Prepared } from './prepare.ts';

/** What a run builds on: the work of the runs before it and, where it is resumed, what it had done itself. */
export function inherit(
  { resumed, earlierWork }: Prepared,
  runId: string,
  connection: Connection,
): Inheritance {
  if (resumed === null) return { ...NOTHING_EARLIER, work: earlierWork };
  const { inheritance, toRun } = resumed.resumption;
  return {
    ...inheritance,
    work: [...earlierWork, ...inheritance.work],
    crashed: resumed.crashed,
    attempts: attemptsOf(connection, runId, toRun),
  };
}

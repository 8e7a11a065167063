/** What becomes of a run once nothing is written to it any more. */
import { z } from 'zod';
import type { RunSummary } from '../../domain/run-record.ts';
import { isWriterGone, PROCESS_COLUMNS, processShape } from '../read/liveness.ts';
import { countOf, rows } from '../read/rows.ts';
import type { Connection } from '../schema/connection.ts';
import { RECOUNT } from './recorder-statements.ts';

const DROP_LOCKS = 'DELETE FROM run_locks WHERE run_id = ?';

/** Frees everything that a run holds against others. */
export function dropLocks(connection: Connection, runId: string): void {
  connection.prepare(DROP_LOCKS).run(runId);
}

const runningRow = z.object({ run_id: z.string(), ...processShape });

/**
 * Marks the runs whose process died as interrupted. Their plans stay, to be resumed, and their locks until a run that
 * needs one has ended what that process left running.
 */
export function markDeadRuns(connection: Connection): void {
  if (deadRuns(connection).length === 0) return;
  const mark = connection.prepare("UPDATE consolidated_runs SET state = 'interrupted' WHERE run_id = ?");
  connection
    .transaction(() => {
      for (const runId of deadRuns(connection)) mark.run(runId);
    })
    .immediate();
}

function deadRuns(connection: Connection): string[] {
  const sql = `SELECT run_id, ${PROCESS_COLUMNS} FROM consolidated_runs WHERE state = 'running'`;
  return rows(connection, runningRow, sql)
    .filter((row) => isWriterGone(row))
    .map(({ run_id: runId }) => runId);
}

/**
 * Counts the totals of a run again where its results are not as many as were written: others deleted some. Returns
 * whether that was so.
 */
export function correctTotals(connection: Connection, { runId, totals }: RunSummary): boolean {
  const written = totals.completed + totals.failed + totals.skipped;
  const there = countOf(connection, 'SELECT COUNT(*) AS n FROM agent_results WHERE run_id = ?', runId);
  if (there === written) return false;
  connection.prepare(`UPDATE consolidated_runs SET ${RECOUNT} WHERE run_id = @run`).run({ run: runId });
  return true;
}

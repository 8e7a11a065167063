/** Keeps what later runs need of a run, once nothing is written to it any more. */
import { z } from 'zod';
import { isWriterGone, PROCESS_COLUMNS, processShape } from '../read/liveness.ts';
import { rows } from '../read/rows.ts';
import type { Connection } from '../schema/connection.ts';

/** A workstream that was marked as done has no duration: its earlier one is kept. */
const KEEP_DURATIONS = `
INSERT INTO workstream_durations (workstream_id, duration_seconds, definition_hash, run_id)
SELECT w.workstream_id, r.duration_seconds, w.definition_hash, w.run_id
FROM agent_results r CROSS JOIN run_workstreams w ON w.run_id = r.run_id AND w.workstream_id = r.workstream_id
WHERE r.run_id = ? AND r.status = 'completed'
ON CONFLICT (workstream_id) DO UPDATE SET
  duration_seconds = COALESCE(excluded.duration_seconds, duration_seconds),
  definition_hash = excluded.definition_hash,
  run_id = excluded.run_id`;

/** Workstreams without a result stay: they are what a run did not finish. */
const DROP_FINAL = `
DELETE FROM run_workstreams WHERE run_id = ? AND EXISTS (
  SELECT 1 FROM agent_results r WHERE r.run_id = run_workstreams.run_id
    AND r.workstream_id = run_workstreams.workstream_id AND r.attempts IS NOT NULL)`;

const DROP_LOCKS = 'DELETE FROM run_locks WHERE run_id = ?';

/**
 * Keeps the durations of what completed, and drops the live states that a result has replaced. Done once for a run and
 * not for each result, because that would double what a result costs.
 */
export function finalizeRun(connection: Connection, runId: string): void {
  connection.prepare(KEEP_DURATIONS).run(runId);
  connection.prepare(DROP_FINAL).run(runId);
}

/** Frees everything that a run holds against others. */
export function dropLocks(connection: Connection, runId: string): void {
  connection.prepare(DROP_LOCKS).run(runId);
}

const runningRow = z.object({ run_id: z.string(), ...processShape });

/**
 * Finalizes the runs whose process died, and marks them as interrupted. Their locks stay until a run that needs one has
 * ended what that process left running.
 */
export function finalizeDeadRuns(connection: Connection): void {
  const dead = unfinished(connection);
  if (dead.length === 0) return;
  const settle = connection.transaction(() => {
    for (const runId of dead) {
      finalizeRun(connection, runId);
      connection.prepare("UPDATE consolidated_runs SET state = 'interrupted' WHERE run_id = ?").run(runId);
    }
  });
  settle.immediate();
}

function unfinished(connection: Connection): string[] {
  const sql = `SELECT run_id, ${PROCESS_COLUMNS} FROM consolidated_runs WHERE state = 'running'`;
  return rows(connection, runningRow, sql)
    .filter((row) => isWriterGone(row))
    .map(({ run_id: runId }) => runId);
}

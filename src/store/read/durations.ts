/** Reads what is known from earlier runs about workstreams of these ids. */
import { z } from 'zod';
import { numberCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { rows } from './rows.ts';

/** The last time that a workstream completed. */
export interface EarlierCompletion {
  /** Of the definition it then had. */
  definitionHash: string;
  runId: string;
}

const durationRow = z.object({
  workstream_id: z.string(),
  duration_seconds: numberCell,
  definition_hash: z.string(),
  run_id: z.string(),
});

const FINALIZED = `
  SELECT d.* FROM json_each(?) wanted CROSS JOIN workstream_durations d ON d.workstream_id = wanted.value`;

/** Runs that are under way, or whose process died and that no later run has finalized yet. */
const NOT_FINALIZED = `
  SELECT w.workstream_id, r.duration_seconds, w.definition_hash, w.run_id
  FROM consolidated_runs u CROSS JOIN json_each(?) wanted
  CROSS JOIN run_workstreams w ON w.run_id = u.run_id AND w.workstream_id = wanted.value
  CROSS JOIN agent_results r
    ON r.run_id = w.run_id AND r.workstream_id = w.workstream_id AND r.attempts IS NOT NULL
  WHERE u.state = 'running' AND r.status = 'completed' ORDER BY u.created_at`;

/** Seconds that each workstream took when it last completed; ids without history are left out. */
export function knownDurations(connection: Connection, ids: readonly string[]): Map<string, number> {
  const durations = new Map<string, number>();
  for (const row of completions(connection, ids)) {
    if (row.duration_seconds !== null) durations.set(row.workstream_id, row.duration_seconds);
  }
  return durations;
}

/** When each workstream last completed; ids that never did are left out. */
export function completedEarlier(
  connection: Connection,
  ids: readonly string[],
): Map<string, EarlierCompletion> {
  return new Map(
    completions(connection, ids).map((row) => [
      row.workstream_id,
      { definitionHash: row.definition_hash, runId: row.run_id },
    ]),
  );
}

/** What is known of these workstreams, the latest last. */
function completions(connection: Connection, ids: readonly string[]): z.infer<typeof durationRow>[] {
  const wanted = JSON.stringify(ids);
  return [FINALIZED, NOT_FINALIZED].flatMap((sql) => rows(connection, durationRow, sql, wanted));
}

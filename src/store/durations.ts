/** Reads what is known from earlier runs about workstreams of these ids. */
import { z } from 'zod';
import type { Connection } from './connection.ts';
import { numberCell, rows } from './read.ts';

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

const ROWS = 'SELECT d.* FROM json_each(?) j CROSS JOIN workstream_durations d ON d.workstream_id = j.value';

/** Seconds that each workstream took when it last completed; ids without history are left out. */
export function knownDurations(connection: Connection, ids: readonly string[]): Map<string, number> {
  const durations = new Map<string, number>();
  for (const row of rows(connection, durationRow, ROWS, JSON.stringify(ids))) {
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
    rows(connection, durationRow, ROWS, JSON.stringify(ids)).map((row) => [
      row.workstream_id,
      { definitionHash: row.definition_hash, runId: row.run_id },
    ]),
  );
}

/** Takes results of a run under way back, because their workstreams are tried again. */
import { z } from 'zod';
import type { Connection } from '../schema/connection.ts';
import { attemptTable } from '../schema/result-tables.ts';
import { storeError } from '../schema/store-error.ts';

/** A result that is taken back. */
export interface Withdrawal {
  workstreamId: string;
  /** Who asked. */
  by: string;
  /** ISO 8601 in UTC. */
  at: string;
}

const THESE = 'run_id = @run AND workstream_id IN (SELECT value FROM json_each(@ids))';

const firstErrorOf = (column: string): string => `
  (SELECT e.${column} FROM consolidated_errors e
   WHERE e.run_id = r.run_id AND e.workstream_id = r.workstream_id ORDER BY e.id LIMIT 1)`;

/** Where a column of an attempt is in its result, for those that have another name there. */
const OF_LAST_ATTEMPT = new Map([
  ['attempt', 'attempts'],
  ['content_hash', "metadata ->> '$.changes.contentHash'"],
  ['pattern', firstErrorOf('pattern')],
  ['shape_id', firstErrorOf('shape_id')],
]);

/** What a result says of its last attempt, unless that has a row already, as where a tool was used or it was retried. */
const KEEP_ATTEMPTS = `
INSERT OR IGNORE INTO ${attemptTable.name} (${attemptTable.columns.join(', ')})
SELECT ${attemptTable.columns.map((name) => OF_LAST_ATTEMPT.get(name) ?? `r.${name}`).join(', ')} FROM agent_results r
WHERE ${THESE} AND attempts > 0 AND start_time IS NOT NULL AND agent_id <> 'coordinator'`;

const counted = z.object({
  failed: z.number(),
  skipped: z.number(),
  errors: z.number(),
  warnings: z.number(),
});

const COUNT = `
SELECT COUNT(*) FILTER (WHERE status = 'failed') AS failed, COUNT(*) FILTER (WHERE status = 'skipped') AS skipped,
  (SELECT COUNT(*) FROM consolidated_errors WHERE ${THESE}) AS errors,
  COALESCE(SUM(json_array_length(warnings)), 0) AS warnings
FROM agent_results WHERE ${THESE}`;

const TOTALS = `
UPDATE consolidated_runs SET
  failed_count = failed_count - @failed, skipped_count = skipped_count - @skipped,
  total_errors = total_errors - @errors, total_warnings = total_warnings - @warnings
WHERE run_id = @run`;

/** Once the rows are gone: ids above the highest that is left are used again. */
const NOTE = `
INSERT INTO reopened (run_id, workstream_id, at, "by", highest_row)
VALUES (@run, @workstreamId, @at, @by, (SELECT COALESCE(MAX(id), 0) FROM agent_results))`;

/**
 * Removes the rows of these results, with their errors, test cases and what is kept of how they came to be, and corrects the totals of the run. What they say
 * of attempts is kept. Runs inside the recorder's transaction.
 * @throws StoreError where one of the results is not there.
 */
export function withdrawResults(
  connection: Connection,
  run: string,
  withdrawals: readonly Withdrawal[],
): void {
  const these = { run, ids: JSON.stringify(withdrawals.map(({ workstreamId }) => workstreamId)) };
  const counts = counted.parse(connection.prepare(COUNT).get(these));
  if (counts.failed + counts.skipped !== withdrawals.length)
    throw storeError('other', connection.name, 'a result that is to be withdrawn is not in it');
  connection.prepare(KEEP_ATTEMPTS).run(these);
  for (const table of [
    'consolidated_errors',
    'test_cases',
    'agent_results',
    'kept_candidates',
    'kept_sessions',
  ])
    connection.prepare(`DELETE FROM ${table} WHERE ${THESE}`).run(these);
  connection.prepare(TOTALS).run({ run, ...counts });
  const note = connection.prepare(NOTE);
  for (const { workstreamId, at, by } of withdrawals) note.run({ run, workstreamId, at, by });
}

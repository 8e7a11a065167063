/** How hosts execute a run: stored with it, so that a session that resumes it goes on with what they have. */
import { z } from 'zod';
import { firstRow } from '../read/rows.ts';
import type { Connection } from '../schema/connection.ts';

const storedSchema = z.object({ nonce: z.string(), source: z.string() });
type Stored = z.infer<typeof storedSchema>;

const KEEP = 'INSERT OR REPLACE INTO queue_runs (run_id, nonce, source) VALUES (?, ?, ?)';
const FORGET = 'DELETE FROM queue_runs WHERE run_id = ?';
const READ = 'SELECT nonce, source FROM queue_runs WHERE run_id = ?';

/** Null for a run that is executed where it was started. */
export const storedQueueRun = (connection: Connection, runId: string): Stored | null =>
  firstRow(connection, storedSchema, READ, runId);

/** Stores it before hosts get anything of the run; null where they do not, or not any more. */
export function keepQueueRun(connection: Connection, runId: string, stored: Stored | null): void {
  if (stored === null) connection.prepare(FORGET).run(runId);
  else connection.prepare(KEEP).run(runId, stored.nonce, stored.source);
}

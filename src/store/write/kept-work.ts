/** Writes what workstreams without a result have done. What is here runs inside the recorder's transaction. */
import { type Connection, statement } from '../schema/connection.ts';
import type { KeptWork } from './event-batch.ts';

/** One that was executed again, for another definition, is another one. */
const CANDIDATE = `
INSERT OR REPLACE INTO kept_candidates (run_id, workstream_id, attempt, definition_hash, candidate, cost_usd)
VALUES (?, ?, ?, ?, ?, ?)`;

const REVIEW = `
UPDATE kept_candidates SET review = ?, cost_usd = CASE WHEN ? IS NULL THEN cost_usd ELSE COALESCE(cost_usd, 0) + ? END
WHERE run_id = ? AND workstream_id = ? AND attempt = ?`;

/** Of several attempts the last one counts: what the tool goes on with is in its workspace. */
const SESSION = `
INSERT OR REPLACE INTO kept_sessions
  (run_id, workstream_id, step_id, attempt, definition_hash, tool, session_id, folder)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Another attempt names its session itself, also where it goes on with this one. */
const END_SESSIONS = 'DELETE FROM kept_sessions WHERE run_id = ? AND workstream_id = ?';

/** Writes it in the order of the events. */
export function writeKeptWork(connection: Connection, runId: string, events: readonly KeptWork[]): void {
  const write = (sql: string, ...values: (string | number | null)[]): void => {
    const wellFormed = values.map((value) => (typeof value === 'string' ? value.toWellFormed() : value));
    statement(connection, sql).run(wellFormed);
  };
  for (const event of events) {
    const { workstreamId: id } = event;
    switch (event.type) {
      case 'candidate-ended': {
        const { candidate, definitionHash } = event;
        const { attempt, costUsd } = candidate.facts;
        write(CANDIDATE, runId, id, attempt, definitionHash, JSON.stringify(candidate), costUsd);
        break;
      }
      case 'candidate-reviewed': {
        const { attempt, costUsd } = event.review;
        write(REVIEW, JSON.stringify(event.review), costUsd, costUsd, runId, id, attempt);
        break;
      }
      case 'session-began': {
        const { stepId, attempt, definitionHash, tool, sessionId, folder } = event.session;
        write(SESSION, runId, id, stepId, attempt, definitionHash, tool, sessionId, folder);
        break;
      }
      case 'workstream-retrying':
        write(END_SESSIONS, runId, id);
    }
  }
}

/** Drops it where nothing resumes the run any more. */
export function dropKeptWork(connection: Connection, runId: string): void {
  for (const table of ['kept_candidates', 'kept_sessions'])
    connection.prepare(`DELETE FROM ${table} WHERE run_id = ?`).run(runId);
}

/** Begins a further session of a run that was interrupted. */
import type { JsonObject } from '../../domain/json.ts';
import type { ProcessIdentity } from '../../os/process-identity.ts';
import type { Connection } from '../schema/connection.ts';
import { attemptTable } from '../schema/result-tables.ts';
import { dropLocks } from './end-run.ts';
import type { RunStarted } from './event-batch.ts';
import { dropPlan } from './plan-rows.ts';
import { inStatus, NOW, OURS } from './recorder-statements.ts';

/** Changes nothing when another process has resumed the run since it was read. */
const TAKE_OVER = `
UPDATE consolidated_runs SET
  state = 'running', pid = @pid, pid_started = @started, hostname = @hostname, boot_id = @bootId,
  pid_namespace = @pidNamespace, heartbeat_at = ${NOW}, options = @options,
  control_socket = @controlSocket
WHERE run_id = @run AND state = 'interrupted' AND resumed_at IS @resumedAt`;

/** The sign of life that came last; one from before the session belongs to an earlier one. */
const CLOSE_SESSION = `
INSERT INTO run_sessions (run_id, session, started_at, last_seen_at, agents_count)
SELECT u.run_id, 1 + (SELECT COUNT(*) FROM run_sessions s WHERE s.run_id = u.run_id),
  COALESCE(u.resumed_at, u.created_at),
  (SELECT MAX(at) FROM (
    SELECT MAX(end_time) AS at FROM agent_results r
      WHERE r.run_id = u.run_id AND r.end_time >= COALESCE(u.resumed_at, u.created_at)
    UNION ALL SELECT MAX(since) FROM workstreams_in_hand h
      WHERE h.run_id = u.run_id AND h.since >= COALESCE(u.resumed_at, u.created_at))),
  u.agents_count
FROM consolidated_runs u WHERE u.run_id = @run`;

/** Where a column of an attempt is in its result, for those that have another name there. */
const OF_LAST_ATTEMPT = new Map([
  ['attempt', 'attempts'],
  ['content_hash', "metadata ->> '$.changes.contentHash'"],
  // One that was interrupted has no error.
  ['pattern', 'NULL'],
  ['shape_id', 'NULL'],
]);

/** What a discarded result says of its last attempt, unless that has a row already. */
const KEEP_ATTEMPTS = `
INSERT OR IGNORE INTO ${attemptTable.name} (${attemptTable.columns.join(', ')})
SELECT ${attemptTable.columns.map((name) => OF_LAST_ATTEMPT.get(name) ?? name).join(', ')} FROM agent_results
WHERE run_id = @run AND workstream_id IN (SELECT value FROM json_each(@ids)) AND reason = 'interrupted'
  AND attempts > 0 AND start_time IS NOT NULL`;

/** Removes the attempts of workstreams that ran to their end and are run again. */
const DROP_ATTEMPTS = `
DELETE FROM workstream_attempts
WHERE run_id = @run AND workstream_id IN (
  SELECT r.workstream_id FROM json_each(@ids) i CROSS JOIN agent_results r
    ON r.run_id = @run AND r.workstream_id = i.value AND r.attempts IS NOT NULL
  WHERE r.reason IS NULL OR r.reason NOT IN ('interrupted', 'usage-limit'))`;

/** What was running when the process died by itself. */
const SUSPECT = `
INSERT INTO run_crashes (run_id, workstream_id, deaths)
SELECT run_id, workstream_id, 1 FROM workstreams_in_hand h
WHERE run_id = @run AND NOT EXISTS (
  SELECT 1 FROM agent_results r
  WHERE r.run_id = h.run_id AND r.workstream_id = h.workstream_id AND r.attempts IS NOT NULL)
ON CONFLICT (run_id, workstream_id) DO UPDATE SET deaths = deaths + 1`;

const drop = (table: string): string =>
  `DELETE FROM ${table} WHERE run_id = @run AND workstream_id IN (SELECT value FROM json_each(@ids))`;

const RESTART = `
UPDATE consolidated_runs SET
  resumed_at = @at, total_workstreams = @total, agents_count = @agents, agent_names = @names,
  ended_at = NULL, exit_code = NULL, execution_summary = NULL, recommendations = NULL,
  completed_count = ${inStatus('completed')},
  failed_count = ${inStatus('failed')},
  skipped_count = ${inStatus('skipped')},
  total_errors = (SELECT COUNT(*) FROM consolidated_errors WHERE run_id = @run),
  total_warnings = (SELECT COALESCE(SUM(json_array_length(warnings)), 0) FROM agent_results
    WHERE run_id = @run AND warnings <> '[]')
WHERE run_id = @run AND state = 'running' AND ${OURS}`;

/** Which run is taken over, and what of it is dropped. */
export interface SessionTakeover {
  runId: string;
  /** When it had last been resumed, as it was read. */
  resumedAt: string | null;
  /** Workstreams whose results will be dropped. What is known of attempts that were interrupted is kept. */
  discarded: readonly string[];
  options: JsonObject;
  /** Where this session takes requests; null where it takes none. Default: null. */
  controlSocket?: string | null;
}

/** Makes `writer` the writer of an interrupted run; false when another process has taken it since it was read. */
export function resumeSession(
  connection: Connection,
  taking: SessionTakeover,
  writer: ProcessIdentity,
): boolean {
  const { runId: run, resumedAt, controlSocket = null } = taking;
  const values = { run, resumedAt, controlSocket, options: JSON.stringify(taking.options), ...writer };
  if (connection.prepare(TAKE_OVER).run(values).changes === 0) return false;
  // The locks of the process before are released; this one takes its own.
  dropLocks(connection, run);
  const ids = JSON.stringify(taking.discarded);
  for (const sql of [DROP_ATTEMPTS, KEEP_ATTEMPTS]) connection.prepare(sql).run({ run, ids });
  return true;
}

/** Writes the start of a further session. Runs inside the recorder's transaction; false when the run is another's. */
export function restartRun(connection: Connection, started: RunStarted, writer: ProcessIdentity): boolean {
  const { runId: run, at, total, agents, resumed } = started;
  const ids = JSON.stringify(resumed?.discarded ?? []);
  if (resumed?.afterDeath === true) connection.prepare(SUSPECT).run({ run });
  connection.prepare(CLOSE_SESSION).run({ run });
  for (const table of ['consolidated_errors', 'test_cases', 'agent_results']) {
    connection.prepare(drop(table)).run({ run, ids });
  }
  dropPlan(connection, run);
  const names = JSON.stringify(agents);
  const values = { run, at, total, agents: agents.length, names, ...writer };
  return connection.prepare(RESTART).run(values).changes === 1;
}

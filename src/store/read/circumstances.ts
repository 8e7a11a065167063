/** Reads what is known of one workstream in one run: its result, its attempts, and what went on around it. */
import { z } from 'zod';
import { COORDINATOR } from '../../domain/agent-result.ts';
import type { Circumstances, EarlierAttempt, Neighbour } from '../../domain/history/why-document.ts';
import { isoTime, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { attemptTable, resultTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { countOf, firstRow, rows } from './rows.ts';
import { runStatus, unusualRunStatus } from './run-status.ts';

const resultRow = resultTable.row.pick({
  workstream_id: true,
  title: true,
  agent_id: true,
  status: true,
  reason: true,
  explanation: true,
  start_time: true,
  end_time: true,
  duration_seconds: true,
  cpu_wait_seconds: true,
  attempts: true,
  log_file: true,
  metadata: true,
  from_run: true,
  saved_seconds: true,
});

const RESULT = `SELECT ${columnsOf(resultRow, 'r')} FROM agent_results r WHERE r.run_id = ? AND r.workstream_id = ?`;

/** Null where the run has no result of this workstream. */
export function circumstancesOf(
  connection: Connection,
  runId: string,
  workstreamId: string,
): Circumstances | null {
  const row = firstRow(connection, resultRow, RESULT, runId, workstreamId);
  if (row === null) return null;
  const { metadata } = row;
  return {
    workstreamId,
    title: row.title ?? workstreamId,
    file: metadata.file,
    status: runStatus(row.status),
    reason: row.reason,
    explanation: row.explanation ?? unusualRunStatus(row.status),
    agentId: row.agent_id ?? COORDINATOR,
    startTime: row.start_time,
    endTime: row.end_time,
    durationSeconds: row.duration_seconds,
    cpuWaitSeconds: row.cpu_wait_seconds,
    attempts: row.attempts ?? 0,
    earlierAttempts: attemptsBefore(connection, runId, workstreamId, row.attempts ?? 0),
    gaveUp: metadata.gaveUp,
    fromRun: row.from_run,
    savedSeconds: row.saved_seconds,
    cache: metadata.cache,
    constraints: metadata.constraints,
    dependencies: neighbours(connection, runId, metadata.constraints?.dependsOn.map(({ id }) => id) ?? []),
    skippedBecauseOfIt: countOf(connection, SKIPPED, runId, workstreamId),
    logFile: row.log_file,
    tail: metadata.tail,
  };
}

const SKIPPED = `
SELECT COUNT(*) AS n FROM agent_results
WHERE run_id = ? AND status = 'skipped' AND CASE WHEN json_valid(failure) THEN failure ->> '$.dependency' END = ?`;

const attemptRow = attemptTable.row.pick({
  attempt: true,
  agent_id: true,
  tool: true,
  reason: true,
  explanation: true,
  start_time: true,
  duration_seconds: true,
});

/** All but the last, whose result is that of the workstream. */
function attemptsBefore(
  connection: Connection,
  runId: string,
  workstreamId: string,
  attempts: number,
): EarlierAttempt[] {
  const sql = `SELECT ${columnsOf(attemptRow, 'a')} FROM workstream_attempts a
    WHERE run_id = ? AND workstream_id = ? AND attempt < ? ORDER BY attempt`;
  return rows(connection, attemptRow, sql, runId, workstreamId, attempts).map((row) => ({
    attempt: row.attempt,
    agentId: row.agent_id,
    tool: row.tool,
    reason: row.reason,
    explanation: row.explanation,
    startTime: isoTime(row.start_time),
    durationSeconds: row.duration_seconds,
  }));
}

const neighbourRow = resultTable.row.pick({
  workstream_id: true,
  agent_id: true,
  status: true,
  reason: true,
  start_time: true,
  end_time: true,
  metadata: true,
});

/** The results of these workstreams, in their order; those that the run has none of are left out. */
function neighbours(connection: Connection, runId: string, ids: readonly string[]): Neighbour[] {
  const sql = `SELECT ${columnsOf(neighbourRow, 'r')} FROM json_each(?) wanted
    CROSS JOIN agent_results r ON r.run_id = ? AND r.workstream_id = wanted.value ORDER BY wanted.key`;
  return rows(connection, neighbourRow, sql, JSON.stringify(ids), runId).map(toNeighbour);
}

/** What agents executed at some time between two times, in the order in which it began. */
export function executedBetween(
  connection: Connection,
  runId: string,
  { from, to }: { from: string; to: string },
): Neighbour[] {
  const sql = `SELECT ${columnsOf(neighbourRow, 'r')} FROM agent_results r
    WHERE r.run_id = ? AND r.start_time < ? AND r.end_time > ? ORDER BY r.start_time, r.id`;
  return rows(connection, neighbourRow, sql, runId, to, from).map(toNeighbour);
}

function toNeighbour(row: z.infer<typeof neighbourRow>): Neighbour {
  return {
    workstreamId: row.workstream_id,
    agentId: row.agent_id ?? COORDINATOR,
    status: runStatus(row.status),
    reason: row.reason,
    startTime: row.start_time,
    endTime: row.end_time,
    constraints: row.metadata.constraints,
  };
}

const planRow = z.object({ state: z.string(), since: textCell, agent_id: textCell, needs: textCell });

/** A workstream of a run that has not ended, and has no result yet. */
export interface Unfinished {
  state: string;
  agentId: string | null;
  since: string | null;
  /** Ids of those that it waits for. */
  waitsFor: string[];
}

const waitingFor = z.object({ id: z.string() });

/** Null where it is none. */
export function unfinishedIn(connection: Connection, runId: string, workstreamId: string): Unfinished | null {
  const sql = `SELECT state, since, agent_id, depends_on AS needs FROM run_workstreams
    WHERE run_id = ? AND workstream_id = ?`;
  const row = firstRow(connection, planRow, sql, runId, workstreamId);
  if (row === null) return null;
  const open = `SELECT n.value AS id FROM json_each(?) n WHERE NOT EXISTS (
    SELECT 1 FROM agent_results r WHERE r.run_id = ? AND r.workstream_id = n.value AND r.attempts IS NOT NULL)`;
  return {
    state: row.state,
    agentId: row.agent_id,
    since: isoTime(row.since),
    waitsFor: rows(connection, waitingFor, open, row.needs ?? '[]', runId).map(({ id }) => id),
  };
}

/** Reads a run that is resumed, or whose failures are tried again. */
import { z } from 'zod';
import type { AttemptRecord } from '../../domain/attempt.ts';
import type { EarlierResult } from '../../domain/history/earlier-run.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { MergeWork } from '../../domain/workspaces.ts';
import type { ProcessIdentity } from '../../os/process-identity.ts';
import { anyJson, jsonCell, numberCell, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { attemptTable, resultTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { RUNNING } from './live/workstreams.ts';
import { isWriterGone, PROCESS_COLUMNS, processOf, processShape } from './liveness.ts';
import { countOf, eachRow, firstRow, rows } from './rows.ts';
import { runStatus } from './run-status.ts';
import { NEWEST_FIRST } from './runs.ts';
import { wallSeconds } from './wall-time.ts';

/** A stored run, as it is read to resume it. */
export interface StoredRun {
  runId: string;
  /** `alive` as long as its process is not known to be gone. */
  state: 'ended' | 'alive' | 'interrupted';
  /** The process that last wrote it; null where that is not known. */
  process: ProcessIdentity | null;
  /** As they were stored; null where a version recorded it that did not store them. */
  options: JsonObject | null;
  /** When it was last resumed; null for never. Shows whether it was resumed since it was read. */
  resumedAt: string | null;
  /** The run whose failures it tried again; null for none. */
  retryOf: string | null;
  /** How often it was started. */
  sessions: number;
  /** In the order in which they arrived. */
  results: EarlierResult[];
  /** Workstreams that were to be run and have no result. */
  unfinished: Pick<EarlierResult, 'workstreamId' | 'title' | 'file'>[];
  /** Ids of those of them that were running when the process died or was killed, in planned order. */
  running: string[];
  /** At how many deaths of the run's process each workstream was running, by id; those at none are left out. */
  deaths: ReadonlyMap<string, number>;
  /** Seconds from the start to the last sign of life, of all its sessions together. */
  workedSeconds: number;
  /** US dollars that all its attempts are known to have cost. */
  spentUsd: number;
}

/** What is read first, to choose the run. */
type RunHead = Pick<StoredRun, 'runId' | 'state' | 'process'>;

const headRow = z.object({
  run_id: z.string(),
  state: textCell,
  ...processShape,
});

const HEAD = `SELECT run_id, state, ${PROCESS_COLUMNS} FROM consolidated_runs`;

/** Null where there is no run of this id. */
export function findRun(connection: Connection, runId: string): RunHead | null {
  const row = firstRow(connection, headRow, `${HEAD} WHERE run_id = ?`, runId);
  return row === null ? null : toHead(row);
}

/** All runs that did not end, the newest first; an interrupted one may still have a process that lives. */
export function notEnded(connection: Connection): RunHead[] {
  const sql = `${HEAD} WHERE state IN ('running', 'interrupted') ${NEWEST_FIRST}`;
  return rows(connection, headRow, sql).map(toHead);
}

/** The newest run that ended; null where there is none. */
export function latestEnded(connection: Connection): RunHead | null {
  const sql = `${HEAD} WHERE state IS NULL OR state = 'ended' ${NEWEST_FIRST} LIMIT 1`;
  const row = firstRow(connection, headRow, sql);
  return row === null ? null : toHead(row);
}

function toHead({ run_id: runId, ...row }: z.infer<typeof headRow>): RunHead {
  const process = processOf(row);
  if (row.state === 'interrupted') return { runId, state: 'interrupted', process };
  if (row.state !== 'running') return { runId, state: 'ended', process };
  return { runId, state: isWriterGone(row) ? 'interrupted' : 'alive', process };
}

const runRow = z.object({ options: textCell, resumed_at: textCell, retry_of: textCell });
const optionsCell: z.ZodType<JsonObject | null> = z.record(z.string(), anyJson).nullable().catch(null);

/** Reads the rest. @throws Error where the run was deleted meanwhile. */
export function readStoredRun(connection: Connection, head: RunHead): StoredRun {
  const { runId } = head;
  const sql = 'SELECT options, resumed_at, retry_of FROM consolidated_runs WHERE run_id = ?';
  const row = firstRow(connection, runRow, sql, runId);
  if (row === null) throw new Error(`the run ${runId} is not in the database`);
  return {
    ...head,
    options: jsonCell(optionsCell, row.options),
    resumedAt: row.resumed_at,
    retryOf: row.retry_of,
    sessions: 1 + countOf(connection, 'SELECT COUNT(*) AS n FROM run_sessions WHERE run_id = ?', runId),
    results: [...eachResult(connection, runId)],
    unfinished: unfinished(connection, runId),
    running: rows(connection, idRow, RUNNING_IDS, runId).map(({ workstream_id: id }) => id),
    deaths: new Map(
      rows(connection, deathsRow, DEATHS, runId).map(({ workstream_id: id, deaths }) => [id, deaths]),
    ),
    workedSeconds: wallSeconds(connection, runId) ?? 0,
    spentUsd: spentUsd(connection, runId),
  };
}

const idRow = z.object({ workstream_id: z.string() });
const RUNNING_IDS = `SELECT workstream_id FROM run_workstreams w WHERE run_id = ? AND ${RUNNING} ORDER BY position`;

const deathsRow = z.object({ workstream_id: z.string(), deaths: z.number() });
const DEATHS = 'SELECT workstream_id, deaths FROM run_crashes WHERE run_id = ?';

const resultCells = resultTable.row.pick({
  workstream_id: true,
  title: true,
  status: true,
  reason: true,
  definition_hash: true,
  duration_seconds: true,
  cpu_seconds: true,
  cpu_wait_seconds: true,
  branch: true,
  agent_id: true,
  attempts: true,
});
const resultRow = resultCells.extend({
  file: textCell,
  position: numberCell,
  earlier_seconds: numberCell,
  to_merge: textCell,
  left_unmerged: textCell,
  could_not_merge: numberCell,
});

/** Of `metadata` only what is needed is read: it may hold a long output. */
const RESULTS = `
SELECT ${columnsOf(resultCells, 'r')}, r.metadata ->> 'file' AS file, r.metadata ->> 'position' AS position,
  CASE WHEN r.merge_status = 'pending' THEN r.metadata ->> '$.changes.head' END AS to_merge,
  CASE WHEN r.merge_status IN ('conflict', 'breaks-tests') THEN r.metadata ->> '$.changes.head' END AS left_unmerged,
  r.merge_status IN ('conflict', 'breaks-tests') AND r.metadata ->> '$.merge.branch' <> '' AS could_not_merge,
  (SELECT SUM(a.duration_seconds) FROM workstream_attempts a
    WHERE a.run_id = r.run_id AND a.workstream_id = r.workstream_id AND a.attempt < r.attempts) AS earlier_seconds
FROM agent_results r WHERE r.run_id = ? ORDER BY r.id`;

const workAt = (row: z.infer<typeof resultRow>, commit: string | null): MergeWork | null =>
  commit === null
    ? null
    : {
        workstreamId: row.workstream_id,
        agentId: row.agent_id ?? '',
        attempt: row.attempts ?? 1,
        commit,
      };

function* eachResult(connection: Connection, runId: string): Generator<EarlierResult> {
  for (const row of eachRow(connection, resultRow, RESULTS, runId)) {
    yield {
      workstreamId: row.workstream_id,
      title: row.title ?? row.workstream_id,
      file: row.file ?? '',
      position: row.position ?? 0,
      status: runStatus(row.status),
      reason: row.reason,
      definitionHash: row.definition_hash,
      durationSeconds: (row.duration_seconds ?? 0) + (row.earlier_seconds ?? 0),
      cpuSeconds: row.cpu_seconds,
      cpuWaitSeconds: row.cpu_wait_seconds,
      branch: row.branch,
      toMerge: workAt(row, row.to_merge),
      leftUnmerged: workAt(row, row.left_unmerged),
      couldNotMerge: row.could_not_merge === 1,
    };
  }
}

const unfinishedRow = z.object({ workstream_id: z.string(), title: z.string(), file: z.string() });

function unfinished(connection: Connection, runId: string): StoredRun['unfinished'] {
  const sql = `
    SELECT workstream_id, title, file FROM run_workstreams w WHERE run_id = ? AND NOT EXISTS (
      SELECT 1 FROM agent_results r
      WHERE r.run_id = w.run_id AND r.workstream_id = w.workstream_id AND r.attempts IS NOT NULL)
    ORDER BY position`;
  return rows(connection, unfinishedRow, sql, runId).map((row) => ({
    workstreamId: row.workstream_id,
    title: row.title,
    file: row.file,
  }));
}

/** The cost in a result is that of all its attempts; for a workstream without a result what is known of it is added up. */
function spentUsd(connection: Connection, runId: string): number {
  const isOpen = (row: string): string => `NOT EXISTS (SELECT 1 FROM agent_results r
      WHERE r.run_id = ${row}.run_id AND r.workstream_id = ${row}.workstream_id AND r.attempts IS NOT NULL)`;
  const sql = `
    SELECT
      COALESCE((SELECT SUM(cost_usd) FROM agent_results WHERE run_id = ?), 0) +
      COALESCE((SELECT SUM(cost_usd) FROM kept_candidates k WHERE run_id = ? AND ${isOpen('k')}), 0) +
      COALESCE((SELECT SUM(cost_usd) FROM workstream_attempts a WHERE run_id = ? AND ${isOpen('a')} AND NOT EXISTS (
        SELECT 1 FROM kept_candidates k
        WHERE k.run_id = a.run_id AND k.workstream_id = a.workstream_id AND k.attempt = a.attempt)), 0) AS n`;
  return countOf(connection, sql, runId, runId, runId);
}

/** What is kept of the attempts of these workstreams, in their order; those without any are left out. */
export function attemptsOf(
  connection: Connection,
  runId: string,
  ids: readonly string[],
): Map<string, AttemptRecord[]> {
  const sql = `
    SELECT ${columnsOf(attemptTable.row, 'a')} FROM json_each(?) wanted
    CROSS JOIN workstream_attempts a ON a.run_id = ? AND a.workstream_id = wanted.value
    ORDER BY a.workstream_id, a.attempt`;
  const attempts = new Map<string, AttemptRecord[]>();
  for (const row of rows(connection, attemptTable.row, sql, JSON.stringify(ids), runId)) {
    const known = attempts.get(row.workstream_id);
    if (known === undefined) attempts.set(row.workstream_id, [toAttempt(row)]);
    else known.push(toAttempt(row));
  }
  return attempts;
}

const toAttempt = (row: z.infer<typeof attemptTable.row>): AttemptRecord => ({
  attempt: row.attempt,
  agentId: row.agent_id,
  tool: row.tool,
  model: row.model,
  reason: row.reason,
  explanation: row.explanation,
  failure: row.failure,
  pattern: row.pattern,
  startTime: row.start_time ?? '',
  durationSeconds: row.duration_seconds ?? 0,
  costUsd: row.cost_usd,
  inputTokens: row.input_tokens,
  outputTokens: row.output_tokens,
  contentHash: row.content_hash,
  logFile: row.log_file,
});

/** Reads which workstreams were tried more than once, what several tools made of one, and what reviewers said. */
import { z } from 'zod';
import { candidateSchema } from '../../domain/attempt.ts';
import type { Capped } from '../../domain/capped.ts';
import { reviewRecordSchema } from '../../domain/policy/review.ts';
import type { Competition, Retried, ReviewedWork } from '../../domain/tool-record.ts';
import { jsonCell, listOf, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { firstRow, rows } from './rows.ts';
import { runStatus } from './run-status.ts';

const retriedRow = z.object({
  workstream_id: z.string(),
  status: z.string(),
  attempts: z.number(),
  reasons: textCell,
  gave_up: textCell,
  total: z.number(),
});

const reasonList = listOf(z.string());

const RETRIED = `
SELECT r.workstream_id, r.status, r.attempts, json_extract(r.metadata, '$.gaveUp') AS gave_up,
  (SELECT json_group_array(reason) FILTER (WHERE reason IS NOT NULL) FROM (SELECT a.reason FROM workstream_attempts a
    WHERE a.run_id = r.run_id AND a.workstream_id = r.workstream_id ORDER BY a.attempt)) AS reasons,
  COUNT(*) OVER () AS total
FROM agent_results r WHERE r.run_id = ? AND r.attempts > 1 AND typeof(r.attempts) = 'integer'
  AND COALESCE(json_array_length(r.metadata, '$.candidates'), 0) = 0 ORDER BY r.attempts DESC, r.id LIMIT ?`;

/** Those with the most attempts first. */
export function retried(connection: Connection, runId: string, limit: number): Capped<Retried> {
  const found = rows(connection, retriedRow, RETRIED, runId, limit);
  return {
    shown: found.map((row) => ({
      workstreamId: row.workstream_id,
      status: runStatus(row.status),
      attempts: row.attempts,
      reasons: jsonCell(reasonList, row.reasons),
      gaveUp: row.gave_up,
    })),
    total: found[0]?.total ?? 0,
  };
}

const candidateList = listOf(candidateSchema);
const row = z.object({ workstream_id: z.string(), candidates: z.string(), total: z.number() });

const COMPETITIONS = `
SELECT workstream_id, json_extract(metadata, '$.candidates') AS candidates, COUNT(*) OVER () AS total
FROM agent_results WHERE run_id = ? AND tool IS NOT NULL AND json_array_length(metadata, '$.candidates') > 0
ORDER BY id LIMIT ?`;

/** In the order in which their results arrived. */
export function competitions(connection: Connection, runId: string, limit: number): Capped<Competition> {
  const found = rows(connection, row, COMPETITIONS, runId, limit);
  return {
    shown: found.map(({ workstream_id: workstreamId, candidates }) => ({
      workstreamId,
      candidates: jsonCell(candidateList, candidates),
    })),
    total: found[0]?.total ?? 0,
  };
}

/** Where what the attempts at a workstream printed is stored. */
export interface AttemptLogs {
  /** By number of an attempt; null for one that printed nothing. Only of those that are told apart. */
  attempts: ReadonlyMap<number, string | null>;
  /** The last attempt, once the workstream has its result. */
  last: { attempt: number; logFile: string | null } | null;
}

const logRow = z.object({ attempt: z.number(), log_file: textCell });

export function attemptLogs(connection: Connection, runId: string, workstreamId: string): AttemptLogs {
  const attempts = rows(
    connection,
    logRow,
    'SELECT attempt, log_file FROM workstream_attempts WHERE run_id = ? AND workstream_id = ?',
    runId,
    workstreamId,
  );
  const sql =
    'SELECT COALESCE(attempts, 1) AS attempt, log_file FROM agent_results WHERE run_id = ? AND workstream_id = ?';
  const last = firstRow(connection, logRow, sql, runId, workstreamId);
  return {
    attempts: new Map(attempts.map((row) => [row.attempt, row.log_file])),
    last: last === null ? null : { attempt: last.attempt, logFile: last.log_file },
  };
}

const reviewRow = z.object({ workstream_id: z.string(), review: z.string(), total: z.number() });

/**
 * A condition that holds for each result whose work was reviewed, and for few others. Nearly all results are told apart by
 * its first half, which is the beginning of the condition of the index `agent_results_noted`.
 */
export const maybeReviewed = (alias: string): string => `
  (${alias}.status <> 'completed' OR ${alias}.attempts > 1 OR ${alias}.tool IS NOT NULL OR ${alias}.branch IS NOT NULL)
  AND ${alias}.metadata LIKE '%"reviews":%'`;

const REVIEWS = `
SELECT r.workstream_id, v.value AS review, COUNT(*) OVER () AS total
FROM agent_results r, json_each(CASE WHEN json_valid(r.metadata) THEN r.metadata ->> '$.reviews' END) v
WHERE r.run_id = ? AND ${maybeReviewed('r')}
ORDER BY json_extract(v.value, '$.verdict') = 'accepted', r.id, v.key LIMIT ?`;

/** Those first that did not accept what they reviewed. */
export function reviews(connection: Connection, runId: string, limit: number): Capped<ReviewedWork> {
  const found = rows(connection, reviewRow, REVIEWS, runId, limit);
  return {
    shown: found.flatMap(({ workstream_id: workstreamId, review }) => {
      const record = jsonCell(storedReview, review);
      return record === null ? [] : [{ workstreamId, ...record }];
    }),
    total: found[0]?.total ?? 0,
  };
}

const storedReview = reviewRecordSchema.nullable().catch(null);

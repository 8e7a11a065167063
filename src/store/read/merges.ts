/** Reads what was merged into a run's own branch, and what could not be. */
import { z } from 'zod';
import type { Capped } from '../../domain/capped.ts';
import { fileChangeSchema, mergeSchema } from '../../domain/changes.ts';
import type { MergedWork, MergeProblem, OutsideWork } from '../../domain/tool-record.ts';
import { textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { firstRow, rows } from './rows.ts';

/** Statuses of work that a person has to look at, as a list of SQL. */
export const MERGE_PROBLEMS = "('conflict', 'breaks-tests', 'outside-scope', 'failed', 'pending')";

const workRow = z.object({
  branch: textCell,
  merged: z.number(),
  tested: z.number(),
  caveat: textCell,
  mergeable: z.number(),
  failing: z.number(),
  problems: z.number(),
  outside: z.number(),
});

const OUTSIDE = "json_array_length(metadata, '$.merge.outsideScope') > 0";
const IS_IN = "merge_status IN ('merged', 'mergeable')";

const WORK = `
SELECT MAX(json_extract(metadata, '$.merge.branch')) AS branch,
  SUM(merge_status = 'merged') AS merged, SUM(merge_status = 'mergeable') AS mergeable,
  MAX(merge_status = 'merged' AND json_extract(metadata, '$.merge.tested') = 1) AS tested,
  MAX(CASE WHEN merge_status = 'merged' THEN json_extract(metadata, '$.merge.detail') END) AS caveat,
  SUM(merge_status IN ('breaks-tests', 'failed', 'pending')) AS failing,
  SUM(merge_status IN ${MERGE_PROBLEMS}) AS problems,
  SUM(${IS_IN} AND COALESCE(${OUTSIDE}, 0)) AS outside
FROM agent_results WHERE run_id = ? AND merge_status IS NOT NULL HAVING COUNT(*) > 0`;

const mergeText = z.string().transform((text) => mergeSchema.parse(JSON.parse(text)));

const problemRow = z.object({ workstream_id: z.string(), branch: textCell, merge: mergeText });

const PROBLEMS = `
SELECT workstream_id, branch, json_extract(metadata, '$.merge') AS "merge"
FROM agent_results WHERE run_id = ? AND merge_status IN ${MERGE_PROBLEMS} ORDER BY merge_status = 'breaks-tests' DESC, id LIMIT ?`;

const outsideRow = z.object({ workstream_id: z.string(), merge: mergeText, files: textCell });

const OUTSIDE_WORK = `
SELECT workstream_id, json_extract(metadata, '$.merge') AS "merge",
  json_extract(metadata, '$.changes.files') AS files
FROM agent_results WHERE run_id = ? AND ${IS_IN} AND ${OUTSIDE} ORDER BY id LIMIT ?`;

/** The run's own branch and what is not in it; null where nothing was to be merged. */
export function mergedWork(connection: Connection, runId: string, limit: number): MergedWork | null {
  const work = firstRow(connection, workRow, WORK, runId);
  if (work === null) return null;
  const problems: Capped<MergeProblem> = {
    shown: rows(connection, problemRow, PROBLEMS, runId, limit).map(problemOf),
    total: work.problems,
  };
  const outside: Capped<OutsideWork> = {
    shown: rows(connection, outsideRow, OUTSIDE_WORK, runId, limit).map(outsideOf),
    total: work.outside,
  };
  const { branch, merged, mergeable, failing, tested, caveat } = work;
  return {
    branch: branch ?? '',
    merged,
    mergeable,
    failing,
    tested: tested === 1,
    caveat: caveat ?? '',
    problems,
    outside,
  };
}

function problemOf({ workstream_id: workstreamId, branch, merge }: z.infer<typeof problemRow>): MergeProblem {
  const { status, conflictsWith, files, detail, partner, failingTest, logFile } = merge;
  return { workstreamId, status, branch, conflictsWith, files, detail, partner, failingTest, logFile };
}

const fileList = z.array(fileChangeSchema).catch([]);

function outsideOf({ workstream_id: workstreamId, merge, files }: z.infer<typeof outsideRow>): OutsideWork {
  const changed = new Map(fileList.parse(JSON.parse(files ?? '[]')).map((file) => [file.path, file]));
  return {
    workstreamId,
    files: merge.outsideScope.map((path) => {
      const { linesAdded = null, linesRemoved = null } = changed.get(path) ?? {};
      return { path, linesAdded, linesRemoved };
    }),
  };
}

const verdictRow = z.object({
  workstream_id: z.string(),
  run_id: z.string(),
  status: z.string(),
  reason: textCell,
  explanation: textCell,
  at: textCell,
  branch: textCell,
  head: textCell,
  merge: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : mergeSchema.parse(JSON.parse(text)))),
  definition_hash: textCell,
  cost_usd: z.number().nullable(),
  runs: z.number(),
});

/** The last result of a workstream over all runs, and what it cost in all of them. */
export type LastVerdict = z.infer<typeof verdictRow>;

/** SQLite takes the columns beside MAX from the row that has the maximum. What was interrupted says nothing. */
const LAST_VERDICTS = `
SELECT MAX(r.id), r.workstream_id, r.run_id, r.status, r.reason, r.explanation,
  COALESCE(r.end_time, c.created_at) AS at, r.branch, r.metadata ->> '$.changes.head' AS head,
  r.metadata -> '$.merge' AS "merge", r.definition_hash, SUM(r.cost_usd) AS cost_usd, COUNT(*) AS runs
FROM agent_results r JOIN consolidated_runs c ON c.run_id = r.run_id
WHERE r.workstream_id IN (SELECT value FROM json_each(?)) AND r.reason IS NOT 'interrupted'
GROUP BY r.workstream_id`;

/** By id; those that have no result are left out. Reads the history once. */
export function lastVerdicts(connection: Connection, ids: readonly string[]): Map<string, LastVerdict> {
  const found = rows(connection, verdictRow, LAST_VERDICTS, JSON.stringify(ids));
  return new Map(found.map((row) => [row.workstream_id, row]));
}

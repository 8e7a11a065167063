/** Reads what was merged into a run's own branch, and what could not be. */
import { z } from 'zod';
import type { Capped } from '../../domain/capped.ts';
import type { MergedWork, MergeProblem } from '../../domain/tool-record.ts';
import { textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { firstRow, rows } from './rows.ts';

const workRow = z.object({
  branch: textCell,
  merged: z.number(),
  mergeable: z.number(),
  problems: z.number(),
});

const WORK = `
SELECT MAX(json_extract(metadata, '$.merge.branch')) AS branch,
  SUM(merge_status = 'merged') AS merged, SUM(merge_status = 'mergeable') AS mergeable,
  SUM(merge_status IN ('conflict', 'failed')) AS problems
FROM agent_results WHERE run_id = ? AND merge_status IS NOT NULL HAVING COUNT(*) > 0`;

const problemRow = z.object({
  workstream_id: z.string(),
  branch: textCell,
  conflicts_with: textCell,
  files: textCell,
  detail: textCell,
});

const PROBLEMS = `
SELECT workstream_id, branch, json_extract(metadata, '$.merge.conflictsWith') AS conflicts_with,
  json_extract(metadata, '$.merge.files') AS files, json_extract(metadata, '$.merge.detail') AS detail
FROM agent_results WHERE run_id = ? AND merge_status IN ('conflict', 'failed') ORDER BY id LIMIT ?`;

/** The run's own branch and what is not in it; null where nothing was to be merged. */
export function mergedWork(connection: Connection, runId: string, limit: number): MergedWork | null {
  const work = firstRow(connection, workRow, WORK, runId);
  if (work === null) return null;
  const problems: Capped<MergeProblem> = {
    shown: rows(connection, problemRow, PROBLEMS, runId, limit).map((row) => ({
      workstreamId: row.workstream_id,
      branch: row.branch,
      conflictsWith: texts(row.conflicts_with),
      files: texts(row.files),
      detail: row.detail ?? '',
    })),
    total: work.problems,
  };
  return { branch: work.branch ?? '', merged: work.merged, mergeable: work.mergeable, problems };
}

const textList = z.array(z.string()).catch([]);

const texts = (cell: string | null): string[] => (cell === null ? [] : textList.parse(JSON.parse(cell)));

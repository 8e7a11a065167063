/** Reads what a run changed and what it warned of: the elements of the lists in `agent_results`. */
import { z } from 'zod';
import type { Capped } from '../../domain/capped.ts';
import { fileChangeSchema } from '../../domain/changes.ts';
import type { FileChange } from '../../domain/run-record.ts';
import { numberCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { eachRow, rows } from './rows.ts';

const WORKSTREAMS_SHOWN = 5;

/** The texts in one list column, each with its row. What is not a list, as an older system may have written, has none. */
const elements = (column: 'files_modified' | 'commits_created' | 'warnings'): string => `(
  SELECT r.id, r.workstream_id, e.key, e.value
  FROM agent_results r, json_each(CASE WHEN json_valid(r.${column}) THEN r.${column} END) e
  WHERE r.run_id = ? AND r.${column} <> '[]' AND e.type = 'text')`;

const elementRow = z.object({ workstream_id: z.string(), value: z.string(), total: z.number() });

/** Each file once, in the order of their paths. */
export function changedFiles(connection: Connection, runId: string, limit: number): Capped<FileChange> {
  const sql = `
    SELECT value, MIN(workstream_id) AS workstream_id, COUNT(*) OVER () AS total
    FROM ${elements('files_modified')} GROUP BY value ORDER BY value LIMIT ?`;
  const found = rows(connection, elementRow, sql, runId, limit);
  const files = new Map(found.map((row) => [row.value, new Set<string>()]));
  addWorkstreams(connection, runId, files);
  const known = gitChanges(connection, runId, [...files.keys()]);
  const shown = [...files].map(([path, workstreams]) => ({
    path,
    workstreams: [...workstreams],
    ...(known.get(path) ?? UNKNOWN_CHANGE),
  }));
  return { shown, total: found[0]?.total ?? 0 };
}

const UNKNOWN_CHANGE = { status: null, linesAdded: null, linesRemoved: null };

const changeRow = z.object({
  path: z.string(),
  status: fileChangeSchema.shape.status.nullable().catch(null),
  added: numberCell,
  removed: numberCell,
});

/** What git knows of these files, the changes of all workstreams together. */
function gitChanges(
  connection: Connection,
  runId: string,
  paths: readonly string[],
): Map<string, Omit<FileChange, 'path' | 'workstreams'>> {
  if (paths.length === 0) return new Map();
  const sql = `
    SELECT f.value ->> 'path' AS path, f.value ->> 'status' AS status, MIN(r.id),
      SUM(f.value ->> 'linesAdded') AS added, SUM(f.value ->> 'linesRemoved') AS removed
    FROM agent_results r, json_each(r.metadata, '$.changes.files') f
    WHERE r.run_id = ? AND r.branch IS NOT NULL AND f.value ->> 'path' IN (SELECT value FROM json_each(?))
    GROUP BY 1`;
  return new Map(
    rows(connection, changeRow, sql, runId, JSON.stringify(paths)).map((row) => [
      row.path,
      { status: row.status, linesAdded: row.added, linesRemoved: row.removed },
    ]),
  );
}

const memberRow = z.object({ workstream_id: z.string(), value: z.string() });

function addWorkstreams(connection: Connection, runId: string, files: Map<string, Set<string>>): void {
  if (files.size === 0) return;
  const sql = `
    SELECT workstream_id, value FROM ${elements('files_modified')}
    WHERE value IN (SELECT value FROM json_each(?)) ORDER BY id`;
  const paths = JSON.stringify([...files.keys()]);
  for (const row of eachRow(connection, memberRow, sql, runId, paths)) {
    const workstreams = files.get(row.value);
    if (workstreams !== undefined && workstreams.size < WORKSTREAMS_SHOWN) workstreams.add(row.workstream_id);
  }
}

/** Each commit once, with the first workstream that reported it, in the order in which they arrived. */
export function commits(
  connection: Connection,
  runId: string,
  limit: number,
): Capped<{ workstreamId: string; commit: string }> {
  const sql = `
    SELECT value, workstream_id, MIN(id * 1000000 + key), COUNT(*) OVER () AS total
    FROM ${elements('commits_created')} GROUP BY value ORDER BY 3 LIMIT ?`;
  const found = rows(connection, elementRow, sql, runId, limit);
  return {
    shown: found.map((row) => ({ workstreamId: row.workstream_id, commit: row.value })),
    total: found[0]?.total ?? 0,
  };
}

/** Every warning, in the order in which they arrived. */
export function warnings(
  connection: Connection,
  runId: string,
  limit: number,
): Capped<{ workstreamId: string; text: string }> {
  const sql = `
    SELECT value, workstream_id, COUNT(*) OVER () AS total
    FROM ${elements('warnings')} ORDER BY id, key LIMIT ?`;
  const found = rows(connection, elementRow, sql, runId, limit);
  return {
    shown: found.map((row) => ({ workstreamId: row.workstream_id, text: row.value })),
    total: found[0]?.total ?? 0,
  };
}

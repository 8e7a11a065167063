/** Reads errors: one by one, and grouped by pattern. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { COORDINATOR } from '../../domain/agent-result.ts';
import type { Capped } from '../../domain/capped.ts';
import type { ErrorExample, ErrorPattern } from '../../domain/history/pattern.ts';
import { textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { errorTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { firstRow, rows } from './rows.ts';

/** One row of `consolidated_errors`. */
export interface StoredError extends ErrorExample {
  type: string;
  pattern: string;
  /** ISO 8601 in UTC. */
  at: string | null;
}

const WORKSTREAMS_SHOWN = 20;

/** Rows of the older system have no pattern; the message is read only where that is so. */
const PATTERN = 'COALESCE(pattern, pattern_of(error_message))';
const TYPE = "COALESCE(error_type, 'unknown')";

const errorCells = errorTable.row.omit({ run_id: true, error_type: true, pattern: true });
const errorRow = errorCells.extend({ type: z.string(), pattern: z.string() });
const ERRORS = `
SELECT ${TYPE} AS type, ${PATTERN} AS pattern, ${columnsOf(errorCells, 'e')} FROM consolidated_errors e`;

/** Normalises each message at most once, groups, and finds the first workstreams of the groups that are shown. */
const GROUPS = `
WITH e AS MATERIALIZED (
  SELECT id, ${TYPE} AS type, ${PATTERN} AS pattern, workstream_id FROM consolidated_errors WHERE run_id = ?),
g AS MATERIALIZED (
  SELECT type, pattern, COUNT(*) AS n, MIN(id) AS first FROM e GROUP BY type, pattern),
shown AS MATERIALIZED (SELECT * FROM g ORDER BY n DESC, first LIMIT ?),
w AS (
  SELECT shown.first, workstream_id, MIN(id) AS id,
    ROW_NUMBER() OVER (PARTITION BY shown.first ORDER BY MIN(id)) AS place
  FROM e JOIN shown USING (type, pattern) GROUP BY shown.first, workstream_id)
SELECT n, first, workstream_id, (SELECT COUNT(*) FROM g) AS total
FROM shown JOIN w USING (first) WHERE place <= ${WORKSTREAMS_SHOWN}
ORDER BY n DESC, first, w.id`;

const groupRow = z.object({ n: z.number(), first: z.number(), workstream_id: textCell, total: z.number() });

/** Every error of a run, in the order in which they arrived. */
export function readErrors(connection: Connection, runId: string): StoredError[] {
  const sql = `${ERRORS} WHERE e.run_id = ? ORDER BY e.id`;
  return rows(connection, errorRow, sql, runId).map(toError);
}

/** The patterns of a run, the most frequent first, those of equal count in the order of their first error. */
export function errorPatterns(connection: Connection, runId: string, limit: number): Capped<ErrorPattern> {
  const members = rows(connection, groupRow, GROUPS, runId, limit);
  const groups = new Map<number, { count: number; workstreams: string[] }>();
  for (const { first, n, workstream_id: id } of members) {
    const group = groups.get(first) ?? { count: n, workstreams: [] };
    groups.set(first, group);
    if (id !== null) group.workstreams.push(id);
  }
  const shown = [...groups].map(([first, group]) => {
    const { type, pattern, at: _, ...example } = readError(connection, first);
    const telling = example.message.trim().split('\n', 1)[0] ?? '';
    return {
      id: patternIdOf(type, pattern),
      type,
      pattern,
      telling,
      ...group,
      values: [],
      places: [],
      example,
      history: null,
    };
  });
  return { shown, total: members[0]?.total ?? 0 };
}

export const patternIdOf = (type: string, pattern: string): string =>
  `p-${createHash('sha256').update(`${type}\n${pattern}`).digest('hex').slice(0, 8)}`;

function readError(connection: Connection, id: number): StoredError {
  const row = firstRow(connection, errorRow, `${ERRORS} WHERE e.id = ?`, id);
  if (row === null) throw new Error(`error ${id} has gone while it was read`);
  return toError(row);
}

function toError(row: z.infer<typeof errorRow>): StoredError {
  return {
    type: row.type,
    pattern: row.pattern,
    at: row.timestamp,
    workstreamId: row.workstream_id ?? '',
    agentId: row.agent_id ?? COORDINATOR,
    message: row.error_message ?? '',
    stack: row.stack_trace,
    tail: row.tail,
    logFile: row.log_file,
  };
}

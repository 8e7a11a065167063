import { z } from 'zod';
import { isoTime, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { firstRow, rows } from './rows.ts';

const bounds = z.object({ created_at: textCell, first: textCell, last: textCell });
const session = z.object({ started_at: textCell, last_seen_at: textCell });

/**
 * Seconds from the start of a run to its last result; null where no time is known. Of a run that was resumed, those of
 * its sessions together, without the pauses between them. The older system wrote the row of a run at its
 * end, so the first start counts where it is earlier.
 */
export function wallSeconds(connection: Connection, runId: string): number | null {
  const last = lastSession(connection, runId);
  const before = rows(connection, session, 'SELECT * FROM run_sessions WHERE run_id = ?', runId).map((row) =>
    secondsBetween(milliseconds(row.started_at), milliseconds(row.last_seen_at)),
  );
  if (before.length === 0) return last;
  return before.reduce<number>((sum, seconds) => sum + (seconds ?? 0), last ?? 0);
}

/** Of a run that was never resumed: all of it. */
function lastSession(connection: Connection, runId: string): number | null {
  const since = '(SELECT resumed_at FROM consolidated_runs WHERE run_id = ?)';
  const sql = `
    SELECT (SELECT COALESCE(resumed_at, created_at) FROM consolidated_runs WHERE run_id = ?) AS created_at,
      MIN(start_time) AS first, MAX(end_time) AS last
    FROM agent_results WHERE run_id = ? AND (${since} IS NULL OR end_time >= ${since})`;
  const row = firstRow(connection, bounds, sql, runId, runId, runId, runId);
  const starts = [milliseconds(row?.created_at ?? null), milliseconds(row?.first ?? null)];
  const known = starts.filter((start) => start !== null);
  return secondsBetween(known.length === 0 ? null : Math.min(...known), milliseconds(row?.last ?? null));
}

function secondsBetween(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from) / 1000;
}

function milliseconds(cell: string | null): number | null {
  const time = isoTime(cell);
  return time === null ? null : Date.parse(time);
}

import { z } from 'zod';
import type { Connection } from './connection.ts';
import { isoTime } from './iso-time.ts';
import { firstRow, textCell } from './read.ts';

const bounds = z.object({ created_at: textCell, first: textCell, last: textCell });

/**
 * Seconds from the start of a run to its last result; null where no time is known. The older system wrote the row of a
 * run at its end, so the first start counts where it is earlier.
 */
export function wallSeconds(connection: Connection, runId: string): number | null {
  const sql = `
    SELECT (SELECT created_at FROM consolidated_runs WHERE run_id = ?) AS created_at,
      MIN(start_time) AS first, MAX(end_time) AS last
    FROM agent_results WHERE run_id = ?`;
  const row = firstRow(connection, bounds, sql, runId, runId);
  const last = milliseconds(row?.last ?? null);
  const starts = [milliseconds(row?.created_at ?? null), milliseconds(row?.first ?? null)];
  const known = starts.filter((start) => start !== null);
  return last === null || known.length === 0 ? null : Math.max(0, last - Math.min(...known)) / 1000;
}

function milliseconds(cell: string | null): number | null {
  const time = isoTime(cell);
  return time === null ? null : Date.parse(time);
}

/** Reads which tools wait, or waited, for their usage limits. */
import { z } from 'zod';
import type { ParkedInRun } from '../../../domain/run-record.ts';
import type { Connection } from '../../schema/connection.ts';
import { rows } from '../rows.ts';

const parkedRow = z
  .object({
    run_id: z.string(),
    tool: z.string(),
    class: z.enum(['rate', 'window']),
    why: z.string(),
    source: z.enum(['exact', 'words', 'guess']),
    parked_at: z.string(),
    until: z.string(),
    resumed_at: z.string().nullable(),
  })
  .transform((row) => ({
    runId: row.run_id,
    tool: row.tool,
    class: row.class,
    why: row.why,
    source: row.source,
    /** ISO 8601 in UTC, as the others. */
    parkedAt: row.parked_at,
    until: row.until,
    /** When it worked again; null as long as it has not. */
    resumedAt: row.resumed_at,
  }));

const ALL = 'SELECT run_id, tool, class, why, source, parked_at, until, resumed_at FROM parked_tools';

/** Those after which the tool has not worked again, of all runs, the oldest first. */
export const openParkings = (connection: Connection) =>
  rows(connection, parkedRow, `${ALL} WHERE resumed_at IS NULL ORDER BY id`);

/** The tools that wait now, whichever run met their limit: the newest parking of each. */
export function parkedTools(connection: Connection, now = new Date()) {
  const sql = `${ALL} p WHERE resumed_at IS NULL AND until > ? AND NOT EXISTS (
    SELECT 1 FROM parked_tools later WHERE later.tool = p.tool AND later.resumed_at IS NULL AND later.id > p.id)
    ORDER BY until`;
  return rows(connection, parkedRow, sql, now.toISOString());
}

/** What waited in a run, by tool, in the order in which they first met a limit. @param endedAt null while it is under way. */
export function parkedInRun(connection: Connection, runId: string, endedAt: string | null): ParkedInRun[] {
  const found = rows(connection, parkedRow, `${ALL} WHERE run_id = ? ORDER BY id`, runId);
  const end = endedAt === null ? Date.now() : Date.parse(endedAt);
  const byTool = new Map<string, ParkedInRun>();
  const waitedUntil = new Map<string, number>();
  for (const { tool, why, parkedAt, until, resumedAt } of found) {
    const from = Math.max(Date.parse(parkedAt), waitedUntil.get(tool) ?? 0);
    const to = Math.min(Date.parse(until), end);
    const before = byTool.get(tool);
    const isSame = before !== undefined && Date.parse(parkedAt) < Date.parse(before.until);
    byTool.set(tool, {
      tool,
      times: (before?.times ?? 0) + (isSame ? 0 : 1),
      seconds: (before?.seconds ?? 0) + Math.max(0, to - from) / 1000,
      why,
      until,
      hasWorked: resumedAt !== null,
    });
    waitedUntil.set(tool, Math.max(to, waitedUntil.get(tool) ?? 0));
  }
  return [...byTool.values()];
}

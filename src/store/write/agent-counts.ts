/** How many agents there were over time, written and read. */
import { z } from 'zod';
import type { Capped } from '../../domain/capped.ts';
import type { AgentsChange, ScalingSummary } from '../../domain/scaling.ts';
import { countOf, firstRow, rows } from '../read/rows.ts';
import { numberCell, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import type { AgentsScaled } from './event-batch.ts';

const INSERT = `
INSERT INTO agent_counts (run_id, at, from_count, to_count, reason, explanation) VALUES (?, ?, ?, ?, ?, ?)`;

/** A run names every agent that it ever had. */
const WIDEN = `
UPDATE consolidated_runs SET agents_count = @count, agent_names = @names
WHERE run_id = @run AND (agents_count IS NULL OR agents_count < @count)`;

/** Runs inside the recorder's transaction. */
export function writeAgentCounts(
  connection: Connection,
  run: string,
  scalings: readonly AgentsScaled[],
): void {
  for (const { change, agents } of scalings) {
    const { at, from, to, reason, explanation } = change;
    connection.prepare(INSERT).run(run, at, from, to, reason, explanation);
    connection.prepare(WIDEN).run({ run, count: agents.length, names: JSON.stringify(agents) });
  }
}

const countRow = z.object({
  at: z.string(),
  from_count: z.number().nullable(),
  to_count: z.number(),
  reason: z.enum(['start', 'waiting', 'cpu-bound', 'crowded', 'memory']).catch('start'),
  explanation: z.string(),
});

/** The first changes of a run in the order of time; none where the number of agents was fixed. */
export function agentCounts(connection: Connection, runId: string, limit: number): Capped<AgentsChange> {
  const sql = 'SELECT * FROM agent_counts WHERE run_id = ? ORDER BY id LIMIT ?';
  const shown = rows(connection, countRow, sql, runId, limit).map(
    ({ at, from_count: from, to_count: to, reason, explanation }) => ({ at, from, to, reason, explanation }),
  );
  const total = countOf(connection, 'SELECT COUNT(*) AS n FROM agent_counts WHERE run_id = ?', runId);
  return { shown, total };
}

const summaryRow = z.object({
  start: numberCell,
  final: numberCell,
  least: numberCell,
  most: numberCell,
  changes: z.number(),
});

const SUMMARY = `
SELECT
  (SELECT to_count FROM agent_counts WHERE run_id = ? AND from_count IS NULL ORDER BY id DESC LIMIT 1) AS start,
  (SELECT to_count FROM agent_counts WHERE run_id = ? ORDER BY id DESC LIMIT 1) AS final,
  MIN(to_count) AS least, MAX(to_count) AS most, COUNT(from_count) AS changes
FROM agent_counts WHERE run_id = ?`;

/** Null where the number of agents was fixed. */
export function scalingSummary(connection: Connection, run: string): ScalingSummary | null {
  const row = firstRow(connection, summaryRow, SUMMARY, run, run, run);
  if (row === null) return null;
  const { start, final, least, most, changes } = row;
  if (start === null || final === null || least === null || most === null) return null;
  return { start, final, least, most, changes };
}

const MOST = `
SELECT MAX(agents) AS most FROM (
  SELECT agents_count AS agents FROM run_sessions WHERE run_id = ?
  UNION ALL SELECT to_count FROM agent_counts WHERE run_id = ?
)`;

/** The most agents that there were at one time, the sessions before this one included; null where nothing says. */
export function mostAgents(connection: Connection, run: string): number | null {
  return firstRow(connection, z.object({ most: numberCell }), MOST, run, run)?.most ?? null;
}

const countAt = z.object({ at: z.string(), from_count: z.number().nullable(), to_count: z.number() });
const sessionRow = z.object({ last_seen_at: z.string() });
const lastRow = z.object({ last: textCell });

/**
 * For how long each agent took work, in seconds by its place among the agents; null where that was all the time, and
 * where it is not known of a session that was there.
 */
export function presentSeconds(connection: Connection, run: string): ((agent: number) => number) | null {
  const sql = 'SELECT at, from_count, to_count FROM agent_counts WHERE run_id = ? ORDER BY id';
  const counts = rows(connection, countAt, sql, run);
  if (counts.length === 0) return null;
  const ends = sessionEnds(connection, run);
  if (ends === null || counts.filter((row) => row.from_count === null).length !== ends.length) return null;
  let session = -1;
  const spans = counts.map(({ at, from_count: from, to_count: count }, index) => {
    if (from === null) session += 1;
    const next = counts[index + 1];
    const until = next === undefined || next.from_count === null ? ends[session] : next.at;
    return { count, seconds: Math.max(0, Date.parse(until ?? at) - Date.parse(at)) / 1000 };
  });
  return (agent) => spans.reduce((sum, { count, seconds }) => (agent < count ? sum + seconds : sum), 0);
}

/** When each session saw the last of its work; null where that is not known of one. */
function sessionEnds(connection: Connection, run: string): string[] | null {
  const sql =
    'SELECT COALESCE(last_seen_at, started_at) AS last_seen_at FROM run_sessions WHERE run_id = ? ORDER BY session';
  const earlier = rows(connection, sessionRow, sql, run).map((row) => row.last_seen_at);
  const last = firstRow(
    connection,
    lastRow,
    'SELECT MAX(end_time) AS last FROM agent_results WHERE run_id = ?',
    run,
  );
  return last?.last ? [...earlier, last.last] : null;
}

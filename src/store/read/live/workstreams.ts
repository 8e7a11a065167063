/** Reads the workstreams of a run that have no final row yet. */
import { z } from 'zod';
import type { Capped } from '../../../domain/capped.ts';
import type { LiveWorkstream } from '../../../domain/run-record.ts';
import { numberCell, textCell } from '../../schema/cells.ts';
import type { Connection } from '../../schema/connection.ts';
import { rows } from '../rows.ts';

const stateShape = z.enum(['pending', 'blocked', 'running']);

const liveRow = z.object({
  workstream_id: z.string(),
  title: z.string(),
  state: stateShape,
  agent_id: textCell,
  since: textCell,
  fraction: numberCell,
  activity: textCell,
  total: z.number(),
});

/** Condition on a row `w` of run_workstreams: an agent executed it and it has no result. */
export const RUNNING = `w.state = 'running' AND NOT EXISTS (
  SELECT 1 FROM agent_results r
  WHERE r.run_id = w.run_id AND r.workstream_id = w.workstream_id AND r.attempts IS NOT NULL)`;

const NOT_FINAL = `
  FROM run_workstreams w WHERE run_id = ? AND NOT EXISTS (
    SELECT 1 FROM agent_results r
    WHERE r.run_id = w.run_id AND r.workstream_id = w.workstream_id AND r.attempts IS NOT NULL)`;

/** Running ones first, then those that wait for an agent, then those that wait for others; each in planned order. */
export function liveWorkstreams(
  connection: Connection,
  runId: string,
  limit: number,
): Capped<LiveWorkstream> {
  const sql = `
    SELECT workstream_id, title, state, agent_id, since, fraction, activity, COUNT(*) OVER () AS total
    ${NOT_FINAL}
    ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END, position LIMIT ?`;
  const found = rows(connection, liveRow, sql, runId, limit);
  return { shown: found.map(toLive), total: found[0]?.total ?? 0 };
}

/** How many workstreams are in each live state. */
export function liveCounts(connection: Connection, runId: string): Record<LiveWorkstream['status'], number> {
  const shape = z.object({ state: stateShape, n: z.number() });
  const sql = `SELECT state, COUNT(*) AS n ${NOT_FINAL} GROUP BY state`;
  const counts = { pending: 0, blocked: 0, running: 0 };
  for (const { state, n } of rows(connection, shape, sql, runId)) counts[state] = n;
  return counts;
}

function toLive(row: z.infer<typeof liveRow>): LiveWorkstream {
  return {
    workstreamId: row.workstream_id,
    title: row.title,
    status: row.state,
    agentId: row.agent_id,
    since: row.since,
    fraction: row.fraction,
    activity: row.activity,
  };
}

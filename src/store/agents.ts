/** Reads what each agent did. */
import { z } from 'zod';
import { COORDINATOR } from '../domain/agent-result.ts';
import type { AgentPerformance } from '../domain/run-record.ts';
import type { Connection } from './connection.ts';
import { jsonCell } from './json-cell.ts';
import { eachRow, firstRow, numberCell, textCell } from './read.ts';
import { wallSeconds } from './wall-time.ts';

const workRow = z.object({
  agent_id: z.string(),
  status: z.string(),
  duration_seconds: numberCell,
  cpu_seconds: numberCell,
});

/** What is counted of one agent while its rows pass by. */
interface Tally {
  workstreams: number;
  completed: number;
  failed: number;
  /** Sum of what is known; null until something is. */
  cpuSeconds: number | null;
  durations: number[];
  /** Busy with attempts that another one followed. */
  earlierSeconds: number;
}

/**
 * What each agent did, in the order of their numbers, also those that got nothing to do. The median and the 95th
 * percentile are by nearest rank: values that were measured.
 */
export function agentPerformances(connection: Connection, runId: string): AgentPerformance[] {
  const sql = `
    SELECT agent_id, status, duration_seconds, cpu_seconds FROM agent_results
    WHERE run_id = ? AND agent_id <> ?`;
  const tallies = new Map<string, Tally>();
  for (const agentId of namesOf(connection, runId)) tallies.set(agentId, newTally());
  for (const row of eachRow(connection, workRow, sql, runId, COORDINATOR)) {
    const tally = tallies.get(row.agent_id) ?? newTally();
    tallies.set(row.agent_id, tally);
    add(tally, row);
  }
  addEarlierAttempts(connection, runId, tallies);
  const wall = wallSeconds(connection, runId);
  return [...tallies]
    .toSorted(([one], [other]) => byNumber.compare(one, other))
    .map(([agentId, tally]) => toPerformance(agentId, tally, wall));
}

const byNumber = new Intl.Collator('en', { numeric: true });

const namesRow = z.object({ agent_names: textCell, agents_count: numberCell });
const namesCell = z.array(z.string()).nullable().catch(null);

/** Runs that were recorded before agents could have names have a number of them. */
function namesOf(connection: Connection, runId: string): string[] {
  const sql = 'SELECT agent_names, agents_count FROM consolidated_runs WHERE run_id = ?';
  const row = firstRow(connection, namesRow, sql, runId);
  const names = jsonCell(namesCell, row?.agent_names ?? null);
  return names ?? Array.from({ length: row?.agents_count ?? 0 }, (_, index) => `agent-${index + 1}`);
}

const EARLIER = `
SELECT a.agent_id, a.duration_seconds FROM workstream_attempts a
JOIN agent_results r ON r.run_id = a.run_id AND r.workstream_id = a.workstream_id
WHERE a.run_id = ? AND a.attempt < r.attempts`;

const earlierRow = z.object({ agent_id: z.string(), duration_seconds: numberCell });

/** Attempts that another one followed kept their agents busy too. */
function addEarlierAttempts(connection: Connection, runId: string, tallies: Map<string, Tally>): void {
  for (const row of eachRow(connection, earlierRow, EARLIER, runId)) {
    const tally = tallies.get(row.agent_id);
    if (tally !== undefined) tally.earlierSeconds += row.duration_seconds ?? 0;
  }
}

const newTally = (): Tally => ({
  workstreams: 0,
  completed: 0,
  failed: 0,
  cpuSeconds: null,
  durations: [],
  earlierSeconds: 0,
});

function add(tally: Tally, row: z.infer<typeof workRow>): void {
  tally.workstreams += 1;
  if (row.status === 'completed') tally.completed += 1;
  if (row.status === 'failed') tally.failed += 1;
  if (row.cpu_seconds !== null) tally.cpuSeconds = (tally.cpuSeconds ?? 0) + row.cpu_seconds;
  if (row.duration_seconds !== null) tally.durations.push(row.duration_seconds);
}

function toPerformance(agentId: string, tally: Tally, wallOrNull: number | null): AgentPerformance {
  const { workstreams, completed, failed, cpuSeconds, durations } = tally;
  const ascending = Float64Array.from(durations).toSorted();
  const lastSeconds = ascending.reduce((sum, duration) => sum + duration, 0);
  const busySeconds = lastSeconds + tally.earlierSeconds;
  const wall = wallOrNull ?? busySeconds;
  const settled = completed + failed;
  return {
    agentId,
    workstreams,
    completed,
    failed,
    successRate: settled === 0 ? null : completed / settled,
    busySeconds,
    idleSeconds: Math.max(0, wall - busySeconds),
    cpuSeconds,
    utilisation: wall === 0 ? null : Math.min(1, busySeconds / wall),
    averageSeconds: durations.length === 0 ? null : lastSeconds / durations.length,
    medianSeconds: nearestRank(ascending, 0.5),
    p95Seconds: nearestRank(ascending, 0.95),
    perHour: wall === 0 ? null : (workstreams * 3600) / wall,
  };
}

/** The least value that at least this share of all is not above. */
function nearestRank(ascending: Float64Array, share: number): number | null {
  return ascending[Math.ceil(share * ascending.length) - 1] ?? null;
}

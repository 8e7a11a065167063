/** Reads what each agent did, and each host of a queue. */
import { z } from 'zod';
import { COORDINATOR } from '../../domain/agent-result.ts';
import type { AgentPerformance, HostPerformance } from '../../domain/run-record.ts';
import { byNumber } from '../../text/by-number.ts';
import { jsonCell, numberCell, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { presentSeconds } from '../write/agent-counts.ts';
import { countOf, firstRow, rows } from './rows.ts';
import { wallSeconds } from './wall-time.ts';

const workRow = z.object({
  agent_id: z.string(),
  workstreams: z.number(),
  completed: z.number(),
  failed: z.number(),
  cpu: numberCell,
  measured: z.number(),
  busy: z.number(),
  ranks: textCell,
});
type Work = Omit<z.infer<typeof workRow>, 'agent_id'>;

const NO_WORK: Work = {
  workstreams: 0,
  completed: 0,
  failed: 0,
  cpu: null,
  measured: 0,
  busy: 0,
  ranks: null,
};

/** In one pass over an index. What is no text names no agent. */
const WORK = `
SELECT agent_id, COUNT(*) AS workstreams, SUM(status = 'completed') AS completed, SUM(status = 'failed') AS failed,
  SUM(cpu_seconds) AS cpu, COUNT(duration_seconds) AS measured, COALESCE(SUM(duration_seconds), 0) AS busy,
  nearest_ranks(duration_seconds) AS ranks
FROM agent_results WHERE run_id = ? AND agent_id <> ? AND typeof(agent_id) = 'text' GROUP BY agent_id`;

/** The median and the 95th percentile. */
const ranksCell = z.tuple([z.number(), z.number()]).nullable().catch(null);

/**
 * What each agent did, in the order of their numbers, also those that got nothing to do. The median and the 95th
 * percentile are by nearest rank: values that were measured.
 */
export function agentPerformances(connection: Connection, runId: string): AgentPerformance[] {
  const works = new Map<string, Work>(namesOf(connection, runId).map((name) => [name, NO_WORK]));
  for (const row of rows(connection, workRow, WORK, runId, COORDINATOR)) works.set(row.agent_id, row);
  const earlier = earlierSeconds(connection, runId);
  const wall = wallSeconds(connection, runId);
  const present = presentSeconds(connection, runId);
  return [...works]
    .toSorted(([one], [other]) => byNumber(one, other))
    .map(([agentId, work]) => {
      const times = { wall, present: present?.(placeOf(agentId)) ?? wall };
      return toPerformance(agentId, work, earlier.get(agentId) ?? 0, times);
    });
}

/** Where the number of agents changes they are called agent-1 to agent-N. */
const placeOf = (agentId: string): number => Number(/^agent-(\d+)$/.exec(agentId)?.[1] ?? 1) - 1;

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
SELECT a.agent_id, COALESCE(SUM(a.duration_seconds), 0) AS seconds FROM workstream_attempts a
JOIN agent_results r ON r.run_id = a.run_id AND r.workstream_id = a.workstream_id
WHERE a.run_id = ? AND a.attempt < r.attempts AND typeof(a.agent_id) = 'text' GROUP BY a.agent_id`;

const earlierRow = z.object({ agent_id: z.string(), seconds: z.number() });

/** Attempts that another one followed kept their agents busy too. */
function earlierSeconds(connection: Connection, runId: string): Map<string, number> {
  return new Map(rows(connection, earlierRow, EARLIER, runId).map((row) => [row.agent_id, row.seconds]));
}

/** Of the run, and of the agent. */
interface Times {
  wall: number | null;
  present: number | null;
}

function toPerformance(agentId: string, work: Work, earlier: number, times: Times): AgentPerformance {
  const { workstreams, completed, failed, measured, busy } = work;
  const busySeconds = busy + earlier;
  const wall = times.wall ?? busySeconds;
  // An agent that is removed finishes its workstream first.
  const present = Math.max(times.present ?? busySeconds, busySeconds);
  const settled = completed + failed;
  const [medianSeconds, p95Seconds] = jsonCell(ranksCell, work.ranks) ?? [null, null];
  return {
    agentId,
    workstreams,
    completed,
    failed,
    successRate: settled === 0 ? null : completed / settled,
    busySeconds,
    idleSeconds: present - busySeconds,
    cpuSeconds: work.cpu,
    utilisation: present === 0 ? null : Math.min(1, busySeconds / present),
    averageSeconds: measured === 0 ? null : busy / measured,
    medianSeconds,
    p95Seconds,
    perHour: wall === 0 ? null : (workstreams * 3600) / wall,
  };
}

/**
 * Executions that ended as lost, by agent, and those that another one followed on agents that have no result. Few are.
 */
const LOST = `
SELECT agent_id, COUNT(*) AS lost, COALESCE(SUM(seconds), 0) AS seconds FROM (
  SELECT agent_id, duration_seconds AS seconds FROM agent_results
  WHERE run_id = ? AND status = 'failed' AND reason = 'host-lost'
  UNION ALL
  SELECT a.agent_id, a.duration_seconds FROM workstream_attempts a
  LEFT JOIN agent_results r ON r.run_id = a.run_id AND r.workstream_id = a.workstream_id
  WHERE a.run_id = ? AND a.reason = 'host-lost' AND (r.attempts IS NULL OR a.attempt < r.attempts))
WHERE typeof(agent_id) = 'text' GROUP BY agent_id`;

const lostRow = z.object({ agent_id: z.string(), lost: z.number(), seconds: z.number() });

/**
 * One entry for each host, by name; none for a run that was executed on this machine alone. Agents of hosts are called
 * `HOST/agent-N`, and no other agent has a `/` in its name.
 * @param agents of the same run.
 */
export function hostPerformances(
  connection: Connection,
  runId: string,
  agents: readonly AgentPerformance[],
): HostPerformance[] {
  const hosts = new Map<string, HostPerformance>();
  const known = new Set<string>();
  for (const { agentId, workstreams, completed, failed, busySeconds } of agents) {
    const host = entryOf(hosts, agentId);
    if (host === null) continue;
    known.add(agentId);
    host.agents += 1;
    host.workstreams += workstreams;
    host.completed += completed;
    host.failed += failed;
    host.busySeconds += busySeconds;
  }
  if (hosts.size === 0) return [];
  for (const { agent_id: agentId, lost, seconds } of rows(connection, lostRow, LOST, runId, runId)) {
    const host = entryOf(hosts, agentId);
    if (host === null) continue;
    host.lost += lost;
    if (known.has(agentId)) continue;
    host.agents += 1;
    host.busySeconds += seconds;
  }
  return [...hosts.values()].toSorted((one, other) => byNumber(one.host, other.host));
}

const HAS_HOSTS = `
SELECT EXISTS (SELECT 1 FROM consolidated_runs WHERE run_id = ? AND agent_names GLOB '*/*')
  OR EXISTS (SELECT 1 FROM agent_results WHERE run_id = ? AND agent_id GLOB '*/*') AS n`;

/** `hostPerformances` for those who want nothing else of a run's agents. */
export function hostsOfRun(connection: Connection, runId: string): HostPerformance[] {
  if (countOf(connection, HAS_HOSTS, runId, runId) === 0) return [];
  return hostPerformances(connection, runId, agentPerformances(connection, runId));
}

/** Null for an agent of this machine. */
function entryOf(hosts: Map<string, HostPerformance>, agentId: string): HostPerformance | null {
  const end = agentId.lastIndexOf('/');
  if (end === -1) return null;
  const host = agentId.slice(0, end);
  const entry = hosts.get(host) ?? {
    host,
    agents: 0,
    workstreams: 0,
    completed: 0,
    failed: 0,
    busySeconds: 0,
    lost: 0,
  };
  hosts.set(host, entry);
  return entry;
}

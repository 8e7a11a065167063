/** Workstreams over several runs, a part of them at a time. */
import { z } from 'zod';
import type { WorkstreamInRun } from '../../../domain/dashboard/answers.ts';
import { isoTime, numberCell, textCell } from '../../schema/cells.ts';
import type { Connection } from '../../schema/connection.ts';
import { countOf, rows } from '../rows.ts';
import { runStatus } from '../run-status.ts';

const idRow = z.object({ id: z.string() });
/** Results in some runs of workstreams in whose id something is. */
const MATCHING = `
FROM json_each(?) u CROSS JOIN agent_results r ON r.run_id = u.value
WHERE typeof(r.workstream_id) = 'text' AND instr(lower(r.workstream_id), lower(?)) > 0`;
const IDS = `SELECT DISTINCT r.workstream_id AS id ${MATCHING}`;

/** Which workstreams are asked for, by the order of their ids. */
export interface WorkstreamsAsked {
  runIds: readonly string[];
  /** What is in the id. */
  search: string;
  /** Only those after this id. */
  after: string;
  limit: number;
}

export const workstreamIds = (connection: Connection, asked: WorkstreamsAsked): string[] => {
  const { runIds, search, after, limit } = asked;
  const sql = `SELECT id FROM (${IDS}) WHERE id > ? ORDER BY id LIMIT ?`;
  return rows(connection, idRow, sql, JSON.stringify(runIds), search, after, limit).map(({ id }) => id);
};

export const workstreamCount = (connection: Connection, { runIds, search }: WorkstreamsAsked): number =>
  countOf(connection, `SELECT COUNT(*) AS n FROM (${IDS})`, JSON.stringify(runIds), search);

/** How many failed in the last of these runs that has a result of them. */
export const failingCount = (connection: Connection, { runIds, search }: WorkstreamsAsked): number => {
  const last = `SELECT r.status, MAX(r.id) ${MATCHING} AND r.attempts IS NOT NULL GROUP BY r.workstream_id`;
  const sql = `SELECT COUNT(*) AS n FROM (${last}) WHERE status = 'failed'`;
  return countOf(connection, sql, JSON.stringify(runIds), search);
};

const inRunRow = z.object({
  workstream_id: z.string(),
  run_id: z.string(),
  created_at: textCell,
  label: textCell,
  title: textCell,
  status: z.string(),
  reason: textCell,
  explanation: textCell,
  agent_id: textCell,
  attempts: numberCell,
  duration_seconds: numberCell,
  cost_usd: numberCell,
  tool: textCell,
  model: textCell,
  log_file: textCell,
});

const IN_RUNS = `
SELECT r.workstream_id, r.run_id, c.created_at, c.label, r.title, r.status, r.reason, r.explanation, r.agent_id, r.attempts,
  r.duration_seconds, r.cost_usd, r.tool, r.model, r.log_file`;

/** The title of a workstream, and what became of it in one run. */
export interface TitledResult extends WorkstreamInRun {
  workstreamId: string;
  title: string;
}

/** The last result of each of these workstreams in these runs. */
export const lastResults = (
  connection: Connection,
  ids: readonly string[],
  runIds: readonly string[],
): TitledResult[] => {
  const sql = `${IN_RUNS}, MAX(r.id) FROM json_each(?) w CROSS JOIN json_each(?) u
    CROSS JOIN agent_results r ON r.run_id = u.value AND r.workstream_id = w.value AND r.attempts IS NOT NULL
    JOIN consolidated_runs c ON c.run_id = r.run_id GROUP BY w.key ORDER BY w.key`;
  return rows(connection, inRunRow, sql, JSON.stringify(ids), JSON.stringify(runIds)).map(toTitled);
};

/** What became of a workstream in the newest runs that have a result of it, the newest first. */
export const resultsOf = (connection: Connection, workstreamId: string, limit: number): TitledResult[] => {
  const sql = `${IN_RUNS} FROM consolidated_runs c
    CROSS JOIN agent_results r ON r.run_id = c.run_id AND r.workstream_id = ? AND r.attempts IS NOT NULL
    ORDER BY c.rowid DESC LIMIT ?`;
  return rows(connection, inRunRow, sql, workstreamId, limit).map(toTitled);
};

const toTitled = (row: z.infer<typeof inRunRow>): TitledResult => ({
  workstreamId: row.workstream_id,
  title: row.title ?? row.workstream_id,
  runId: row.run_id,
  at: isoTime(row.created_at) ?? '',
  label: row.label,
  status: runStatus(row.status),
  reason: row.reason,
  explanation: row.explanation,
  agentId: row.agent_id ?? '',
  attempts: row.attempts ?? 0,
  seconds: row.duration_seconds,
  costUsd: row.cost_usd,
  tool: row.tool,
  model: row.model,
  hasLog: row.log_file !== null,
});

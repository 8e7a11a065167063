/** Reads results short: the lists of a report. */
import type { z } from 'zod';
import { withAdvice } from '../../analysis/resource-advice.ts';
import { COORDINATOR } from '../../domain/agent-result.ts';
import type { Capped } from '../../domain/capped.ts';
import type { ResourceUse, ShortResult } from '../../domain/run-record.ts';
import { numberCell, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { resultTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { MERGE_PROBLEMS } from './merges.ts';
import { countOf, eachCells, rows } from './rows.ts';
import { runStatus, unusualRunStatus } from './run-status.ts';

const shortRow = resultTable.row.pick({
  workstream_id: true,
  title: true,
  agent_id: true,
  status: true,
  reason: true,
  explanation: true,
  failure: true,
  start_time: true,
  end_time: true,
  duration_seconds: true,
  log_file: true,
});

const COLUMNS = columnsOf(shortRow, 'r');

/** How long lists of results may get. */
export interface TimelineCaps {
  /** Up to this many workstreams, all of them are shown. */
  all: number;
  failures: number;
  longest: number;
}

/** Results of one status, in the order in which they arrived. */
export function shortResults(
  connection: Connection,
  runId: string,
  status: 'failed' | 'skipped',
  limit: number,
): Capped<ShortResult> {
  const condition =
    status === 'failed' ? "status = 'failed'" : "status <> 'completed' AND status <> 'failed'";
  const where = `FROM agent_results WHERE run_id = ? AND ${condition}`;
  const shown = byIds(connection, `SELECT id ${where} ORDER BY id LIMIT ?`, 'r.id', [runId, limit]);
  const isAll = shown.length < limit;
  return {
    shown,
    total: isAll ? shown.length : countOf(connection, `SELECT COUNT(*) AS n ${where}`, runId),
  };
}

/** Every workstream of a small run; of a large one the first failures and the longest; in order of start. */
export function timeline(connection: Connection, runId: string, caps: TimelineCaps): Capped<ShortResult> {
  const total = countOf(connection, 'SELECT COUNT(*) AS n FROM agent_results WHERE run_id = ?', runId);
  const order = 'r.start_time IS NULL, r.start_time, r.id';
  if (total <= caps.all) {
    return {
      shown: byIds(connection, 'SELECT id FROM agent_results WHERE run_id = ?', order, [runId]),
      total,
    };
  }
  const ids = `
    SELECT * FROM (SELECT id FROM agent_results WHERE run_id = ? AND status = 'failed' ORDER BY id LIMIT ?)
    UNION
    SELECT * FROM (SELECT id FROM agent_results WHERE run_id = ? AND duration_seconds IS NOT NULL
      ORDER BY duration_seconds DESC, id LIMIT ?)`;
  const parameters = [runId, caps.failures, runId, caps.longest];
  return { shown: byIds(connection, ids, order, parameters), total };
}

/** What a list of all results of a run says of each. */
export type ListedResult = Pick<
  ShortResult,
  'workstreamId' | 'title' | 'agentId' | 'status' | 'explanation' | 'durationSeconds'
> & {
  /** Why its work is not in the run's own branch, in a few words; null where it is, or nothing is to be merged. */
  notMerged: string | null;
};

/** First the ids, so that sorting carries no rows. A title that is the id is read once. */
const LISTED = `
WITH ids AS MATERIALIZED (SELECT id FROM agent_results WHERE run_id = ? ORDER BY id)
SELECT r.workstream_id, NULLIF(r.title, r.workstream_id), r.agent_id, r.status, r.explanation, r.duration_seconds,
  CASE WHEN r.merge_status IN ${MERGE_PROBLEMS} THEN r.merge_status || COALESCE(': ' || r.merge_test, '')
    || COALESCE(', together with ' || r.merge_partner, '') END
FROM ids CROSS JOIN agent_results r ON r.id = ids.id ORDER BY ids.id`;

/** Every result of a run, in the order in which they arrived, one by one. */
export function* eachListedResult(
  connection: Connection,
  runId: string,
): Generator<ListedResult, void, undefined> {
  for (const cells of eachCells(connection, LISTED, runId)) {
    const [id, title, agentId, status, explanation, seconds, notMerged] = cells;
    yield {
      workstreamId: String(id),
      title: textOf(title) ?? String(id),
      agentId: textOf(agentId) ?? COORDINATOR,
      status: runStatus(String(status)),
      explanation: textOf(explanation) ?? unusualRunStatus(String(status)),
      durationSeconds: typeof seconds === 'number' ? seconds : null,
      notMerged: textOf(notMerged),
    };
  }
}

const textOf = (cell: unknown): string | null => (typeof cell === 'string' ? cell : null);

function byIds(
  connection: Connection,
  ids: string,
  order: string,
  parameters: readonly (string | number)[],
): ShortResult[] {
  const sql = `
    SELECT ${COLUMNS} FROM (${ids}) i CROSS JOIN agent_results r ON r.id = i.id ORDER BY ${order}`;
  return rows(connection, shortRow, sql, ...parameters).map(toShort);
}

function toShort(row: z.infer<typeof shortRow>): ShortResult {
  return {
    workstreamId: row.workstream_id,
    title: row.title ?? row.workstream_id,
    agentId: row.agent_id ?? COORDINATOR,
    status: runStatus(row.status),
    reason: row.reason,
    explanation: row.explanation ?? unusualRunStatus(row.status),
    failure: row.failure,
    startTime: row.start_time,
    endTime: row.end_time,
    durationSeconds: row.duration_seconds,
    logFile: row.log_file,
  };
}

const usedCells = resultTable.row.pick({
  workstream_id: true,
  status: true,
  duration_seconds: true,
  cpu_wait_seconds: true,
  usage: true,
});
const usedRow = usedCells.extend({ file: textCell, position: numberCell });

/** Found by the index of results that reserved something. */
const USED = `
SELECT ${columnsOf(usedCells, 'r')}, r.metadata ->> 'file' AS file, r.metadata ->> 'position' AS position
FROM agent_results r WHERE r.run_id = ? AND r.usage IS NOT NULL ORDER BY r.id`;

/** What workstreams reserved and used: those with advice first, then in the order in which they arrived. */
export function resourceUse(connection: Connection, runId: string, limit: number): Capped<ResourceUse> {
  const all = withAdvice(
    rows(connection, usedRow, USED, runId).flatMap((row) => {
      const { usage, duration_seconds: seconds } = row;
      if (usage === null) return [];
      const { cpus, memoryMb, cpuSeconds, peakMemoryMb } = usage;
      // The time in which a thread waited for a processor says nothing of how many it needs.
      const worked = (seconds ?? 0) - (row.cpu_wait_seconds ?? 0);
      return [
        {
          workstreamId: row.workstream_id,
          seconds,
          asked: { cpus, memoryMb },
          cpuSeconds,
          used: {
            cpus: cpuSeconds === null || worked <= 0 ? null : cpuSeconds / worked,
            memoryMb: peakMemoryMb,
          },
          definition: `${row.file}#${row.position}`,
          isCompleted: row.status === 'completed',
        },
      ];
    }),
  );
  const [told, others] = [
    all.filter(({ advice }) => advice !== null),
    all.filter(({ advice }) => advice === null),
  ];
  return { shown: [...told, ...others].slice(0, limit), total: all.length };
}

/** Runs as a list shows them, and which of them have changed since it was read. */
import { z } from 'zod';
import type { ListedRun } from '../../../domain/dashboard/answers.ts';
import type { AwaitedLimit } from '../../../domain/run-record.ts';
import { isoTime, jsonCell, numberCell, textCell } from '../../schema/cells.ts';
import type { Connection } from '../../schema/connection.ts';
import { countOf, firstRow, rows } from '../rows.ts';
import { checkoutOf, runShape, stateOf, totalsOf } from '../runs.ts';

const listedRow = z.object({
  ...runShape,
  number: z.number(),
  exit_code: numberCell,
  agents_count: numberCell,
  wall: numberCell,
  interrupted_by: textCell,
  limit_tool: textCell,
  limit_until: textCell,
  in_hand: z.number(),
  cost: numberCell,
  tools: textCell,
});
type ListedRow = z.infer<typeof listedRow>;

const summary = (path: string): string =>
  `CASE WHEN json_valid(u.execution_summary) THEN json_extract(u.execution_summary, '${path}') END`;
const ofResults = (what: string, which: string): string =>
  `(SELECT ${what} FROM agent_results a WHERE a.run_id = u.run_id AND a.${which} IS NOT NULL)`;

/** Results with a tool, and those that were taken over, have indexes of their own. */
const LISTED = `
SELECT u.rowid AS number, u.*, ${summary('$.speed.wall_seconds')} AS wall,
  ${summary('$.interrupted_by')} AS interrupted_by,
  ${summary('$.waits_for_limit.tool')} AS limit_tool, ${summary('$.waits_for_limit.until')} AS limit_until,
  ${ofResults('COUNT(*)', 'from_run')} AS taken_over, ${ofResults('TOTAL(saved_seconds)', 'from_run')} AS saved_seconds,
  ${ofResults('SUM(cost_usd)', 'tool')} AS cost, ${ofResults('json_group_array(DISTINCT tool)', 'tool')} AS tools,
  (SELECT COUNT(*) FROM workstreams_in_hand h WHERE h.run_id = u.run_id) AS in_hand
FROM consolidated_runs u`;

/** How many runs there are. */
export const runCount = (connection: Connection): number =>
  countOf(connection, 'SELECT COUNT(*) AS n FROM consolidated_runs');

const stampRow = z.object({ n: z.number(), newest: numberCell, ended: textCell });
const STAMP = `
SELECT COUNT(*) AS n, MAX(rowid) AS newest, MAX(ended_at) AS ended FROM consolidated_runs WHERE state <> 'running'`;

/** Changes when a run ends, or one that has ended is removed. */
export const historyStamp = (connection: Connection): string =>
  JSON.stringify(rows(connection, stampRow, STAMP));

/** Runs that one is seen among. */
const HISTORY_RUNS = 100;
/** More results, of these runs and of one run itself, take longer to read than other work of the process can wait. */
const LONG_HISTORY = 6_000;
const LONG_RUN = 1_000;
const LENGTH = `
SELECT (SELECT TOTAL(total_workstreams) > ${LONG_HISTORY}
    FROM (SELECT total_workstreams FROM consolidated_runs ORDER BY rowid DESC LIMIT ${HISTORY_RUNS}))
  OR EXISTS (SELECT 1 FROM consolidated_runs WHERE run_id = ? AND total_workstreams > ${LONG_RUN}) AS n`;

/** Whether it takes longer than a moment to read what is known of a run, which is compared with those before it. */
export const isLongHistory = (connection: Connection, runId: string): boolean =>
  countOf(connection, LENGTH, runId) > 0;

const endedRow = z.object({ run_id: z.string() });

/** Id of the newest run that has ended; null for none. */
export const newestEnded = (connection: Connection): string | null =>
  firstRow(
    connection,
    endedRow,
    "SELECT run_id FROM consolidated_runs WHERE state = 'ended' ORDER BY rowid DESC LIMIT 1",
  )?.run_id ?? null;

/** Runs, the newest first. @param page.before id of a run: only older ones are listed. */
export function listedRuns(
  connection: Connection,
  { limit, before = null }: { limit: number; before?: string | null },
): ListedRun[] {
  const older =
    before === null ? '' : 'WHERE u.rowid < (SELECT rowid FROM consolidated_runs WHERE run_id = ?)';
  const sql = `${LISTED} ${older} ORDER BY u.rowid DESC LIMIT ?`;
  return rows(connection, listedRow, sql, ...(before === null ? [] : [before]), limit).map(toListed);
}

/** The runs of these ids, the newest first. */
const listedById = (connection: Connection, ids: readonly string[]): ListedRun[] =>
  rows(
    connection,
    listedRow,
    `${LISTED} WHERE u.run_id IN (SELECT value FROM json_each(?)) ORDER BY u.rowid DESC`,
    JSON.stringify(ids),
  ).map(toListed);

const toolNames = z.array(z.string()).catch([]);

function toListed(row: ListedRow): ListedRun {
  const state = stateOf(row);
  return {
    runId: row.run_id,
    label: row.label,
    state,
    exitCode: row.exit_code,
    interruptedBy: row.interrupted_by,
    waitsForLimit: limitOf(row),
    createdAt: isoTime(row.created_at) ?? isoTime(row.timestamp) ?? row.created_at ?? '',
    endedAt: isoTime(row.ended_at),
    resumedAt: isoTime(row.resumed_at),
    wallSeconds: row.wall,
    totals: totalsOf(row),
    running: state === 'running' ? row.in_hand : 0,
    agents: row.agents_count,
    costUsd: row.cost,
    tools: jsonCell(toolNames, row.tools),
    retryOf: row.retry_of,
    hostname: row.hostname,
    checkout: checkoutOf(row),
  };
}

const limitOf = ({ limit_tool: tool, limit_until: until }: ListedRow): AwaitedLimit | null =>
  tool === null || until === null ? null : { tool, until };

/** What is different in a list of runs. */
export interface ListChange {
  /** New ones, and those that are not as they were. */
  runs: ListedRun[];
  /** Ids of those that were removed. */
  gone: string[];
  total: number;
}

/** Most runs that are told to be new at once: a list shows hardly more. */
const MOST_NEW = 100;

/** Tells what changes in the list of runs, without reading what does not. Holds the ids of all runs. */
export class RunList {
  #newest = 0;
  #ids = new Set<string>();
  /** JSON of the runs that may still change, as they were last told. */
  #open = new Map<string, string>();

  /** From now on changes are told as of this moment. */
  begin(connection: Connection): void {
    const all = rows(connection, idRow, IDS);
    this.#newest = all.reduce((newest, { number }) => Math.max(newest, number), 0);
    this.#ids = new Set(all.map(({ run_id: id }) => id));
    this.#open = new Map();
    this.#note(listedById(connection, this.#changeable(connection)));
  }

  /** Null where nothing has changed. */
  change(connection: Connection): ListChange | null {
    const total = runCount(connection);
    const fresh = rows(connection, idRow, `${IDS} WHERE rowid > ? ORDER BY rowid DESC`, this.#newest);
    for (const { number, run_id: id } of fresh) {
      this.#newest = Math.max(this.#newest, number);
      this.#ids.add(id);
    }
    const gone = total === this.#ids.size ? [] : this.#removed(connection);
    const asked = new Set([
      ...fresh.slice(0, MOST_NEW).map(({ run_id: id }) => id),
      ...this.#open.keys(),
      ...this.#changeable(connection),
    ]);
    const runs = this.#note(listedById(connection, [...asked]));
    return runs.length + gone.length === 0 ? null : { runs, gone, total };
  }

  /** Those that run, or were running when their process died; a resumed one is among them as well. */
  #changeable(connection: Connection): string[] {
    return rows(connection, idRow, `${IDS} WHERE state = 'running'`).map(({ run_id: id }) => id);
  }

  #removed(connection: Connection): string[] {
    const left = new Set(rows(connection, idRow, IDS).map(({ run_id: id }) => id));
    const gone = [...this.#ids].filter((id) => !left.has(id));
    for (const id of gone) this.#open.delete(id);
    this.#ids = left;
    return gone;
  }

  /** Those that are not as they were told. */
  #note(runs: readonly ListedRun[]): ListedRun[] {
    return runs.filter((run) => {
      const text = JSON.stringify(run);
      const isSame = this.#open.get(run.runId) === text;
      if (run.state === 'ended') this.#open.delete(run.runId);
      else this.#open.set(run.runId, text);
      return !isSame;
    });
  }
}

const idRow = z.object({ number: z.number(), run_id: z.string() });
const IDS = 'SELECT rowid AS number, run_id FROM consolidated_runs';

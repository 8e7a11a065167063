/** Counts over all runs, for a monitoring system. */
import { z } from 'zod';
import { reasonSchema } from '../../../domain/failure.ts';
import { numberCell, textCell } from '../../schema/cells.ts';
import type { Connection } from '../../schema/connection.ts';
import { isWriterGone, processShape } from '../liveness.ts';
import { firstRow, rows } from '../rows.ts';
import { runStatus } from '../run-status.ts';

/** What is counted: the name of a metric and its labels as JSON, with their value. */
export type MetricCounts = Map<string, number>;

/** Upper bounds of the histogram of durations, in seconds: from a no-op to what takes an hour. */
const DURATION_BOUNDS = [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1_800, 3_600];

/** Most names of tools: whoever writes workstreams makes them up. */
const MOST_TOOLS = 50;

const runRow = z.object({ run_id: z.string(), state: textCell, agents_count: numberCell, ...processShape });
const RUNS = `SELECT ${Object.keys(runRow.shape).join(', ')} FROM consolidated_runs`;

/** Reads each run that has ended once, and those under way each time. Keeps their ids and the sums. */
export class RunCounts {
  #ended: MetricCounts = new Map();
  #known = new Set<string>();
  #of: Connection | null = null;

  /** As of now. What was read before it broke off, or was left, is not read again. @yields after each part. */
  *read(connection: Connection): Generator<void, MetricCounts> {
    const runs = rows(connection, runRow, RUNS);
    const ended = new Set(runs.filter(({ state }) => state !== 'running').map(({ run_id: id }) => id));
    // Another connection may be to another database. What was removed, or resumed, can't be subtracted.
    if (connection !== this.#of || [...this.#known].some((id) => !ended.has(id))) {
      this.#ended = new Map();
      this.#known = new Set();
    }
    this.#of = connection;
    for (const id of ended) {
      if (this.#known.has(id)) continue;
      // Of one that can't be read to its end some would be counted twice: all is counted anew then.
      this.#of = null;
      yield* addRun(connection, id, this.#ended);
      this.#of = connection;
      this.#known.add(id);
    }
    const counts = new Map(this.#ended);
    // Also where nothing runs: what is absent can't be told from a dashboard that is not there.
    for (const name of ['running', 'agents']) add(counts, name, {}, 0);
    for (const run of runs) {
      const isOpen = run.state === 'running';
      const state = isOpen ? (isWriterGone(run) ? 'interrupted' : 'running') : (run.state ?? 'ended');
      add(counts, 'runs', { state }, 1);
      if (!isOpen) continue;
      yield* addRun(connection, run.run_id, counts);
      if (state === 'running') addLive(connection, run.run_id, run.agents_count ?? 0, counts);
    }
    return counts;
  }
}

const add = (counts: MetricCounts, name: string, labels: Record<string, string>, value: number): void => {
  const key = JSON.stringify([name, labels]);
  counts.set(key, (counts.get(key) ?? 0) + value);
};

/** Results that are counted in a moment. */
const PART = 5_000;

const partRow = z.object({
  reason: textCell,
  bucket: numberCell,
  tool: textCell,
  n: z.number(),
  seconds: z.number(),
  cost: z.number(),
  input: z.number(),
  output: z.number(),
  last: z.number(),
});
const BUCKET = `
CASE WHEN status NOT IN ('completed', 'failed') OR typeof(duration_seconds) NOT IN ('real', 'integer') THEN NULL
  ${DURATION_BOUNDS.map((bound, index) => `WHEN duration_seconds <= ${bound} THEN ${index}`).join(' ')}
  ELSE ${DURATION_BOUNDS.length} END`;
const STATUSES = 'SELECT MIN(status) AS next FROM agent_results WHERE run_id = ? AND status > ?';
const nextRow = z.object({ next: textCell });
/** The next results of a run in the order of its index. */
const RESULTS = `
SELECT reason, ${BUCKET} AS bucket, CASE WHEN typeof(tool) = 'text' THEN tool END AS tool, COUNT(*) AS n,
  TOTAL(duration_seconds) AS seconds, TOTAL(cost_usd) AS cost, TOTAL(input_tokens) AS input,
  TOTAL(output_tokens) AS output, MAX(id) AS last
FROM (SELECT * FROM agent_results WHERE run_id = ? AND status = ? AND id > ? ORDER BY id LIMIT ${PART})
GROUP BY 1, 2, 3 ORDER BY 3, 1, 2`;

/** A word of an older version is none of the words of this one, and there may be any number of them. */
const reasonOf = (reason: string | null): string =>
  reason === null ? '' : reasonSchema.safeParse(reason).success ? reason : 'other';

type PartRow = z.infer<typeof partRow>;

function* addRun(connection: Connection, runId: string, counts: MetricCounts): Generator<void, void> {
  const after = (status: string): string | null =>
    firstRow(connection, nextRow, STATUSES, runId, status)?.next ?? null;
  for (let status = after(''); status !== null; status = after(status)) {
    for (let n = PART, last = 0; n === PART; ) {
      const groups = rows(connection, partRow, RESULTS, runId, status, last);
      for (const group of groups) addGroup(status, group, counts);
      n = groups.reduce((sum, group) => sum + group.n, 0);
      last = groups.reduce((most, group) => Math.max(most, group.last), last);
      if (n === PART) yield;
    }
  }
  yield;
}

function addGroup(status: string, { reason, n, bucket, tool, ...sums }: PartRow, counts: MetricCounts): void {
  add(counts, 'workstreams', { status: runStatus(status), reason: reasonOf(reason) }, n);
  if (bucket !== null) {
    // Each bucket of Prometheus has what is in all smaller ones as well.
    for (const [index, bound] of [...DURATION_BOUNDS, '+Inf'].entries())
      add(counts, 'duration_bucket', { le: String(bound) }, index >= bucket ? n : 0);
    add(counts, 'duration_sum', {}, sums.seconds);
    add(counts, 'duration_count', {}, n);
  }
  if (tool === null) return;
  const isNew = !counts.has(JSON.stringify(['cost_usd', { tool }]));
  const tools = [...counts.keys()].filter((key) => key.startsWith('["cost_usd"')).length;
  const name = isNew && tools >= MOST_TOOLS ? 'other' : tool;
  add(counts, 'cost_usd', { tool: name }, sums.cost);
  add(counts, 'tokens', { tool: name, direction: 'input' }, sums.input);
  add(counts, 'tokens', { tool: name, direction: 'output' }, sums.output);
}

function addLive(connection: Connection, runId: string, agents: number, counts: MetricCounts): void {
  const sql = 'SELECT COUNT(*) AS n FROM workstreams_in_hand WHERE run_id = ?';
  const [found] = rows(connection, z.object({ n: z.number() }), sql, runId);
  add(counts, 'running', {}, found?.n ?? 0);
  add(counts, 'agents', {}, agents);
}

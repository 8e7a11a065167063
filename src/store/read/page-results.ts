/** Reads the results that a page shows, of a run of any size, in a time that is a small part of the run's. */
import { z } from 'zod';
import type { AgentResult } from '../../domain/agent-result.ts';
import type { PageAggregates, PageLoad, PageResults, PlainText } from '../../domain/page-document.ts';
import { byNumber } from '../../text/by-number.ts';
import { isoTime, parsed, textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { NO_LIST, NO_TESTS } from '../schema/result-cells.ts';
import { resultsById } from './results.ts';
import { allCells, countOf, eachCells, rows } from './rows.ts';

/** Of the most that a page shows, the part that is failures where there are more results. */
const FAILURES = 0.8;

/** All results of a run for its page; of more than `most` the failures, as far as there is room, and the longest. */
export function pageResults(connection: Connection, runId: string, most: number): PageResults {
  const total = countOf(connection, 'SELECT COUNT(*) AS n FROM agent_results WHERE run_id = ?', runId);
  const isAll = total <= most;
  const failures = Math.floor(most * FAILURES);
  const chosen = isAll
    ? allCells(connection, `${SHORT} WHERE run_id = ? ORDER BY id`, runId)
    : allCells(
        connection,
        `${SHORT} WHERE id IN (${CHOSEN}) ORDER BY id`,
        runId,
        failures,
        runId,
        most - failures,
      );
  return {
    results: resultsIn(connection, chosen),
    aggregates: isAll ? null : { byKind: byKind(connection, runId), load: loadOf(connection, runId) },
  };
}

/** Results of a run that are newer than a row, in their order. */
export interface NewResults {
  results: Iterable<AgentResult | PlainText>;
  /** Number of the last row; that which was given where there is none. */
  lastRow: number;
  count: number;
}

/** More rows that are newer, of whatever run, take longer to look at than the index of the run, which has all of its own. */
const FEW = 10_000;

/** @param after number of a row. */
export function resultsAfter(
  connection: Connection,
  runId: string,
  { after, limit }: { after: number; limit: number },
): NewResults {
  const newer = countOf(connection, 'SELECT COALESCE(MAX(id), 0) - ? AS n FROM agent_results', after);
  // The plus keeps SQLite from the index of the run, whose rows are not in the order of their numbers.
  const sql =
    newer <= FEW
      ? `${SHORT} WHERE id > ? AND +run_id = ? ORDER BY id LIMIT ?`
      : `${SHORT} WHERE id IN (SELECT id FROM agent_results WHERE id > ? AND run_id = ? ORDER BY +id LIMIT ?) ORDER BY id`;
  const chosen = allCells(connection, sql, after, runId, limit);
  return {
    results: resultsIn(connection, chosen),
    lastRow: Number(chosen.at(-1)?.[0] ?? after),
    count: chosen.length,
  };
}

/** What a plain result has in `metadata`: a title, a file, a kind, dependencies, one step or none. */
const METADATA_IS_PLAIN = `
json_remove(metadata, '$.title', '$.kind', '$.file', '$.position', '$.priority', '$.constraints', '$.steps') = '{}'
AND (title = workstream_id OR json_type(metadata, '$.title') = 'text') AND json_type(metadata, '$.file') = 'text'
AND COALESCE(json_type(metadata, '$.kind'), 'text') = 'text'
AND COALESCE(json_array_length(metadata, '$.steps'), 0) <= 1`;

/** Bytes and times that only other programs write are for those who read results whole. */
const TIME = "GLOB '????-??-??T??:??:??.???Z'";
const IS_PLAIN = `
status = 'completed' AND attempts = 1 AND from_run IS NULL AND usage IS NULL AND reason IS NULL AND log_file IS NULL AND tool IS NULL AND has_output = 0
AND warnings = '${NO_LIST}' AND files_modified = '${NO_LIST}' AND commits_created = '${NO_LIST}'
AND test_results = '${NO_TESTS}'
AND typeof(workstream_id) = 'text' AND typeof(agent_id) = 'text' AND start_time ${TIME} AND end_time ${TIME}
AND CASE WHEN json_valid(metadata) THEN ${METADATA_IS_PLAIN} END`;

/** Seconds without digits that nobody measured, and which take a third of a large page. */
const seconds = (column: string): string => `json_quote(round(${column}, 6))`;

/** A `PackedWorkstream` but for its end. */
const PACKED = `
'{"id":' || json_quote(workstream_id)
|| CASE WHEN title = workstream_id THEN '' ELSE ',"title":' || (metadata -> '$.title') END
|| COALESCE(',"kind":' || (metadata -> '$.kind'), '')
|| ',"file":' || (metadata -> '$.file') || ',"agentId":' || json_quote(agent_id)
|| ',"start":"' || start_time || '","end":"' || end_time || '","seconds":' || ${seconds('duration_seconds')}
|| ',"cpuSeconds":' || ${seconds('cpu_seconds')} || ',"cpuWaitSeconds":' || ${seconds('cpu_wait_seconds')}`;

/** SQLite writes the JSON of plain results, in a third of the time that it takes to parse their cells and write it. */
const SHORT = `
SELECT id, CASE WHEN ${IS_PLAIN} THEN ${PACKED} END, CASE WHEN json_valid(metadata) THEN metadata -> '$.constraints' END
FROM agent_results`;

const CHOSEN = `
SELECT * FROM (SELECT id FROM agent_results WHERE run_id = ? AND status = 'failed' ORDER BY id LIMIT ?)
UNION
SELECT * FROM (SELECT id FROM agent_results WHERE run_id = ? AND duration_seconds IS NOT NULL
  ORDER BY duration_seconds DESC, id LIMIT ?)`;

/** Whole results are read some at a time, where they stand. */
function* resultsIn(
  connection: Connection,
  chosen: readonly (readonly unknown[])[],
): Generator<AgentResult | PlainText, void, undefined> {
  let whole: number[] = [];
  for (const [id, packed, constraints] of chosen) {
    const plain = typeof packed === 'string' ? plainText(packed, constraints) : null;
    if (plain === null) {
      whole.push(Number(id));
      continue;
    }
    if (whole.length > 0) yield* resultsById(connection, whole);
    whole = [];
    yield plain;
  }
  yield* resultsById(connection, whole);
}

/** Null where what it depends on is not as this version writes it. */
function plainText(packed: string, constraints: unknown): PlainText | null {
  if (typeof constraints !== 'string') return `${packed}}`;
  const read = dependencies.safeParse(parsed(constraints));
  if (!read.success) return null;
  const dependsOn = read.data.dependsOn.map(({ id }) => id);
  return dependsOn.length === 0 ? `${packed}}` : `${packed},"dependsOn":${JSON.stringify(dependsOn)}}`;
}

const dependencies = z.object({ dependsOn: z.array(z.object({ id: z.string() })) });

const timeOf = (cell: unknown): string | null => (typeof cell === 'string' ? isoTime(cell) : null);

// ── What those are counted in that are left out ──

const KIND = "CASE WHEN json_valid(metadata) THEN json_extract(metadata, '$.kind') END";
const BY_KIND = `
SELECT ${KIND} AS kind, SUM(status = 'completed') AS completed, SUM(status = 'failed') AS failed,
  SUM(status NOT IN ('completed', 'failed')) AS skipped, TOTAL(duration_seconds) AS seconds
FROM agent_results WHERE run_id = ? GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 100`;

const kindRow = z.object({
  kind: textCell,
  completed: z.number(),
  failed: z.number(),
  skipped: z.number(),
  seconds: z.number(),
});

const byKind = (connection: Connection, runId: string): PageAggregates['byKind'] =>
  rows(connection, kindRow, BY_KIND, runId);

/** Bins of an agent, and of all agents together. */
const BINS = 300;
const MOST_BINS = 20_000;

/** Of quick work many spans are the same. */
const SPANS = `
SELECT agent_id, start_time, end_time, COUNT(*) FROM agent_results
WHERE run_id = ? AND start_time IS NOT NULL GROUP BY 1, 2, 3`;

function loadOf(connection: Connection, runId: string): PageLoad | null {
  const spans = [...eachCells(connection, SPANS, runId)].flatMap(([agentId, start, end, count]) => {
    const from = Date.parse(timeOf(start) ?? '');
    const to = Date.parse(timeOf(end) ?? '');
    return to >= from ? [{ agentId: String(agentId), from, to, count: Number(count) }] : [];
  });
  const [first] = spans;
  if (first === undefined) return null;
  let { from, to } = first;
  for (const span of spans) {
    from = Math.min(from, span.from);
    to = Math.max(to, span.to);
  }
  const names = [...new Set(spans.map(({ agentId }) => agentId))].toSorted(byNumber);
  const bins = Math.max(1, Math.min(BINS, Math.floor(MOST_BINS / names.length)));
  const width = Math.max(1, (to - from) / bins);
  const busy = new Map(names.map((name) => [name, new Float64Array(bins)]));
  for (const span of spans)
    addSpan(busy.get(span.agentId), {
      from: (span.from - from) / width,
      to: (span.to - from) / width,
      count: span.count,
    });
  return {
    from: new Date(from).toISOString(),
    seconds: width / 1000,
    agents: names.map((agentId) => ({ agentId, busy: Array.from(busy.get(agentId) ?? [], share) })),
  };
}

const share = (value: number): number => Math.round(Math.min(1, value) * 100) / 100;

/** So many spans, in bins. */
interface BinSpan {
  from: number;
  to: number;
  count: number;
}

/** Adds to each bin the part of it that the spans cover. */
function addSpan(bins: Float64Array | undefined, { from, to, count }: BinSpan): void {
  if (bins === undefined) return;
  for (let bin = Math.floor(from); bin < Math.min(bins.length, to); bin += 1)
    bins[bin] = (bins[bin] ?? 0) + count * (Math.min(to, bin + 1) - Math.max(from, bin));
}

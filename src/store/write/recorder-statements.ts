/** The SQL of everything that a run writes. */
import type { Statement } from 'better-sqlite3';
import type { AgentResult } from '../../domain/agent-result.ts';
import type { Connection } from '../schema/connection.ts';
import {
  attemptTable,
  errorTable,
  isPlain,
  type RecordedCase,
  type RecordedError,
  resultTable,
  type StoredAttempt,
  testCaseTable,
} from '../schema/result-tables.ts';
import { type Insertable, insertInto, type SqlValue } from '../schema/table.ts';

/** ISO 8601 in UTC with milliseconds, by this machine's clock. */
export const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ')";

const RUN = `
INSERT INTO consolidated_runs
  (run_id, timestamp, created_at, total_workstreams, agents_count, agent_names, state, pid, pid_started, hostname,
   boot_id, pid_namespace, heartbeat_at, options, retry_of, label, control_socket)
VALUES (@run, @at, @at, @total, @agents, @names, 'running', @pid, @started, @hostname,
  @bootId, @pidNamespace, ${NOW}, @options, @retryOf, @label, @controlSocket)`;

/** That the process which writes the run is this one. */
export const OURS =
  'pid = @pid AND pid_started IS @started AND hostname = @hostname AND pid_namespace IS @pidNamespace';

/** Does nothing when the id is taken. */
const CLAIM = `${RUN} ON CONFLICT (run_id) DO NOTHING`;

/** Fills in the row that this process claimed; changes nothing when another process has the id. */
const START = `${RUN}
ON CONFLICT (run_id) DO UPDATE SET total_workstreams = @total, agents_count = @agents, agent_names = @names
WHERE state = 'running' AND agents_count IS NULL AND ${OURS}`;

const HEARTBEAT = `UPDATE consolidated_runs SET heartbeat_at = ${NOW} WHERE run_id = ?`;

const CHECKOUT =
  'UPDATE consolidated_runs SET git_commit = ?, git_branch = ?, git_dirty = ? WHERE run_id = ?';

const PLAN = 'INSERT INTO run_plans (run_id, first, workstreams) VALUES (?, ?, ?)';

/** Clears the progress of an earlier attempt. */
const IN_HAND = `
INSERT OR REPLACE INTO workstreams_in_hand (run_id, workstream_id, agent_id, since, attempt) VALUES (?, ?, ?, ?, ?)`;

const OUT_OF_HAND = 'DELETE FROM workstreams_in_hand WHERE run_id = ? AND workstream_id = ?';

const PROGRESS =
  'UPDATE workstreams_in_hand SET fraction = ?, activity = ? WHERE run_id = ? AND workstream_id = ?';

const TOTALS = `
UPDATE consolidated_runs SET
  completed_count = completed_count + ?, failed_count = failed_count + ?, skipped_count = skipped_count + ?,
  total_errors = total_errors + ?, total_warnings = total_warnings + ?
WHERE run_id = ?`;

/** What became of work after its result was written. */
const MERGE = `
UPDATE agent_results SET merge_status = ?, merge_partner = ?, merge_test = ?,
  metadata = json_set(metadata, '$.merge', json(?))
WHERE run_id = ? AND workstream_id = ?`;

const inList = (column: string): string => `
  (SELECT COUNT(DISTINCT value) FROM agent_results, json_each(${column})
   WHERE run_id = @run AND ${column} <> '[]')`;

/** How many results of a run have this status. */
export const inStatus = (status: string): string => `
  (SELECT COUNT(*) FROM agent_results WHERE run_id = @run AND status = '${status}')`;

/** Counts the totals of a run again. */
export const RECOUNT = `
  completed_count = ${inStatus('completed')},
  failed_count = ${inStatus('failed')},
  skipped_count = ${inStatus('skipped')},
  total_files_modified = ${inList('files_modified')},
  total_commits = ${inList('commits_created')},
  total_errors = (SELECT COUNT(*) FROM consolidated_errors WHERE run_id = @run),
  total_warnings = (SELECT COALESCE(SUM(json_array_length(warnings)), 0) FROM agent_results
    WHERE run_id = @run AND warnings <> '[]')`;

const FINISH = `
UPDATE consolidated_runs SET
  state = @state, ended_at = @at, exit_code = @exitCode, control_socket = NULL,
  execution_summary = @summary, recommendations = @recommendations,
  ${RECOUNT}
WHERE run_id = @run`;

/** Writes text that comes from a workstream: half of a surrogate pair, which has no form in UTF-8, becomes U+FFFD. */
interface TextStatement {
  run(...values: (SqlValue | undefined)[]): void;
}

/** Inserts the row of a record. */
type Insert<Source> = (source: Source) => void;

/** The prepared statements of a recorder. */
export type Statements = Record<
  'claim' | 'start' | 'plan' | 'inHand' | 'outOfHand' | 'totals' | 'heartbeat' | 'finish',
  Statement
> &
  Record<'checkout' | 'progress' | 'merge', TextStatement> & {
    results: Insert<readonly AgentResult[]>;
    attempt: Insert<StoredAttempt>;
    error: Insert<RecordedError>;
    testCase: Insert<RecordedCase>;
  };

/** SQLite takes any bytes for text, and other programs that read the database could not decode it. */
function runWellFormed(statement: Statement, values: (SqlValue | undefined)[]): void {
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (typeof value === 'string' && !value.isWellFormed()) values[index] = value.toWellFormed();
  }
  statement.run(values);
}

const forText = (statement: Statement): TextStatement => ({
  run: (...values) => runWellFormed(statement, values),
});

function insertOf<Source>(
  connection: Connection,
  table: Insertable<Source>,
  verb: 'INSERT' | 'INSERT OR REPLACE' = 'INSERT',
): Insert<Source> {
  const statement = connection.prepare(`${verb} ${insertInto(table)}`);
  return (source) => runWellFormed(statement, table.valuesOf(source));
}

/** How many plain results one statement inserts: with more of them each becomes hardly cheaper. */
const ROWS = 16;

/** Inserts results in their order: plain ones with few parameters and, where enough follow each other, together. */
function insertOfResults(connection: Connection): Insert<readonly AgentResult[]> {
  const { plainRow, addPlainValues } = resultTable;
  const plain = (count: number): Insert<readonly AgentResult[]> => {
    const rows = Array<string>(count).fill(plainRow);
    const statement = connection.prepare(`INSERT ${insertInto(resultTable, rows)}`);
    return (results) => {
      const values: SqlValue[] = [];
      for (const result of results) addPlainValues(result, values);
      runWellFormed(statement, values);
    };
  };
  const insertMany = plain(ROWS);
  const insertOne = plain(1);
  const insertAny = insertOf(connection, resultTable);
  return (results) => {
    let waiting: AgentResult[] = [];
    const insertWaiting = (): void => {
      for (const result of waiting) insertOne([result]);
      waiting = [];
    };
    for (const result of results) {
      if (isPlain(result)) {
        waiting.push(result);
        if (waiting.length < ROWS) continue;
        insertMany(waiting);
        waiting = [];
      } else {
        insertWaiting();
        insertAny(result);
      }
    }
    insertWaiting();
  };
}

/** Prepares all of them once for a connection. */
export function prepareStatements(connection: Connection): Statements {
  return {
    claim: connection.prepare(CLAIM),
    start: connection.prepare(START),
    checkout: forText(connection.prepare(CHECKOUT)),
    plan: connection.prepare(PLAN),
    inHand: connection.prepare(IN_HAND),
    outOfHand: connection.prepare(OUT_OF_HAND),
    progress: forText(connection.prepare(PROGRESS)),
    merge: forText(connection.prepare(MERGE)),
    results: insertOfResults(connection),
    // An attempt that was interrupted has its row already when its workstream is run again.
    attempt: insertOf(connection, attemptTable, 'INSERT OR REPLACE'),
    error: insertOf(connection, errorTable),
    testCase: insertOf(connection, testCaseTable),
    totals: connection.prepare(TOTALS),
    heartbeat: connection.prepare(HEARTBEAT),
    finish: connection.prepare(FINISH),
  };
}

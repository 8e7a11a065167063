/** What a run may be called by a person: its id, the beginning of it, `latest`, its label, `latest~2`. */
import { z } from 'zod';
import type { Connection } from '../schema/connection.ts';
import { firstRow, rows } from './rows.ts';
import { NEWEST_FIRST } from './runs.ts';

/** The runs that a name can mean. */
export type NamedRun =
  | { kind: 'one'; runId: string }
  | { kind: 'none' }
  /** The newest of those whose ids begin so, and how many there are. */
  | { kind: 'several'; shown: string[]; total: number };

const PREFIX = 'ma-run-';
const SHOWN = 5;
/** Sorts after every other character. */
const AFTER_ALL = '\u{10FFFF}';

const row = z.object({ run_id: z.string() });

/**
 * The run that a name means, by the first of these that there is: the run of exactly this id; for `latest` the newest;
 * for a label the newest run that has it; for either with `~N` the Nth before that; the only run whose id begins so, with
 * or without `ma-run-`.
 */
export function runNamed(connection: Connection, name: string): NamedRun {
  const exact = firstRow(connection, row, 'SELECT run_id FROM consolidated_runs WHERE run_id = ?', name);
  if (exact !== null) return one(exact.run_id);
  const [, base = name, back = '0'] = /^(.+)~(\d{1,9})$/.exec(name) ?? [];
  if (base === 'latest') return oneOf(nthNewest(connection, '', [], Number(back)));
  const labelled = nthNewest(connection, 'WHERE label = ?', [base], Number(back));
  return labelled === null ? beginningWith(connection, name) : one(labelled);
}

function nthNewest(connection: Connection, where: string, values: string[], back: number): string | null {
  const sql = `SELECT run_id FROM consolidated_runs ${where} ${NEWEST_FIRST} LIMIT 1 OFFSET ?`;
  return firstRow(connection, row, sql, ...values, back)?.run_id ?? null;
}

/** Ranges of the primary key: no other row is looked at. */
function beginningWith(connection: Connection, beginning: string): NamedRun {
  if (beginning === '') return { kind: 'none' };
  const ranges = [beginning, PREFIX + beginning].flatMap((start) => [start, `${start}${AFTER_ALL}`]);
  const sql = `SELECT run_id FROM consolidated_runs
    WHERE (run_id >= ? AND run_id < ?) OR (run_id >= ? AND run_id < ?) ${NEWEST_FIRST}`;
  const ids = rows(connection, row, sql, ...ranges).map(({ run_id: id }) => id);
  const [first] = ids;
  if (first === undefined) return { kind: 'none' };
  return ids.length === 1 ? one(first) : { kind: 'several', shown: ids.slice(0, SHOWN), total: ids.length };
}

const one = (runId: string): NamedRun => ({ kind: 'one', runId });
const oneOf = (runId: string | null): NamedRun => (runId === null ? { kind: 'none' } : one(runId));

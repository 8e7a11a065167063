/** Reads what is known from earlier runs about workstreams of these ids: from the newest results in which they completed. */
import { z } from 'zod';
import type { Connection } from '../schema/connection.ts';
import { columnsOfMany, eachCells, rows } from './rows.ts';

/** The last time that a workstream completed. */
export interface EarlierCompletion {
  /** Of the definition it then had; null where that is not known. */
  definitionHash: string | null;
  runId: string;
}

/**
 * Durations are estimates: what took place longer ago than about so many results counts as unknown, so that planning
 * stays fast whatever history there is.
 */
const RESULTS_FOR_DURATIONS = 400_000;

/** Seconds that each workstream took when it last completed; ids without history are left out. */
export function knownDurations(connection: Connection, ids: readonly string[]): Map<string, number> {
  const seconds = new Float64Array(ids.length).fill(Number.NaN);
  const search = new NewestCompletions(connection, ids, RESULTS_FOR_DURATIONS);
  // A workstream that was marked as done has no duration: its earlier one is kept.
  search.find('duration_seconds', (index, _, duration) => {
    if (typeof duration === 'number') seconds[index] = duration;
    return typeof duration === 'number';
  });
  const durations = new Map<string, number>();
  for (const [index, id] of ids.entries()) {
    const known = seconds[index];
    if (known !== undefined && !Number.isNaN(known)) durations.set(id, known);
  }
  return durations;
}

/** When each workstream last completed; ids that never did are left out. */
export function completedEarlier(
  connection: Connection,
  ids: readonly string[],
): Map<string, EarlierCompletion> {
  const found = new Map<string, EarlierCompletion>();
  new NewestCompletions(connection, ids).find('definition_hash', (index, runId, hash) => {
    const id = ids[index];
    if (id !== undefined) found.set(id, { runId, definitionHash: typeof hash === 'string' ? hash : null });
    return true;
  });
  return found;
}

/** The condition leaves out runs of the older system, whose results say too little. */
const RUNS = `
SELECT run_id, completed_count, (
  SELECT MAX(id) FROM agent_results r WHERE r.run_id = u.run_id AND r.status = 'completed') AS last
FROM consolidated_runs u WHERE state IS NOT NULL AND last IS NOT NULL ORDER BY last DESC`;

const runRow = z.object({ run_id: z.string(), completed_count: z.number(), last: z.number() });
type CompletedIn = z.infer<typeof runRow>;

/** How many ids one query asks for. */
const IDS = 10_000;

/** Called with what a result says; returns whether that is what was searched for. */
type Take = (index: number, runId: string, cell: unknown) => boolean;

/**
 * Goes through runs, the one with the newest result first, until each workstream is found. In each it looks either for
 * the workstreams that are still wanted or at all results, whichever are fewer. No index over all runs is needed for
 * that, which every result would have to be sorted into.
 */
class NewestCompletions {
  readonly #connection: Connection;
  readonly #ids: readonly string[];
  readonly #most: number;
  /** By index: number of the newest result so far, 0 for none. Results of runs at the same time are in any order. */
  readonly #newest: Float64Array;
  #indices: ReadonlyMap<string, number> | null = null;

  /** @param most how many results are looked for or at in all, about. */
  constructor(connection: Connection, ids: readonly string[], most = Number.POSITIVE_INFINITY) {
    this.#connection = connection;
    this.#ids = ids;
    this.#most = most;
    this.#newest = new Float64Array(ids.length);
  }

  find(column: string, take: Take): void {
    let wanted = [...this.#ids.keys()];
    let looked = 0;
    for (const run of rows(this.#connection, runRow, RUNS)) {
      wanted = wanted.filter((index) => (this.#newest[index] ?? 0) < run.last);
      if (wanted.length === 0 || looked > this.#most) return;
      looked += Math.min(wanted.length, run.completed_count);
      if (run.completed_count <= wanted.length) this.#lookAtAll(run, column, take);
      else this.#lookFor(wanted, run, column, take);
    }
  }

  #lookFor(wanted: readonly number[], { run_id: runId }: CompletedIn, column: string, take: Take): void {
    const sql = `
      SELECT wanted.key, r.id, r.${column} FROM json_each(?) wanted
      CROSS JOIN agent_results r ON r.run_id = ? AND r.workstream_id = wanted.value AND r.attempts IS NOT NULL
      WHERE r.status = 'completed'`;
    for (let from = 0; from < wanted.length; from += IDS) {
      const indices = wanted.slice(from, from + IDS);
      const ids = JSON.stringify(indices.map((index) => this.#ids[index]));
      for (const [key, number, cell] of eachCells(this.#connection, sql, ids, runId)) {
        this.#note(indices[Number(key)], Number(number), runId, cell, take);
      }
    }
  }

  #lookAtAll({ run_id: runId }: CompletedIn, column: string, take: Take): void {
    this.#indices ??= new Map(this.#ids.map((id, index) => [id, index]));
    const from = "FROM agent_results WHERE run_id = ? AND status = 'completed'";
    const columns = ['workstream_id', 'id', column];
    for (const [ids = [], numbers = [], cells = []] of columnsOfMany(
      this.#connection,
      columns,
      from,
      runId,
    )) {
      for (const [place, id] of ids.entries())
        this.#note(this.#indices.get(String(id)), Number(numbers[place]), runId, cells[place], take);
    }
  }

  #note(index: number | undefined, number: number, runId: string, cell: unknown, take: Take): void {
    if (index === undefined || number < (this.#newest[index] ?? 0)) return;
    if (take(index, runId, cell)) this.#newest[index] = number;
  }
}

import { join } from 'node:path';
import { idOfRun, refOfRun } from '../app/history.ts';
import { checkState, DATABASE } from '../app/paths.ts';
import { Refusal } from '../app/refusal.ts';
import { spilledSentences } from '../app/resume/import-spills.ts';
import type { RunRef } from '../domain/history/history.ts';
import type { RunSummary } from '../domain/run-record.ts';
import { getRun, latestRunId } from '../store/read/runs.ts';
import type { Connection } from '../store/schema/connection.ts';
import { openForReading } from '../store/schema/database.ts';
import { StoreError } from '../store/schema/store-error.ts';
import { printable } from '../text/printable.ts';

/**
 * Opens the database of a state folder for reading, and closes it afterwards. `use` gets null where there is none.
 * @throws Refusal with exit code 2 where the state folder is a file, 3 when it can't be read.
 */
export async function withHistory(
  state: string,
  use: (connection: Connection | null) => Promise<number>,
): Promise<number> {
  checkState(state);
  const path = join(state, DATABASE);
  let connection: Connection | null = null;
  try {
    connection = openForReading(path);
    for (const text of spilledSentences(path)) process.stderr.write(`millrace: ${printable(text)}\n`);
    return await use(connection);
  } catch (error) {
    if (error instanceof StoreError) throw new Refusal(3, error.message, error);
    throw error;
  } finally {
    connection?.close();
  }
}

/**
 * The same for one run, by any name that `idOfRun` knows; the newest without one.
 * @throws Refusal with exit code 4 when there is no such run, 2 when the name could mean several.
 */
export async function withRun(
  state: string,
  name: string | undefined,
  use: (connection: Connection, run: RunSummary) => Promise<number>,
): Promise<number> {
  return withHistory(state, async (connection) => use(...runIn(connection, state, name)));
}

/** @throws Refusal as `withRun` does. */
function runIn(
  connection: Connection | null,
  state: string,
  name: string | undefined,
): [Connection, RunSummary] {
  const newest = connection === null ? null : latestRunId(connection);
  if (connection === null || newest === null)
    throw new Refusal(4, `There are no runs in ${join(state, DATABASE)}. Start one with: millrace run`);
  const id = name === undefined ? newest : idOfRun(connection, name);
  const run = getRun(connection, id);
  if (run === null) throw new Refusal(4, `There is no run ${id}. See: millrace runs`);
  return [connection, run];
}

/**
 * The same for what is told of many runs: as of the run of this name, or of the newest.
 * @throws Refusal as `withRun` does, and with exit code 4 for a run of the older system.
 */
export async function withHead(
  state: string,
  name: string | undefined,
  use: (connection: Connection, head: RunRef) => Promise<number>,
): Promise<number> {
  return withRun(state, name, async (connection, { runId }) => use(connection, refOfRun(connection, runId)));
}

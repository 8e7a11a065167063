import { dirname } from 'node:path';
import type { RunRef } from '../domain/history/history.ts';
import { historicRun } from '../store/read/history-runs.ts';
import { runNamed } from '../store/read/run-name.ts';
import type { Connection } from '../store/schema/connection.ts';
import { openForReading } from '../store/schema/database.ts';
import { StoreError } from '../store/schema/store-error.ts';
import { oneLine } from '../text/printable.ts';
import { checkState } from './paths.ts';
import { Refusal } from './refusal.ts';

/**
 * Opens the database for reading, and closes it afterwards; `use` gets null where there is none.
 * @throws Refusal with exit code 2 where its folder is a file, 3 when it can't be read.
 */
export function withDatabase<T>(database: string, use: (connection: Connection | null) => T): T {
  checkState(dirname(database));
  let connection: Connection | null = null;
  try {
    connection = openForReading(database);
    return use(connection);
  } catch (error) {
    if (error instanceof StoreError) throw new Refusal(3, error.message, error);
    throw error;
  } finally {
    connection?.close();
  }
}

/** Longest name that a message repeats. */
const NAME = 100;

/**
 * The id of the run that a name means: an id, the beginning of one, `latest` or `latest~N`.
 * @throws Refusal with exit code 4 where there is no such run, 2 where it could be several.
 */
export function idOfRun(connection: Connection, name: string): string {
  const named = runNamed(connection, name);
  if (named.kind === 'one') return named.runId;
  const shown = oneLine(name, NAME);
  if (named.kind === 'none') throw new Refusal(4, `There is no run ${shown}. See: millrace runs`);
  const left = named.total - named.shown.length;
  const more = left === 0 ? '' : ` and ${left} more`;
  throw new Refusal(2, `"${shown}" could be ${named.shown.join(', ')}${more}. Write more of the id.`);
}

/**
 * The run that a name means, as histories name it.
 * @throws Refusal as `idOfRun`, and with exit code 4 for a run of the older system, of which too little is known.
 */
export function refOfRun(connection: Connection, name: string): RunRef {
  const id = idOfRun(connection, name);
  const found = historicRun(connection, id);
  if (found === null)
    throw new Refusal(4, `${id} was made by an older system, which kept too little to look back on.`);
  return found.run;
}

/** Why a request can't be answered, as it is told to whoever asked. */
import { z } from 'zod';
import { Refusal } from '../app/refusal.ts';
import type { WatchedDatabase } from '../store/read/live/watched-database.ts';
import type { Connection } from '../store/schema/connection.ts';
import { StoreError } from '../store/schema/store-error.ts';
import { printable } from '../text/printable.ts';

/** A status of HTTP, a word for programs, and a sentence. */
export const failureSchema = z.object({
  status: z.literal([400, 404, 413, 503]),
  error: z.string(),
  message: z.string(),
});
export type RequestFailure = z.infer<typeof failureSchema>;

/** A failure that is thrown. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
  readonly failure: RequestFailure;

  constructor(failure: RequestFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** What an error means for whoever asked. What is unexpected is told on standard error. */
export function failureOf(error: unknown): RequestFailure {
  if (error instanceof Unanswered) return error.failure;
  if (error instanceof Refusal) {
    const status = error.exitCode === 4 ? 404 : 400;
    return { status, error: 'refused', message: printable(error.message) };
  }
  if (error instanceof StoreError)
    return { status: 503, error: 'database', message: printable(error.message) };
  if (isOfClosed(error))
    return { status: 503, error: 'database', message: 'The database was closed meanwhile. Ask again.' };
  tellUnexpected(error);
  const message = 'The dashboard itself failed; its standard error says how.';
  return { status: 503, error: 'internal', message };
}

/** Whether something was still being read when the database was replaced, or the dashboard ended. */
const isOfClosed = (error: unknown): boolean =>
  error instanceof TypeError && error.message === 'The database connection is not open';

const tellUnexpected = (error: unknown): void =>
  void process.stderr.write(
    `millrace: ${printable(String((error instanceof Error ? error.stack : null) ?? error))}\n`,
  );

/** The database as it is now; null where there is none yet. @throws StoreError where it can't be read. */
export function connectionIn(database: WatchedDatabase): Connection | null {
  database.look();
  return database.connection;
}

/** The database as it is now. @throws Refusal where there is none, StoreError where it can't be read. */
export function connectionOf(database: WatchedDatabase): Connection {
  const connection = connectionIn(database);
  if (connection === null) throw new Refusal(4, 'There are no runs yet. Start one with: millrace run');
  return connection;
}

import type { Connection } from './connection.ts';

/** How long the main thread waits, in milliseconds, while all goes well. Limits and signals wait as long. */
export const USUAL_WAIT_MS = 500;

/** What each connection was told last. */
const told = new WeakMap<Connection, number>();

/**
 * Sets how long a connection waits for another process's lock. To tell SQLite takes as long as to write a small
 * batch, so that it is told only what differs: nothing else may set it on an open connection.
 */
export function setBusyTimeout(connection: Connection, milliseconds: number): void {
  if (told.get(connection) === milliseconds) return;
  connection.pragma(`busy_timeout = ${milliseconds}`);
  told.set(connection, milliseconds);
}

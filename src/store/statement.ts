import type { Statement } from 'better-sqlite3';
import type { Connection } from './connection.ts';

const prepared = new WeakMap<Connection, Map<string, Statement>>();

/** The statement for this SQL, prepared once a connection. Not for iterating: it can't be used twice at a time. */
export function statement(connection: Connection, sql: string): Statement {
  let statements = prepared.get(connection);
  if (statements === undefined) prepared.set(connection, (statements = new Map()));
  let found = statements.get(sql);
  if (found === undefined) statements.set(sql, (found = connection.prepare(sql)));
  return found;
}

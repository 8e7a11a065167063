import type Database from 'better-sqlite3';

/** An open database. Code outside the store only passes it on and closes it. */
export type Connection = Database.Database;

const prepared = new WeakMap<Connection, Map<string, Database.Statement>>();

/** The statement for this SQL, prepared once a connection. Not for iterating: it can't be used twice at a time. */
export function statement(connection: Connection, sql: string): Database.Statement {
  let statements = prepared.get(connection);
  if (statements === undefined) prepared.set(connection, (statements = new Map()));
  let found = statements.get(sql);
  if (found === undefined) statements.set(sql, (found = connection.prepare(sql)));
  return found;
}

import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Asks the database that a run in `folder` left. */
export function query<Row = Record<string, unknown>>(
  folder: string,
  sql: string,
  ...parameters: unknown[]
): Row[] {
  const database = new Database(join(folder, '.state', 'multi_agent_consolidated.db'), { readonly: true });
  try {
    return database.prepare<unknown[], Row>(sql).all(...parameters);
  } finally {
    database.close();
  }
}

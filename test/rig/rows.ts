import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Asks the database that a run in `folder` left. */
export function query(folder: string, sql: string, ...parameters: unknown[]): Record<string, unknown>[] {
  const database = new Database(join(folder, '.state', 'multi_agent_consolidated.db'), { readonly: true });
  try {
    return database.prepare<unknown[], Record<string, unknown>>(sql).all(...parameters);
  } finally {
    database.close();
  }
}

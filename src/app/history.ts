import { dirname } from 'node:path';
import type { Connection } from '../store/schema/connection.ts';
import { openForReading } from '../store/schema/database.ts';
import { StoreError } from '../store/schema/store-error.ts';
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

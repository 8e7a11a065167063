import type { Connection } from './connection.ts';
import { migrations } from './migrations/all.ts';
import { storeError } from './store-error.ts';

/** The version that this code writes. */
export const SCHEMA_VERSION = migrations.length;

/** The version of a database; 0 for an empty one and for one of the older system. */
export function schemaVersion(connection: Connection): number {
  return Number(connection.pragma('user_version', { simple: true }));
}

/** Throws `newer-version` for a database that this code would not understand. */
export function refuseNewer(connection: Connection): void {
  if (schemaVersion(connection) > SCHEMA_VERSION) throw storeError('newer-version', connection.name);
}

/**
 * Brings a database to `SCHEMA_VERSION`. Each migration and its version are one transaction, so that a process that
 * dies leaves the version before or after it; a second process that does the same at the same time waits and finds
 * it done.
 */
export function migrate(connection: Connection): void {
  refuseNewer(connection);
  const step = connection.transaction(() => {
    const version = schemaVersion(connection);
    const sql = migrations[version];
    if (sql === undefined) return;
    connection.exec(sql);
    connection.pragma(`user_version = ${version + 1}`);
  });
  while (schemaVersion(connection) < SCHEMA_VERSION) step.immediate();
}

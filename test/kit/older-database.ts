/** Databases as earlier versions made them. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { addFunctions, type Connection } from '../../src/store/schema/connection.ts';
import { migrations } from '../../src/store/schema/migrations/all.ts';

/** A database with the migrations before this one, which is closed when the test ends. */
export function olderDatabase(path: string, before: string): Connection {
  mkdirSync(dirname(path), { recursive: true });
  const connection = new Database(path);
  onTestFinished(() => void connection.close());
  addFunctions(connection);
  connection.pragma('journal_mode = WAL');
  const version = migrations.indexOf(before);
  for (const sql of migrations.slice(0, version)) connection.exec(sql);
  connection.pragma(`user_version = ${version}`);
  return connection;
}

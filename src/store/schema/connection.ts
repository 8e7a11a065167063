import type Database from 'better-sqlite3';

/** An open database. What is known of SQLite outside this folder ends here: others only hand it on and close it. */
export type Connection = Database.Database;

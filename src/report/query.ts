/** A shell command that asks the database of a run, for what a report leaves out. */
function query(database: string, sql: string): string {
  return `sqlite3 ${shellWord(database)} ${shellWord(sql)}`;
}

/** `SELECT columns FROM table WHERE run_id = … [AND rest]`, as a shell command. */
export function select(database: string, runId: string, columns: string, table: string, rest = ''): string {
  return query(database, `SELECT ${columns} FROM ${table} WHERE run_id = ${sqlText(runId)}${rest}`);
}

function sqlText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function shellWord(value: string): string {
  if (/^[\w./-]+$/.test(value)) return value;
  return /["$`\\!]/.test(value) ? `'${value.replaceAll("'", String.raw`'\''`)}'` : `"${value}"`;
}

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { select } from '../../src/report/query.ts';

/** The arguments that a shell gives to sqlite3. */
function given(command: string): string[] {
  const script = `sqlite3() { printf '%s\\0' "$@"; }; ${command}`;
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

test('reads well', () => {
  expect(select('.state/a.db', 'ma-run-1', 'errors', 'agent_results', " AND status = 'failed'")).toBe(
    `sqlite3 .state/a.db "SELECT errors FROM agent_results WHERE run_id = 'ma-run-1' AND status = 'failed'"`,
  );
});

test.each(["it's", '$(touch x)', '`id`', 'a "b" \\ c!', 'x; rm -rf y'])(
  'neither shell nor SQL is led astray by %j',
  (odd) => {
    expect(given(select(`/tmp/${odd}.db`, odd, 'a', 'b'))).toEqual([
      `/tmp/${odd}.db`,
      `SELECT a FROM b WHERE run_id = '${odd.replaceAll("'", "''")}'`,
    ]);
  },
);

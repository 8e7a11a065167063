import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AgentResult } from '../../../src/domain/agent-result.ts';
import { knownDurations } from '../../../src/store/read/durations.ts';
import { liveWorkstreams } from '../../../src/store/read/live/workstreams.ts';
import type { Connection } from '../../../src/store/schema/connection.ts';
import { importSpill } from '../../../src/store/spill/import-spill.ts';
import { spillLine } from '../../../src/store/spill/spill-line.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { failed, finished, opened, RUN, record, result, rowsOf, started } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const lines = (results: readonly AgentResult[]): string =>
  results.map((each) => spillLine({ ...each, definitionHash: 'hash' })).join('');

/** A run of three of which one is recorded, and whose process has died. */
function interrupted(folder: string): Connection {
  const connection = opened(folder);
  const recorder = new SqliteRecorder(connection);
  recorder.take([started(['ws-1', 'ws-2', 'ws-3'])]);
  recorder.take([finished(result('ws-1'))]);
  recorder.commit();
  connection.exec("UPDATE consolidated_runs SET state = 'interrupted'");
  return connection;
}

function spillWith(folder: string, text: string): string {
  const path = join(folder, '.state', 'millrace-spill-x.jsonl');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const TOTALS =
  'SELECT completed_count AS completed, failed_count AS failed, total_errors AS errors, total_warnings AS warnings FROM consolidated_runs';

describe('taking in', () => {
  test('gives every row that the recorder would have given, with totals that add up', () => {
    const folder = temporaryFolder();
    const connection = interrupted(folder);
    const path = spillWith(folder, lines([result('ws-2', { warnings: ['w'] }), failed('ws-3', 'no')]));
    expect(importSpill(connection, path)).toEqual({
      kind: 'taken-in',
      path,
      runIds: [RUN],
      results: 2,
      unusable: 0,
      keptAs: null,
    });
    expect(existsSync(path)).toBe(false);
    expect(
      rowsOf(connection, 'SELECT workstream_id AS id, definition_hash AS hash FROM agent_results'),
    ).toEqual([
      { id: 'ws-1', hash: 'hash-of-ws-1' },
      { id: 'ws-2', hash: 'hash' },
      { id: 'ws-3', hash: 'hash' },
    ]);
    expect(rowsOf(connection, TOTALS)).toEqual([{ completed: 2, failed: 1, errors: 1, warnings: 1 }]);
    expect(rowsOf(connection, 'SELECT workstream_id AS id FROM consolidated_errors')).toEqual([
      { id: 'ws-3' },
    ]);
    expect(liveWorkstreams(connection, RUN, 10).shown).toEqual([]);
    expect([...knownDurations(connection, ['ws-1', 'ws-2', 'ws-3']).keys()]).toEqual(['ws-1', 'ws-2']);
  });

  test('doubles nothing when a process died in the middle of it', () => {
    const folder = temporaryFolder();
    const connection = interrupted(folder);
    const whole = lines([result('ws-2'), failed('ws-3', 'no')]);
    importSpill(connection, spillWith(folder, lines([result('ws-2')])));
    const again = importSpill(connection, spillWith(folder, whole));
    const third = importSpill(connection, spillWith(folder, whole));
    expect([again, third]).toMatchObject([{ results: 1 }, { results: 0, keptAs: null }]);
    expect(rowsOf(connection, TOTALS)).toEqual([{ completed: 2, failed: 1, errors: 1, warnings: 0 }]);
    expect(readdirSync(join(folder, '.state')).filter((name) => name.includes('spill'))).toEqual([]);
  });

  test('takes what a file has and keeps the file when a line of it is none', () => {
    const folder = temporaryFolder();
    const connection = interrupted(folder);
    const text = `${lines([result('ws-2')])}not a result\n${lines([result('ws-3')]).slice(0, -20)}`;
    const path = spillWith(folder, text);
    expect(importSpill(connection, path)).toMatchObject({
      results: 1,
      unusable: 2,
      keptAs: `${path}.rejected`,
    });
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(`${path}.rejected`, 'utf8')).toBe(text);
  });

  test('takes a line of a version that did not keep the failure', () => {
    const folder = temporaryFolder();
    const connection = interrupted(folder);
    const { failure: _, ...older } = failed('ws-2', 'no');
    const line = `${JSON.stringify({ millrace_spill: 1, definition_hash: null, result: older })}\n`;
    expect(importSpill(connection, spillWith(folder, line))).toMatchObject({ results: 1, unusable: 0 });
    const sql = "SELECT reason, failure FROM agent_results WHERE workstream_id = 'ws-2'";
    expect(rowsOf(connection, sql)).toEqual([{ reason: 'thrown', failure: null }]);
  });

  test('makes the shapes of errors anew, which an earlier version may have made otherwise, and their patterns', () => {
    const connection = interrupted(temporaryFolder());
    const spilled = ['lodash', 'express', 'zod'].map((name, index) => ({
      ...failed(`ws-${index + 2}`, `Cannot find module ${name}`),
      pattern: 'of other rules',
    }));
    importSpill(connection, spillWith(temporaryFolder(), lines(spilled)));
    expect(
      rowsOf(connection, 'SELECT DISTINCT template FROM error_patterns WHERE merged_into IS NULL'),
    ).toEqual([{ template: 'Cannot find module <*>' }]);
    expect(rowsOf(connection, "SELECT 1 FROM consolidated_errors WHERE pattern = 'of other rules'")).toEqual(
      [],
    );
  });

  test('keeps the file of a run that is not in the database, and makes no row of it', () => {
    const folder = temporaryFolder();
    const connection = opened(folder);
    const path = spillWith(folder, lines([result('ws-1')]));
    expect(importSpill(connection, path)).toMatchObject({ runIds: [], results: 0, unusable: 1 });
    expect(rowsOf(connection, 'SELECT * FROM agent_results')).toEqual([]);
    expect(existsSync(`${path}.rejected`)).toBe(true);
  });

  test('leaves alone what a run under way has put aside', () => {
    const folder = temporaryFolder();
    const connection = interrupted(folder);
    connection.exec("UPDATE consolidated_runs SET state = 'running'");
    const path = spillWith(folder, lines([result('ws-2')]));
    expect(importSpill(connection, path)).toEqual({ kind: 'in-use', path, runId: RUN });
    expect(existsSync(path)).toBe(true);
    expect(importSpill(connection, path, RUN)).toMatchObject({ results: 1 });
  });

  test('says that another process was quicker', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'millrace-spill-gone.jsonl');
    expect(importSpill(opened(folder), path)).toEqual({ kind: 'gone', path });
  });

  test('a database that refuses leaves the file as it was', () => {
    const folder = temporaryFolder();
    const connection = interrupted(folder);
    const path = spillWith(folder, lines([result('ws-2', { warnings: ['x'.repeat(200_000)] })]));
    connection.pragma('max_page_count = 1');
    expect(() => importSpill(connection, path)).toThrow(/no space left/);
    connection.pragma('max_page_count = 1000000');
    expect(importSpill(connection, path)).toMatchObject({ results: 1, keptAs: null });
  });

  test('goes through files longer than it reads at once', () => {
    const folder = temporaryFolder();
    const connection = opened(folder);
    const results = Array.from({ length: 1_200 }, (_, index) =>
      result(`ws-${index}`, { metadata: { output: 'é'.repeat(700) } }),
    );
    record(connection, []);
    const path = spillWith(folder, lines(results));
    expect(importSpill(connection, path)).toMatchObject({ results: 1_200, unusable: 0 });
  });
});

/** A database of version 9, which had a row for each planned workstream, is taken over and read. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { completedEarlier, knownDurations } from '../../../src/store/read/durations.ts';
import { findRun, readStoredRun } from '../../../src/store/read/earlier-run.ts';
import { liveCounts, liveWorkstreams } from '../../../src/store/read/live/workstreams.ts';
import type { Connection } from '../../../src/store/schema/connection.ts';
import { openForReading } from '../../../src/store/schema/database.ts';
import { migrations } from '../../../src/store/schema/migrations/all.ts';
import { databaseIn, opened, RUN, rowsOf } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const ENDED = `${RUN}-0`;
const SINCE = '2026-01-02T03:04:06.000Z';

/** An interrupted run of which ws-2 has its result, and a run that has ended. */
function version9(folder: string): string {
  const path = databaseIn(folder);
  mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path);
  for (const sql of migrations.slice(0, 9)) database.exec(sql);
  database.pragma('user_version = 9');
  const run = database.prepare('INSERT INTO consolidated_runs (run_id, timestamp, state) VALUES (?, ?, ?)');
  run.run(ENDED, SINCE, 'ended');
  run.run(RUN, SINCE, 'interrupted');
  const result = database.prepare(
    `INSERT INTO agent_results (run_id, agent_id, workstream_id, status, attempts, duration_seconds, definition_hash)
     VALUES (?, 'agent-1', ?, 'completed', 1, ?, ?)`,
  );
  result.run(ENDED, 'ws-1', 7, null);
  result.run(RUN, 'ws-2', 3, 'two');
  const planned = database.prepare(`
    INSERT INTO run_workstreams
      (run_id, workstream_id, position, title, file, definition_hash, depends_on, state, agent_id, since, fraction, activity)
    VALUES (?, ?, ?, ?, 'a.json', 'hash', ?, ?, ?, ?, ?, ?)`);
  const needs = JSON.stringify([
    { id: 'ws-1', when: 'completed' },
    { id: 'elsewhere', when: 'completed' },
  ]);
  planned.run(RUN, 'ws-3', 7, 'Three', needs, 'blocked', null, null, null, null);
  planned.run(RUN, 'ws-1', 2, 'One', '[]', 'running', 'agent-2', SINCE, 0.5, 'half');
  planned.run(RUN, 'ws-4', 9, 'Four', needs, 'pending', null, null, null, null);
  database.prepare("INSERT INTO workstream_durations VALUES ('ws-1', 7, 'one', ?)").run(ENDED);
  database.close();
  return path;
}

function read(connection: Connection) {
  const head = findRun(connection, RUN);
  if (head === null) throw new Error('the run has gone');
  const { unfinished, running } = readStoredRun(connection, head);
  return {
    unfinished,
    running,
    counts: liveCounts(connection, RUN),
    live: liveWorkstreams(connection, RUN, 10),
    durations: knownDurations(connection, ['ws-1', 'ws-2', 'ws-3']),
  };
}

const EXPECTED = {
  unfinished: [
    { workstreamId: 'ws-1', title: 'One', file: 'a.json' },
    { workstreamId: 'ws-3', title: 'Three', file: 'a.json' },
    { workstreamId: 'ws-4', title: 'Four', file: 'a.json' },
  ],
  running: ['ws-1'],
  counts: { running: 1, pending: 1, blocked: 1 },
  durations: new Map([
    ['ws-1', 7],
    ['ws-2', 3],
  ]),
};

describe('a database with a row for each planned workstream', () => {
  test('is read as it is', () => {
    const connection = openForReading(version9(temporaryFolder()));
    if (connection === null) throw new Error('the database has gone');
    const found = read(connection);
    connection.close();
    expect(found).toMatchObject(EXPECTED);
    expect(found.live.shown[0]).toMatchObject({ agentId: 'agent-2', since: SINCE, activity: 'half' });
  });

  test('says the same once it has been migrated', () => {
    const folder = temporaryFolder();
    const before = openForReading(version9(folder));
    if (before === null) throw new Error('the database has gone');
    const found = read(before);
    before.close();
    const connection = opened(folder);
    expect(read(connection)).toEqual(found);
    expect(rowsOf(connection, 'SELECT run_id, first FROM run_plans')).toEqual([{ run_id: RUN, first: 0 }]);
    expect(completedEarlier(connection, ['ws-1', 'ws-2'])).toEqual(
      new Map([
        ['ws-1', { definitionHash: 'one', runId: ENDED }],
        ['ws-2', { definitionHash: 'two', runId: RUN }],
      ]),
    );
  });
});

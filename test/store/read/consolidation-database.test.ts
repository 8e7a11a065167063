import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { ConsolidationDatabase } from '../../../src/store/read/consolidation-database.ts';
import { openDatabase } from '../../../src/store/schema/database.ts';
import { databaseIn, failed, opened, RUN, record, result } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

function databaseAt(path: string): ConsolidationDatabase {
  const database = new ConsolidationDatabase(path);
  onTestFinished(() => database.close());
  return database;
}

test('answers every question about a stored run', () => {
  const folder = temporaryFolder();
  const results = [result('ws-1'), failed('ws-2', 'Error: 7 is odd')];
  record(opened(folder), results);
  const database = databaseAt(databaseIn(folder));
  expect(database.getRunSummary(RUN)).toMatchObject({ runId: RUN, totals: { completed: 1, failed: 1 } });
  expect(database.getAgentResults(RUN)).toMatchObject(
    results.map(({ workstreamId, status }) => ({ workstreamId, status })),
  );
  expect(database.getErrors(RUN)).toEqual([
    {
      type: 'thrown',
      pattern: '<*> is odd',
      at: '2026-01-02T03:04:07.000Z',
      workstreamId: 'ws-2',
      agentId: 'agent-1',
      message: 'Error: 7 is odd',
      stack: 'Error: 7 is odd\n    at f (/a/b.js:1:1)',
      tail: null,
      logFile: '.state/logs/ws-2.log',
    },
  ]);
  expect(database.getAgentPerformance(RUN).map(({ agentId, workstreams }) => [agentId, workstreams])).toEqual(
    [
      ['agent-1', 2],
      ['agent-2', 0],
    ],
  );
  expect(database.consolidate(RUN)?.failures.total).toBe(1);
});

test('lists runs, the newest first', () => {
  const folder = temporaryFolder();
  const connection = opened(folder);
  const made = [1, 2, 3].map((day) => `ma-run-2026010${day}-000000`);
  for (const [index, runId] of made.entries())
    record(connection, [], { runId, at: `2026-01-0${index + 1}T00:00:00.000Z` });
  const database = databaseAt(databaseIn(folder));
  const ids = (options?: { limit?: number; offset?: number }): string[] =>
    database.getAllRuns(options).map(({ runId }) => runId);
  expect(ids()).toEqual(made.toReversed());
  expect(ids({ limit: 1 })).toEqual(made.slice(2));
  expect(ids({ limit: 5, offset: 2 })).toEqual(made.slice(0, 1));
});

test('knows of no runs where there is no database, and makes none', () => {
  const folder = temporaryFolder();
  const database = databaseAt(databaseIn(folder));
  expect(database.getAllRuns()).toEqual([]);
  expect(database.getRunSummary(RUN)).toBeNull();
  expect([database.getAgentResults(RUN), database.getErrors(RUN), database.getAgentPerformance(RUN)]).toEqual(
    [[], [], []],
  );
  expect(database.consolidate(RUN)).toBeNull();
  expect(readdirSync(folder)).toEqual([]);
});

test('finds a database that is made later, and opens it again after closing', () => {
  const folder = temporaryFolder();
  const database = databaseAt(databaseIn(folder));
  expect(database.getRunSummary(RUN)).toBeNull();
  record(opened(folder), [result('ws-1')]);
  expect(database.getRunSummary(RUN)?.runId).toBe(RUN);
  database.close();
  database.close();
  expect(database.getRunSummary(RUN)?.runId).toBe(RUN);
});

test('a damaged database is a StoreError, however late the damage shows', () => {
  const path = databaseIn(temporaryFolder());
  const connection = openDatabase(path);
  record(
    connection,
    Array.from({ length: 500 }, (_, index) => result(`ws-${index}`)),
  );
  const pages = Number(connection.pragma('page_count', { simple: true }));
  connection.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xff, (bytes.length / pages) * Math.floor(pages / 2)));
  const database = databaseAt(path);
  const damaged = expect.objectContaining({ name: 'StoreError', kind: 'not-a-database' });
  expect(() => database.getAgentResults(RUN)).toThrow(damaged);
  expect(() => database.getAgentPerformance(RUN)).toThrow(damaged);
});

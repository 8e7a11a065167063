/** What the dashboard tells of many runs. */
import { expect, test } from 'vitest';
import type { TrendsAnswer } from '../../src/domain/dashboard/answers.ts';
import { ask, bearer, served } from '../kit/dashboard-server.ts';
import { recordHistory } from '../kit/recorded-history.ts';
import { failed, opened, record, result } from '../kit/recorded-run.ts';
import { type HistoryEvent, syntheticHistory, syntheticId } from '../kit/synthetic-history.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

test('one run under another label hides no other run', async () => {
  const folder = temporaryFolder();
  const connection = opened(folder);
  record(connection, [failed('ws-a', 'boom')], { runId: 'ma-run-20260101-000001' });
  record(connection, [result('ws-a')], { runId: 'ma-run-20260101-000002' });
  record(connection, [result('ws-b')], { runId: 'ma-run-20260101-000003' });
  connection.exec(`UPDATE consolidated_runs SET label = 'once' WHERE run_id = 'ma-run-20260101-000003'`);
  const dashboard = await served(folder);
  const told = async (path: string) => (await ask(dashboard, path, { headers: bearer })).json();
  expect(await told('/api/workstreams')).toMatchObject({ runs: 3, total: 2 });
  expect(await told('/api/patterns')).toMatchObject({ history: { patterns: [{ type: 'thrown' }] } });
});

test('of what became slower and of what is flaky the answer has a part, and says how much there is', async () => {
  const folder = temporaryFolder();
  const SLOWER = 120;
  const FLAKY = 110;
  const events = Array.from({ length: SLOWER + FLAKY }, (_, index): HistoryEvent => {
    const workstreamId = syntheticId(index);
    return index < SLOWER
      ? { kind: 'slower', workstreamId, from: 25, ratio: 3 }
      : { kind: 'flaky', workstreamId, message: 'It broke.', rate: 0.4 };
  });
  const plan = { seed: 1, runs: 45, workstreams: SLOWER + FLAKY + 10, events, noise: 0.03 };
  recordHistory(opened(folder), syntheticHistory(plan));
  const dashboard = await served(folder);
  const { json } = await ask(dashboard, '/api/trends', { headers: bearer });
  const { trends, flaky, totals } = json() as unknown as TrendsAnswer;
  const [, slower, faster] =
    /^(\d+) of 240 workstreams became slower and (\d+) faster/.exec(trends?.verdict ?? '') ?? [];
  expect(totals.changed).toBe(Number(slower) + Number(faster));
  expect(totals.changed).toBeGreaterThan(100);
  expect(trends?.workstreams).toHaveLength(100);
  expect(trends?.workstreams.every(({ shift }) => shift !== null)).toBe(true);
  expect(totals.flaky).toBeGreaterThan(100);
  expect(flaky?.verdict).toContain(`${totals.flaky} workstreams were flaky`);
  expect(flaky?.failures).toHaveLength(100);
});

test('of workstreams the answer has a part, and says how many of all failed and are flaky', async () => {
  const folder = temporaryFolder();
  const connection = opened(folder);
  const ids = Array.from({ length: 12 }, (_, index) => `ws-${String(index).padStart(2, '0')}`);
  record(
    connection,
    ids.map((id) => result(id)),
    { runId: 'ma-run-20260101-000001' },
  );
  record(
    connection,
    ids.map((id, index) => (index < 7 ? result(id) : failed(id, 'boom'))),
    { runId: 'ma-run-20260101-000002' },
  );
  const dashboard = await served(folder);
  const told = async (path: string) => (await ask(dashboard, path, { headers: bearer })).json();
  expect(await told('/api/workstreams?limit=3')).toMatchObject({
    total: 12,
    totals: { failing: 5, flaky: 0 },
  });
  expect(await told('/api/workstreams?limit=3&search=WS-1')).toMatchObject({
    total: 2,
    totals: { failing: 2, flaky: 0 },
  });
});

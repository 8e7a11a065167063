/** What the dashboard tells of many runs. */
import { expect, test } from 'vitest';
import { ask, bearer, served } from '../kit/dashboard-server.ts';
import { failed, opened, record, result } from '../kit/recorded-run.ts';
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

/** What a browser shows of a run that hosts of a queue execute. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished } from 'vitest';
import { accessibilityProblems, browserTest, openAddress, openFile } from '../kit/chromium.ts';
import { startDashboard } from '../kit/dashboard.ts';
import { QueueProject, succeeds, waitFor } from '../kit/queue-project.ts';
import { startWorker } from '../kit/queue-worker.ts';
import { hasRedis, RedisServer } from '../kit/redis.ts';

const LONG = 'builder-with-a-long-name.eu-west-1.compute.example.org';

const cells = (page: Page, table: string): Promise<string[][]> =>
  page
    .getByRole('region', { name: table, exact: true })
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) => Array.from(row.querySelectorAll('td'), (cell) => cell.textContent ?? '')),
    );

/** How many agents of each host had how many workstreams, of which how many failed. */
const hosts = async (page: Page): Promise<string[][]> =>
  (await cells(page, 'Hosts')).map((row) => row.slice(0, 4));

async function showsHosts(): Promise<void> {
  const server = await RedisServer.start();
  onTestFinished(() => server.close());
  const project = new QueueProject({ one: waitFor('go'), two: waitFor('go') });
  // Neither loses its lease where the machine is busy.
  const leaseSeconds = 600;
  await Promise.all(['alpha', LONG].map((name) => startWorker(server.url, name, { leaseSeconds })));
  const run = project.run(server.url, '-j', '2');
  await run.line((text) => text.includes('"workstream_id":"two"'));
  const { address } = await startDashboard(project.folder);
  const { page, problems } = await openAddress(address);
  await page.locator('.runcard').click();

  // While it goes on: a heading for each host, and its agents below it.
  for (const host of ['alpha', LONG]) {
    await page.getByRole('heading', { level: 3, name: `${host} 1 of 1 agent at work` }).waitFor();
    await page.getByRole('list', { name: host }).getByText('agent-1').waitFor();
  }
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole('list', { name: 'alpha' }).getByRole('link', { name: 'Log of' }).click();
  await page.getByText('It is executed on alpha: what it prints there comes with its result.').waitFor();
  await page.keyboard.press('Escape');

  // Afterwards: what each host did, on the dashboard as in the file.
  project.make('go');
  await succeeds(run);
  await page.getByRole('heading', { level: 1, name: 'All 2 workstreams completed' }).waitFor();
  await page.getByText('2 on 2 hosts').waitFor();
  const expected = [
    ['alpha', '1', '1', '0'],
    [LONG, '1', '1', '0'],
  ];
  expect(await hosts(page)).toEqual(expected);
  expect(problems).toEqual([]);
  const reports = join(project.folder, 'reports');
  const saved = readdirSync(reports).find((name) => name.endsWith('.html')) ?? '';
  const { page: file } = await openFile(join(reports, saved));
  await file.getByText('2 on 2 hosts').waitFor();
  expect(await hosts(file)).toEqual(expected);
  expect(await accessibilityProblems(file)).toEqual([]);
}

describe.skipIf(!hasRedis)('a run over a queue', () => {
  browserTest('shows what each host does and did, on the dashboard and in the file', showsHosts);
});

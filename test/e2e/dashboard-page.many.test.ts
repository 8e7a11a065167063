/** What is seen of a run of 10,000 while it goes on. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { browserTest, openAddress } from '../kit/chromium.ts';
import { writeFiles } from '../kit/command.ts';
import { gated, gatedFolder, letEnd, runUntil, startDashboard } from '../kit/dashboard.ts';
import { query } from '../kit/rows.ts';

const heading = (page: Page, text: RegExp): Promise<void> =>
  page.getByRole('heading', { level: 1, name: text }).waitFor();

/** So many of them end before the gate of `middle` is opened, and as many after it. */
const HALF = 4999;

/** 10,000 workstreams: two that wait, and no-ops, of which every hundredth fails; half of them after `middle`. */
function manyWorkstreams(): string {
  const noOps = Array.from({ length: 2 * HALF }, (_, index) => ({
    id: `ws-${String(index).padStart(4, '0')}`,
    depends_on: index < HALF ? [] : ['middle'],
    steps: [{ module: '../no-op.mjs', input: { fails: index % 100 === 7 } }],
  }));
  const folder = gatedFolder(
    [gated('middle', { priority: 2 }), gated('last', { priority: 1 }), ...noOps],
    ['middle', 'last'],
  );
  writeFiles(folder, {
    'no-op.mjs': `export default ({ fails }) => { if (fails) throw new Error('no such table'); return {}; };`,
  });
  return folder;
}

/** What the page holds when nothing waits to be collected. */
async function held(page: Page): Promise<{ heap: number; nodes: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { nodes } = await session.send('Memory.getDOMCounters');
  return { heap: usedSize, nodes };
}

async function watchesTenThousand(): Promise<void> {
  const folder = manyWorkstreams();
  const { address } = await startDashboard(folder);
  const { page, problems } = await openAddress(address);
  await heading(page, /No runs yet/);
  page.context().setDefaultTimeout(LONG_MS / 2);
  const run = await runUntil(folder, ['middle', 'last']);
  await page.getByRole('link', { name: run.runId }).first().click();
  await heading(page, /4 999 of 10 000 have ended/);
  const done = page.locator('#done');
  await done
    .getByRole('button', { name: /since you looked: show/ })
    .or(done.getByText('4 999 workstreams'))
    .first()
    .waitFor();
  if (await done.getByRole('button', { name: /since you looked/ }).isVisible())
    await done.getByRole('button', { name: /since you looked/ }).click();
  await done.getByText('4 999 workstreams').waitFor();

  // Scrolled, filtered and with the focus on a row, while the other half ends.
  await done.getByLabel('Filter by id').fill('ws-');
  await done.getByText('4 999 found').waitFor();
  const box = done.getByRole('region', { name: 'Table of workstreams' });
  await box.evaluate((element) => void (element.scrollTop = 32 * 2000));
  const row = box.locator('tr[aria-rowindex="2004"]');
  await row.focus();
  const name = await row.textContent();
  const before = await held(page);
  await letEnd(folder, 'middle');
  await heading(page, /9 999 of 10 000 have ended/);
  expect(await box.evaluate((element) => element.scrollTop)).toBe(32 * 2000);
  expect(await page.locator('[data-move]:focus').textContent()).toBe(name);
  await done.getByText('4 999 found').waitFor();
  await done.getByRole('button', { name: '5 000 more since you looked: show' }).click();
  await done.getByText('9 998 found').waitFor();
  expect(await box.evaluate((element) => element.scrollTop)).toBe(32 * 2000);
  await done.getByLabel('Filter by id').fill('ws-123');
  await done.getByText('10 found').waitFor();
  await done.getByLabel('Filter by id').fill('');

  const after = await held(page);
  expect(after.heap - before.heap).toBeLessThan(20_000_000);
  expect(after.nodes).toBeLessThan(20_000);

  await letEnd(folder, 'last');
  await heading(page, /100 of 10 000 workstreams failed/);
  const [stored] = query<{ rows: number; failed: number }>(
    folder,
    `SELECT COUNT(*) AS rows, SUM(status = 'failed') AS failed FROM agent_results`,
  );
  expect(stored).toEqual({ rows: 10_000, failed: 100 });
  await done.getByRole('button', { name: 'All 10 000', exact: true }).waitFor();
  await done.getByRole('button', { name: 'Failed 100' }).waitFor();
  await done.getByRole('button', { name: 'Completed 9 900' }).waitFor();
  expect(problems).toEqual([]);
}

/** A busy machine needs long for 10,000 workstreams. */
const LONG_MS = 240_000;
browserTest(
  '10,000 workstreams are followed, scrolled and filtered while they end',
  watchesTenThousand,
  LONG_MS,
);

browserTest('a workstream that is tried again changes its row, and nothing else on the page', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => `ws-${String(index).padStart(2, '0')}`);
  const workstreams = [
    gated('bad', { priority: 2 }),
    gated('last', { priority: 1 }),
    { id: 'after', depends_on: ['bad'], steps: [{ run: 'true' }] },
    ...ids.map((id) => ({ id, steps: [{ run: 'true' }] })),
  ];
  const folder = gatedFolder(workstreams, ['bad', 'last']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['bad', 'last']);
  await letEnd(folder, 'bad', 5);
  // None of them is news to the page.
  let ended = 0;
  await run.line((text) => text.includes('"workstream-finished"') && ++ended === 42);
  const { page, requests, problems } = await openAddress(address);
  await page.evaluate((id) => void (location.hash = `#/run/${id}`), run.runId);
  await heading(page, /42 of 43 have ended/);
  const done = page.locator('#done');
  await done.getByText('42 workstreams').waitFor();

  // A filter, an open row, the focus on another, and a place on the page.
  await done.getByLabel('Filter by id').fill('ws-');
  await done.getByText('40 found').waitFor();
  const opened = done.getByRole('row', { name: /ws-03/ });
  await opened.focus();
  await page.keyboard.press('o');
  await done.getByText('All of ws-03').waitFor();
  await done.getByRole('row', { name: /ws-30/ }).focus();
  const place = (): Promise<unknown> =>
    page.evaluate(() => [
      scrollY,
      document.activeElement?.textContent,
      document.querySelectorAll('#done tr').length,
    ]);
  const before = await place();
  const asked = requests.length;

  const retry = page.getByRole('button', { name: 'Try again: bad' });
  await retry.evaluate((button: HTMLElement) => button.click());
  await page.getByRole('article', { name: 'bad' }).getByText('tried again').waitFor();
  await heading(page, /40 of 43 have ended/);
  expect(await place()).toEqual(before);
  await letEnd(folder, 'bad');
  await heading(page, /42 of 43 have ended/);
  expect(await place()).toEqual(before);
  await done.getByLabel('Filter by id').fill('');
  await done.getByRole('button', { name: '2 changed since you looked: show' }).click();
  for (const id of ['bad', 'after']) {
    await done.getByLabel('Filter by id').fill(id);
    await done.getByRole('row', { name: new RegExp(`completed.*${id}`) }).waitFor();
  }
  // What was asked for since then is the retry alone: the run was not loaded again.
  expect(requests.slice(asked).map((each) => new URL(each).pathname)).toEqual([
    `/api/runs/${run.runId}/retry`,
  ]);
  await letEnd(folder, 'last');
  await heading(page, /All 43 workstreams completed/);
  expect(problems).toEqual([]);
});

/** How a page hears that a stream lives, and what it takes for one that does not. */
import type { Page } from 'playwright-core';
import { expect, vi } from 'vitest';
import { HEARTBEAT_MS, MOST_SILENCE_MS } from '../../src/domain/dashboard/heartbeat.ts';
import { browserTest, openAddress } from '../kit/chromium.ts';
import { type Served, servedUnderWay, TOKEN } from '../kit/dashboard-server.ts';

/** Keeps the streams that a page opens, and counts the heartbeats that it hears. */
const WATCHED = `
globalThis.sources = [];
globalThis.heartbeats = 0;
globalThis.EventSource = class extends EventSource {
  constructor(address) {
    super(address);
    globalThis.sources.push(this);
    this.addEventListener('heartbeat', () => (globalThis.heartbeats += 1));
  }
};`;

const streamsOf = (page: Page): Promise<number> => page.evaluate('globalThis.sources.length');
const heartbeatsOf = (page: Page): Promise<number> => page.evaluate('globalThis.heartbeats');

/** Waits until the last stream of so many is there. */
const isOpen = (page: Page, count: number): Promise<void> =>
  expect
    .poll(() => page.evaluate('[globalThis.sources.length, globalThis.sources.at(-1)?.readyState]'))
    .toEqual([count, 1]);

/** The list of runs, on a page whose clock the test sets, of a server that sends heartbeats when the test says so. */
async function listOfRuns(): Promise<{ page: Page; dashboard: Served }> {
  const dashboard = await servedUnderWay();
  const { page } = await openAddress(`${dashboard.address}/#token=${TOKEN}`);
  await page.clock.install();
  await page.addInitScript(WATCHED);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: /1 run is under way/ }).waitFor();
  await isOpen(page, 1);
  return { page, dashboard };
}

browserTest('a stream is kept as long as its heartbeats are heard, and opened again without', async () => {
  const { page } = await listOfRuns();
  // Later than any silence, and from then on time passes as the test says.
  await page.clock.pauseAt(Date.now() + 3_600_000);
  await isOpen(page, 2);
  await page.clock.fastForward(MOST_SILENCE_MS - 1_000);
  vi.advanceTimersByTime(2 * HEARTBEAT_MS);
  await expect.poll(() => heartbeatsOf(page)).toBe(1);
  await page.clock.fastForward(MOST_SILENCE_MS - 1_000);
  expect(await streamsOf(page)).toBe(2);
  await page.clock.fastForward(MOST_SILENCE_MS);
  await isOpen(page, 3);
});

browserTest(
  'after a sleep, in which one clock may stand still, a stream is opened again, and losses are said',
  async () => {
    const { page, dashboard } = await listOfRuns();
    await page.clock.setSystemTime(Date.now() + 8 * 3_600_000);
    await page.clock.fastForward(MOST_SILENCE_MS / 3);
    await isOpen(page, 2);
    await dashboard.close();
    await page.getByText('Not connected; trying again.').waitFor();
  },
);

/** While runs begin, go on and end, and their reader does nothing, nothing that is in view moves. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { LiveState } from '../../src/domain/dashboard/answers.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { liveVerdict } from '../../src/web/model/live.ts';
import { browserTest, openAddress } from '../kit/chromium.ts';
import { served, TOKEN } from '../kit/dashboard-server.ts';
import { end, failed, finished, opened, result, started } from '../kit/recorded-run.ts';
import { beginsNow, recordEnded, recordLive, SHOWN } from '../kit/shown-runs.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

declare global {
  /** What has moved, since `watchShifts`. */
  var shifts: string[];
}

/**
 * Notes what the browser finds to have moved up or down by itself. Figures that gain a digit push what stands behind them on
 * their line. What was done half a second before does not count.
 */
const watchShifts = (page: Page): Promise<void> =>
  page.evaluate(() => {
    globalThis.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        sources: { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[];
      })[])
        for (const { node, previousRect, currentRect } of entry.sources)
          if (Math.abs(previousRect.top - currentRect.top) > 1)
            globalThis.shifts.push(
              `${node instanceof Element ? `<${node.tagName} class="${node.className}">` : node?.nodeName}: ${previousRect.top} to ${currentRect.top}`,
            );
    }).observe({ type: 'layout-shift' });
  });

const heading = (page: Page, text: RegExp): Promise<void> =>
  page.getByRole('heading', { level: 1, name: text }).waitFor();

interface Place {
  width: number;
  scrolled: number;
}

/** A window on the dashboard at a run under way, all of which is drawn, and what records more of it. */
async function openLive(width: number): Promise<{ page: Page; live: SqliteRecorder }> {
  const folder = temporaryFolder();
  const connection = opened(folder);
  recordEnded(connection);
  const { live } = recordLive(connection);
  const dashboard = await served(folder);
  const { page } = await openAddress(`${dashboard.address}/#token=${TOKEN}`, {
    viewport: { width, height: 800 },
  });
  await heading(page, /under way/);
  await page.evaluate((hash) => void (location.hash = hash), `#/run/${SHOWN.live}`);
  await heading(page, /12 of 24 have ended/);
  // The last that is drawn.
  await page.locator('.tl-drawing').waitFor({ state: 'attached' });
  return { page, live };
}

/** What moves at a place of the page of a run while results of all kinds arrive, agents go idle, and it comes to its end. */
async function shiftsAt({ width, scrolled }: Place): Promise<string[]> {
  const { page, live } = await openLive(width);
  await page.evaluate((top) => scrollTo(0, top), scrolled);
  await watchShifts(page);
  const takes = (...events: Parameters<typeof live.take>[0]): void => {
    live.take(events);
    live.commit();
  };
  const now = (): { runId: string; endTime: string } => ({
    runId: SHOWN.live,
    endTime: new Date().toISOString(),
  });
  const ends = (id: string) => finished(result(id, now()));

  takes({
    type: 'workstream-progress',
    workstreamId: 'ws-users-merge',
    agentId: 'agent-2',
    fraction: 0.99,
    text: 'a much longer text than the one before it '.repeat(6),
  });
  await page.getByText('99 %').or(page.getByText('99\u202f%')).first().waitFor();
  takes(finished(failed('ws-orders-merge', 'It broke, and says so in a sentence. '.repeat(9), now())));
  await heading(page, /13 of 24 have ended/);
  takes(...beginsNow('ws-orders-publish', 4));
  await page.getByText('row 4000 of 5000').first().waitFor();
  takes(ends('ws-users-merge'), ends('ws-images-merge'));
  await heading(page, /15 of 24 have ended/);
  const rest = ['encode', 'merge', 'publish'].flatMap((word) =>
    ['orders', 'users', 'images', 'invoices'].map((thing) => `ws-${thing}-${word}`),
  );
  const left = rest.filter((id) => !['ws-orders-merge', 'ws-users-merge', 'ws-images-merge'].includes(id));
  takes(...left.map(ends));
  await heading(page, /All 24 have ended/);
  return page.evaluate(() => globalThis.shifts);
}

/** What moves at a place of the list of runs while one begins, one goes on and one ends; its window. */
async function shiftsOfList({ width, scrolled }: Place): Promise<{ page: Page; shifts: string[] }> {
  const folder = temporaryFolder();
  const connection = opened(folder);
  recordEnded(connection);
  const { live, oddLive } = recordLive(connection);
  const dashboard = await served(folder);
  const { page } = await openAddress(`${dashboard.address}/#token=${TOKEN}`, {
    viewport: { width, height: 800 },
  });
  await heading(page, /2 runs are under way/);
  await page.getByRole('region', { name: 'How they went' }).waitFor();
  await page.evaluate((top) => scrollTo(0, top), scrolled);
  await watchShifts(page);
  const begun = new SqliteRecorder(connection);
  begun.take([started(['ws-a', 'ws-b'], { runId: BEGUN, at: new Date().toISOString() })]);
  begun.commit();
  await heading(page, /3 runs are under way/);
  live.take([finished(failed('ws-orders-merge', 'It broke.', { runId: SHOWN.live }))]);
  live.commit();
  await page.getByRole('row', { name: SHOWN.live }).getByText('13 of 24').waitFor();
  oddLive.finish(end({ runId: SHOWN.oddLive, at: new Date().toISOString() }));
  await heading(page, /2 runs are under way/);
  return { page, shifts: await page.evaluate(() => globalThis.shifts) };
}

const BEGUN = 'ma-run-20260101-130000';

for (const place of [
  { width: 1280, scrolled: 0 },
  { width: 1280, scrolled: 400 },
  { width: 360, scrolled: 0 },
  { width: 360, scrolled: 700 },
])
  browserTest(`no run moves by itself at ${place.width} px, scrolled by ${place.scrolled}`, async () => {
    const { page, shifts } = await shiftsOfList(place);
    expect(shifts).toEqual([]);
    const cards = page.getByRole('region', { name: 'Under way' }).getByRole('link');
    const ids = async (): Promise<string[]> =>
      (await cards.locator('code').allTextContents()).toSorted((a, b) => a.localeCompare(b));
    expect(await ids()).toEqual([SHOWN.oddLive, SHOWN.live]);
    await page.getByRole('button', { name: '1 new run and 1 ended: show' }).click();
    await cards.filter({ hasText: BEGUN }).waitFor();
    expect(await ids()).toEqual([SHOWN.live, BEGUN]);
    expect(await page.getByRole('row', { name: BEGUN }).count()).toBe(1);
  });

for (const place of [
  { width: 1280, scrolled: 0 },
  { width: 1280, scrolled: 700 },
  { width: 360, scrolled: 0 },
  { width: 360, scrolled: 900 },
  { width: 2560, scrolled: 0 },
])
  browserTest(`nothing moves by itself at ${place.width} px, scrolled by ${place.scrolled}`, async () => {
    expect(await shiftsAt(place)).toEqual([]);
  });

/** Of which there is most to say. */
const LONGEST: LiveState = {
  startedAt: '2026-01-01T00:00:00.000Z',
  now: '2026-01-01T01:00:00.000Z',
  total: 10_000,
  ended: 9_000,
  completed: 7_000,
  failed: 1_000,
  skipped: 1_000,
  waiting: 900,
  running: [],
  parked: [],
  canAct: true,
  estimate: {
    seconds: 20_000,
    low: 4_800,
    high: 40_000,
    basis: { kind: 'this-run', known: 8_000, of: 9_000 },
  },
};

for (const width of [360, 721, 1280])
  browserTest(
    `the longest that is said of a run has room at ${width} px, however little is said`,
    async () => {
      const { page } = await openLive(width);
      const height = (text: string): Promise<number> =>
        page.locator('.verdict .more').evaluate((element, said) => {
          const copy = element.cloneNode() as HTMLElement;
          copy.textContent = said;
          element.after(copy);
          const { height: high } = copy.getBoundingClientRect();
          copy.remove();
          return high;
        }, text);
      expect(await height(liveVerdict(LONGEST).more.join(' '))).toBe(await height(''));
    },
  );

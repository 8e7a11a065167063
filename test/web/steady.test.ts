/** While a run goes on and its reader does nothing, nothing that is in view moves. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { browserTest, openAddress } from '../kit/chromium.ts';
import { served, TOKEN } from '../kit/dashboard-server.ts';
import { failed, finished, opened, result } from '../kit/recorded-run.ts';
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

/** What moves at a place of the page of a run while results of all kinds arrive, agents go idle, and it comes to its end. */
async function shiftsAt({ width, scrolled }: Place): Promise<string[]> {
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

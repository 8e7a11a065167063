/** How much of the page of a large run is drawn again when little of it changes, and how much the page holds. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { browserTest, drawn, openAddress } from '../kit/chromium.ts';
import { served, TOKEN } from '../kit/dashboard-server.ts';
import { finished, opened, RUN, result, started } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const AGENTS = Array.from({ length: 54 }, (_, index) => `agent-${index + 1}`);
const IDS = Array.from({ length: 9_900 }, (_, index) => `ws-${index}`);
const TEN = 10 * 60 * 1000;

/** The chart of a run is 6,300 seconds long from 5,000 on: no longer one is drawn before the tests run out of their time. */
const BEGUN = Date.now() - 5_010 * 1000;
const at = (seconds: number): string => new Date(BEGUN + seconds * 1000).toISOString();

/** A result of one of the agents in turn, ten seconds after the one before of the same. */
function resultAt(index: number): AgentResult {
  const begun = Math.floor(index / AGENTS.length) * 10;
  return result(IDS[index] ?? '', {
    agentId: AGENTS[index % AGENTS.length] ?? '',
    startTime: at(begun),
    endTime: at(begun + 9),
    durationSeconds: 9,
  });
}

/** A page with a run under way of which so many workstreams have ended, and what lets more of them end. */
async function followed(ended: number) {
  const folder = temporaryFolder();
  const recorder = new SqliteRecorder(opened(folder));
  recorder.take([started(IDS, { agents: AGENTS, at: at(0) })]);
  let next = 0;
  const end = (count: number): void => {
    recorder.take(Array.from({ length: count }, (_, index) => finished(resultAt(next + index))));
    next += count;
    recorder.commit();
  };
  end(ended);
  const { address } = await served(folder);
  const { page } = await openAddress(`${address}/#token=${TOKEN}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate((hash) => void (location.hash = hash), `#/run/${RUN}`);
  await hasEnded(page, ended);
  await page.locator('.tl-drawing').waitFor({ state: 'attached' });
  await page.locator('#done').waitFor();
  return { page, end };
}

/** Waits until the page says that so many have ended, and has drawn that. */
async function hasEnded(page: Page, count: number): Promise<void> {
  const text = String(count).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
  await page.getByRole('heading', { level: 1, name: new RegExp(`^(All )?${text} `) }).waitFor();
}

/** Counts what is changed in the document from now on: in all of it, and which lanes of the timeline. */
const watchChanges = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const seen = { changes: 0, lanes: new Set<string>() };
    Object.assign(window, { seen });
    new MutationObserver((records) => {
      seen.changes += records.length;
      for (const { target } of records) {
        const lane = (target instanceof Element ? target : target.parentElement)?.closest('.tl > g');
        const name = lane?.querySelector('text.lane')?.textContent;
        if (name !== undefined && name !== null) seen.lanes.add(name);
      }
    }).observe(document.documentElement, {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
  });

const changes = (page: Page): Promise<{ changes: number; lanes: string[] }> =>
  page.evaluate(() => {
    const { seen } = window as unknown as { seen: { changes: number; lanes: Set<string> } };
    return { changes: seen.changes, lanes: [...seen.lanes] };
  });

browserTest(
  'a workstream that ends among 9,000 changes the lane of its agent, and little else',
  async () => {
    const { page, end } = await followed(9_000);
    // Which lanes were drawn when the page was opened does not count.
    await drawn(page);
    await watchChanges(page);
    end(1);
    await hasEnded(page, 9_001);
    await expect.poll(async () => (await changes(page)).lanes).toEqual([AGENTS[9_000 % AGENTS.length]]);
    expect((await changes(page)).changes).toBeLessThan(200);
  },
  TEN,
);

/** What the page holds when nothing waits to be collected, in bytes. */
async function held(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  return (await session.send('Runtime.getHeapUsage')).usedSize;
}

browserTest(
  'what the page holds grows by what is new in it, and not by how often it is drawn',
  async () => {
    const { page, end } = await followed(3_000);
    const before = await held(page);
    for (let ended = 3_100; ended <= 6_000; ended += 100) {
      end(100);
      await hasEnded(page, ended);
    }
    // About one kilobyte for each of the 3,000.
    expect((await held(page)) - before).toBeLessThan(9_000_000);
  },
  TEN,
);

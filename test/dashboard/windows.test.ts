/** More windows than a browser makes connections, where an address is neither this machine's nor https. */
import { hostname } from 'node:os';
import type { Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { launchBrowser } from '../kit/browser.mjs';
import { browserTest } from '../kit/chromium.ts';
import { served, TOKEN } from '../kit/dashboard-server.ts';
import { finished, opened, RUN, result, started } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const heading = (page: Page, text: RegExp): Promise<void> =>
  page.getByRole('heading', { level: 1, name: text }).waitFor();

const WINDOWS = 8;

async function eightWindows(): Promise<void> {
  const folder = temporaryFolder();
  const recorder = new SqliteRecorder(opened(folder));
  recorder.take([started(['ws-a', 'ws-b', 'ws-c'])]);
  recorder.commit();
  const ends = (id: string): void => {
    recorder.take([finished(result(id))]);
    recorder.commit();
  };
  const { port } = await served(folder, { host: '0.0.0.0' });
  const name = hostname().toLowerCase();
  const browser = await launchBrowser([`--host-resolver-rules=MAP ${name} 127.0.0.1`]);
  onTestFinished(() => browser.close());
  const context = await browser.newContext();
  const first = await context.newPage();
  await first.goto(`http://${name}:${port}/#token=${TOKEN}`);
  await heading(first, /under way/);
  expect(await first.evaluate("'locks' in navigator")).toBe(false);

  const windows = await Promise.all(Array.from({ length: WINDOWS }, () => context.newPage()));
  for (const page of windows) await page.goto(`http://${name}:${port}/#/run/${RUN}`);
  await Promise.all(windows.map((page) => heading(page, /0 of 3 have ended/)));
  ends('ws-a');
  await Promise.all(windows.map((page) => heading(page, /1 of 3 have ended/)));
  // A request is still answered in each of them.
  const answers = await Promise.all(
    windows.map((page) => page.evaluate(() => fetch('/api/session').then(({ ok }) => ok))),
  );
  expect(answers).not.toContain(false);
  // Whichever held the stream, it is closed, and another takes it over.
  await first.close();
  for (const page of windows.splice(0, WINDOWS / 2)) await page.close();
  ends('ws-b');
  await Promise.all(windows.map((page) => heading(page, /2 of 3 have ended/)));
}

/** A busy machine needs long to open eight windows. */
const EIGHT_MS = 120_000;
browserTest('eight windows are all told what happens where browsers have no locks', eightWindows, EIGHT_MS);

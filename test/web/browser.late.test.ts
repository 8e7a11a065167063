/** What a reader does before the browser has said, or the server answered, what came of the last that was done. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page, Route } from 'playwright-core';
import { describe, expect } from 'vitest';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { browserTest, drawn, openAddress, openFile } from '../kit/chromium.ts';
import { served, TOKEN } from '../kit/dashboard-server.ts';
import { begins, end, failed, finished, opened, RUN, record, result, started } from '../kit/recorded-run.ts';
import { recordLive, SHOWN, writeLog } from '../kit/shown-runs.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { pageFile, resultAt } from './page-file.ts';

const heading = (page: Page, text: RegExp | string): Promise<void> =>
  page.getByRole('heading', { level: 1, name: text }).waitFor();

const goTo = (page: Page, fragment: string): Promise<void> =>
  page.evaluate((hash) => void (location.hash = hash), fragment);

/** Lets no frame of the page begin, as on a machine that is busy, until `frames` is called. */
const HELD_FRAMES = `
globalThis.held = [];
const next = globalThis.requestAnimationFrame;
globalThis.requestAnimationFrame = (callback) => globalThis.held.push(callback);
globalThis.frames = () => {
  globalThis.requestAnimationFrame = next;
  for (const callback of globalThis.held.splice(0)) next(callback);
};`;
const holdFrames = (page: Page): Promise<unknown> => page.evaluate(HELD_FRAMES);
const letFrames = (page: Page): Promise<unknown> => page.evaluate('globalThis.frames()');

/** Makes what the page does so many milliseconds later come due when `pass` is called. */
const holdTimers = (page: Page, ms: number): Promise<unknown> =>
  page.evaluate(`
globalThis.due = [];
const later = globalThis.setTimeout;
globalThis.setTimeout = (callback, ms, ...rest) =>
  ms === ${ms} ? globalThis.due.push(callback) : later(callback, ms, ...rest);
globalThis.pass = () => {
  for (const callback of globalThis.due.splice(0)) callback();
};`);

describe('in the file of a run', () => {
  const workstreams = (count: number): string =>
    pageFile(Array.from({ length: count }, (_, index) => resultAt(`ws-${index}`, index)));

  async function open(count: number, fragment: string): Promise<Page> {
    const { page } = await openFile(workstreams(count));
    await page.getByRole('heading', { level: 1 }).waitFor();
    await goTo(page, fragment);
    return page;
  }

  browserTest('Back leads back where letters are due for the address that it has left', async () => {
    const page = await open(3, '#/workstream/ws-1');
    await heading(page, /ws-1/);
    await holdTimers(page, 250);
    await page.getByRole('combobox').fill('ws');
    // Between the change of the address and the event that says so.
    await page.evaluate(
      `addEventListener('popstate', () => globalThis.pass(), { once: true }); history.back()`,
    );
    await heading(page, /3 workstreams completed/);
    expect(await page.evaluate(() => location.hash)).not.toContain('ws-1');
    await page.goForward();
    await heading(page, /ws-1/);
  });

  browserTest('each j leads on by a row of a long table, also several between two frames', async () => {
    const page = await open(300, '#/done?all=1');
    const rows = page.locator('#done .box tr[data-move]');
    await rows.first().focus();
    await holdFrames(page);
    for (let times = 0; times < 3; times++) await page.keyboard.press('j');
    await letFrames(page);
    await drawn(page);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex'))).toBe('5');
  });

  /** On the page of a workstream whose row was left far down on the page of its run. */
  async function leftRow(): Promise<Page> {
    const page = await open(600, '#/done?all=1');
    await page.locator('#agents').waitFor();
    // Room to scroll also where only the first sections are drawn.
    await page.evaluate(() => void (document.body.style.minHeight = '4000px'));
    await page.evaluate(() => scrollTo(0, 400));
    await page.getByRole('link', { name: 'Title of ws-3', exact: true }).focus();
    await page.keyboard.press('Enter');
    await heading(page, /ws-3/);
    await drawn(page);
    return page;
  }

  browserTest('who scrolls before the page is drawn to which Escape leads stays there', async () => {
    const page = await leftRow();
    await holdFrames(page);
    await page.keyboard.press('Escape');
    await heading(page, /600 workstreams completed/);
    await page.mouse.move(640, 300);
    await page.mouse.wheel(0, 150);
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(150);
    await letFrames(page);
    await page.locator('#agents').waitFor();
    await drawn(page);
    expect(await page.evaluate(() => scrollY)).toBe(150);
  });

  browserTest('who goes on before the page is drawn to which Escape leads is where that leads', async () => {
    const page = await leftRow();
    await holdFrames(page);
    await page.keyboard.press('Escape');
    await heading(page, /600 workstreams completed/);
    await page.getByRole('combobox').fill('ws-599');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await heading(page, /ws-599/);
    await letFrames(page);
    await drawn(page);
    expect(await page.evaluate(() => [scrollY, document.activeElement?.id])).toEqual([0, 'main']);
  });

  browserTest('Enter in the search leads to the table, also from another page', async () => {
    const page = await open(30, '#/workstream/ws-1');
    await heading(page, /ws-1/);
    await page.getByRole('combobox').fill('ws');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('done');
    expect(
      await page.evaluate(() => document.getElementById('done')?.getBoundingClientRect().top),
    ).toBeLessThan(800);
  });
});

/** A dashboard over runs that a test records, and what lets an answer of it come late. */
async function openDashboard(record: (folder: string) => void): Promise<{ page: Page; folder: string }> {
  const folder = temporaryFolder();
  record(folder);
  const { address } = await served(folder);
  const { page } = await openAddress(`${address}/#token=${TOKEN}`);
  await page.getByRole('heading', { level: 1, name: /under way|run/ }).waitFor();
  return { page, folder };
}

/** Holds back the next answer to such a question; returns what waits until the server has given it, and what lets it through. */
async function holdAnswer(
  page: Page,
  isIt: (url: URL) => boolean,
): Promise<{ isGiven: Promise<void>; letThrough: () => void }> {
  let letThrough = (): void => undefined;
  const through = new Promise<void>((resolve) => (letThrough = resolve));
  let give = (): void => undefined;
  const isGiven = new Promise<void>((resolve) => (give = resolve));
  const hold = async (route: Route): Promise<void> => {
    const response = await route.fetch();
    give();
    await through;
    await route.fulfill({ response });
  };
  await page.route(isIt, hold, { times: 1 });
  return { isGiven, letThrough };
}

const isList = ({ pathname, searchParams }: URL): boolean =>
  pathname === '/api/runs' && !searchParams.has('before');

/** Leads away from the list of runs, which is asked for again only where it is shown again. */
async function leaveList(page: Page): Promise<void> {
  await goTo(page, '#/tools');
  await heading(page, /No coding agent/);
}

describe('on the dashboard', () => {
  /** A run under way whose only workstream is being executed. */
  function underWay(folder: string): SqliteRecorder {
    const recorder = new SqliteRecorder(opened(folder));
    recorder.take([started(['ws-a']), begins('ws-a')]);
    recorder.commit();
    return recorder;
  }

  function ends(recorder: SqliteRecorder): void {
    recorder.take([finished(result('ws-a'))]);
    recorder.finish(end());
  }

  browserTest('an answer that comes late takes back nothing that was heard since', async () => {
    const recorders: SqliteRecorder[] = [];
    const { page } = await openDashboard((folder) => recorders.push(underWay(folder)));
    await heading(page, /1 run is under way/);
    await leaveList(page);
    // The second time it is asked for what happened before the page listened.
    let asked = 0;
    const held = await holdAnswer(page, (url) => isList(url) && ++asked === 2);
    await goTo(page, '#/runs');
    await heading(page, /1 run is under way/);
    await held.isGiven;
    for (const recorder of recorders) ends(recorder);
    await heading(page, /completed its only/);
    const answered = page.waitForResponse((response) => isList(new URL(response.url())));
    held.letThrough();
    await answered;
    await drawn(page);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toMatch(/completed its only/);
  });

  browserTest('older runs that come late take back nothing that was heard since', async () => {
    const recorders: SqliteRecorder[] = [];
    const { page } = await openDashboard((folder) => {
      record(opened(folder), [result('ws-a')], {
        runId: 'ma-run-20260101-030405',
        at: '2026-01-01T03:04:05.000Z',
      });
      recorders.push(underWay(folder));
    });
    await leaveList(page);
    let answers = 0;
    // As if there were more than one answer has.
    await page.route(isList, async (route) => {
      const response = await route.fetch();
      const answer = (await response.json()) as { runs: unknown[] };
      await route.fulfill({ response, json: { ...answer, runs: answer.runs.slice(0, 1) } });
      answers += 1;
    });
    await goTo(page, '#/runs');
    await expect.poll(() => answers).toBe(2);
    await drawn(page);
    const held = await holdAnswer(page, ({ searchParams }) => searchParams.has('before'));
    await page.getByRole('button', { name: 'Show older runs' }).click();
    await held.isGiven;
    for (const recorder of recorders) ends(recorder);
    const now = page.getByRole('row', { name: new RegExp(`completed.*${RUN}`, 'i') });
    await now.waitFor();
    held.letThrough();
    await page.getByRole('row', { name: /ma-run-20260101-030405/ }).waitFor();
    expect(await now.count()).toBe(1);
  });

  browserTest('letters typed before the answer to the first are all in the field', async () => {
    const { page } = await openDashboard((folder) =>
      record(opened(folder), [result('abc'), failed('xyz', 'no')]),
    );
    await goTo(page, '#/workstreams');
    await heading(page, /1 failed in their last run/);
    const held = await holdAnswer(page, ({ searchParams }) => searchParams.get('search') === 'a');
    const field = page.getByLabel('Filter by id or title');
    await field.focus();
    await page.keyboard.press('a');
    await held.isGiven;
    await page.keyboard.type('bc');
    expect(await field.inputValue()).toBe('abc');
    held.letThrough();
    await heading(page, /Every workstream passed/);
    for (const _ of 'abc') await page.keyboard.press('Backspace');
    await heading(page, /1 failed in their last run/);
    await page.keyboard.type('nothing');
    await heading(page, 'No workstream matches.');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.press('Delete');
    await heading(page, /1 failed in their last run/);
    await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  for (const [name, from, stream, to, there] of [
    ['the list of runs', '#/runs', /api\/events/, '#/tools', /No coding agent/],
    ['a log', `#/run/${RUN}/log/ws-a`, /follow/, `#/run/${RUN}`, /0 of 1/],
  ] as const)
    browserTest(`a connection that was lost on ${name} is not lost on a page without it`, async () => {
      const { page } = await openDashboard((folder) => void underWay(folder));
      await page.route(stream, (route) => route.abort());
      await goTo(page, from);
      await page.reload();
      await page.getByText('Not connected; trying again.').waitFor();
      await goTo(page, to);
      await heading(page, there);
      await page.getByText('Not connected; trying again.').waitFor({ state: 'detached' });
    });

  browserTest('a run that is left before it was drawn is not followed', async () => {
    const { page } = await openDashboard((folder) => void underWay(folder));
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.evaluate(async (run) => {
      document.querySelector<HTMLElement>(`.runcard[href="#/run/${run}"]`)?.click();
      await new Promise<void>(queueMicrotask);
      document.querySelector<HTMLElement>('a.brand')?.click();
    }, RUN);
    await heading(page, /1 run is under way/);
    const answer = `/api/runs/${RUN}`;
    await expect.poll(() => asked).toContain(answer);
    await drawn(page);
    // What a run that is followed asks for as soon as its document is there.
    const held = await page.evaluate(
      `fetch('${answer}').then((response) => response.text()).then(() => navigator.locks.query()).then(({ held, pending }) => [...held, ...pending].map(({ name }) => name))`,
    );
    expect(held).not.toContain(`millrace ${answer}/events`);
  });

  browserTest('a run that is opened is read from its beginning, wherever the last one was left', async () => {
    const other = 'ma-run-20260101-030405';
    const { page } = await openDashboard((folder) => {
      const connection = opened(folder);
      const all = ['a', 'b', 'c', 'd'].map((id) => result(id));
      record(connection, all, { runId: other, at: '2026-01-01T03:04:05.000Z' });
      record(connection, all);
    });
    const current = page.locator('.rail a[aria-current="true"]');
    await goTo(page, `#/run/${other}/environment`);
    await expect.poll(() => current.getAttribute('href')).toContain('environment');
    await page.getByRole('link', { name: 'Millrace, to all runs' }).click();
    await page.getByRole('link', { name: RUN }).first().click();
    await heading(page, /4 workstreams completed/);
    expect(await current.getAttribute('href')).toBe(`#/run/${RUN}`);
  });

  browserTest(
    'who has scrolled up in a log stays there, also where lines come before the next frame',
    async () => {
      const lines = (from: number): string =>
        Array.from({ length: 200 }, (_, index) => `line ${from + index}\n`).join('');
      const { page, folder } = await openDashboard((place) => {
        recordLive(opened(place));
        writeLog(place, 'live', 'ws-orders-merge', lines(0));
      });
      await goTo(page, `#/run/${SHOWN.live}/log/ws-orders-merge`);
      const box = page.getByRole('region', { name: 'Log of ws-orders-merge' });
      await box.getByText('line 199', { exact: true }).waitFor();
      await holdTimers(page, 250);
      appendFileSync(join(folder, '.state', 'logs', SHOWN.live, 'ws-orders-merge.log'), lines(200));
      await expect.poll(() => page.evaluate('globalThis.due.length')).toBe(1);
      const top = await box.evaluate(async (element) => {
        element.scrollTop = 400;
        (globalThis as unknown as { pass: () => void }).pass();
        for (let times = 0; times < 10; times++) await new Promise<void>(queueMicrotask);
        return element.scrollTop;
      });
      expect(top).toBe(400);
      await page.getByRole('button', { name: 'To the end: 200 new lines' }).waitFor();
    },
  );
});

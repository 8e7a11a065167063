/** What is seen of the dashboard in a browser, while real runs go on. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { accessibilityProblems, browserTest, drawn, openAddress } from '../kit/chromium.ts';
import { millrace } from '../kit/command.ts';
import {
  gated,
  gatedFolder,
  letEnd,
  mergingFolder,
  runUntil,
  startDashboard,
  toolFolder,
  writes,
} from '../kit/dashboard.ts';

const heading = (page: Page, text: RegExp): Promise<void> =>
  page.getByRole('heading', { level: 1, name: text }).waitFor();

/** Goes to a page of the dashboard as a link does. */
const visit = (page: Page, fragment: string): Promise<void> =>
  page.evaluate((hash) => void (location.hash = hash), fragment);

browserTest('a run is seen while it goes on, and its page becomes that of the ended run', async () => {
  const folder = gatedFolder([gated('a'), gated('b')], ['a', 'b']);
  const { address } = await startDashboard(folder);
  const { page, problems } = await openAddress(address);
  await heading(page, /No runs yet/);
  const run = await runUntil(folder, ['a', 'b']);
  await page.getByRole('link', { name: run.runId }).first().click();
  await heading(page, /0 of 2 have ended/);
  const lane = page.getByRole('listitem').filter({ hasText: 'agent-1' });
  await lane.getByText('attempt 1').waitFor();
  await page.evaluate(() => void (document.body.dataset['same'] = 'yes'));
  await letEnd(folder, 'a');
  await heading(page, /1 of 2 have ended/);
  await letEnd(folder, 'b', 3);
  await heading(page, /1 of 2 workstreams failed/);
  expect(await page.evaluate(() => document.body.dataset['same'])).toBe('yes');
  expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toContain('What was done');
  expect(problems).toEqual([]);
});

browserTest('a run that is killed and resumed is followed by the page that is open', async () => {
  const folder = gatedFolder([gated('a'), gated('b')], ['a', 'b']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a', 'b']);
  const { page, problems } = await openAddress(address);
  await visit(page, `#/run/${run.runId}`);
  await heading(page, /0 of 2 have ended/);
  await letEnd(folder, 'a');
  await heading(page, /1 of 2 have ended/);
  run.killAll();
  await heading(page, /Interrupted after 1 of 2/);
  await runUntil(folder, ['b'], ['--resume']);
  await heading(page, /1 of 2 have ended/);
  await letEnd(folder, 'b');
  await heading(page, /All 2 workstreams completed/);
  expect(problems).toEqual([]);
});

browserTest('a workstream is stopped and tried again from the page, which says what came of it', async () => {
  const folder = gatedFolder([gated('a'), gated('b'), gated('c', { depends_on: ['a'] })], ['a', 'b', 'c']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a', 'b'], ['--grace', '0.3']);
  const { page, problems } = await openAddress(address);
  await visit(page, `#/run/${run.runId}`);
  await page.getByRole('button', { name: 'Stop a …' }).click();
  await page.getByRole('button', { name: 'Let it go on' }).click();
  await page.getByRole('button', { name: 'Stop a …' }).click();
  await page.getByRole('dialog', { name: 'Stop a?' }).getByRole('button', { name: 'Stop it' }).click();
  await page.getByRole('status').getByText('a is being stopped.').waitFor();
  await heading(page, /2 of 3 have ended/);
  await page.getByRole('button', { name: '1 more since you looked: show' }).click();
  await page.getByRole('button', { name: 'Try again: a' }).click();
  await page.getByRole('status').getByText('a is open again: attempt 2 follows').waitFor();
  await heading(page, /0 of 3 have ended/);
  const lanes = page.getByRole('listitem').filter({ hasText: /^agent-/ });
  await lanes.getByText('attempt 2').waitFor();
  await letEnd(folder, 'a');
  await letEnd(folder, 'c');
  await letEnd(folder, 'b');
  await heading(page, /All 3 workstreams completed/);
  expect((await run.finished).code).toBe(0);
  expect(problems).toEqual([]);
});

browserTest('what failed with one error is tried again, one of them or all at once', async () => {
  const ids = ['a', 'b', 'c'];
  const breaks = (id: string): object =>
    gated(id, { steps: [{ run: `code=$(cat gate-${id}); echo no such table >&2; exit $code` }] });
  const folder = gatedFolder([...ids.map(breaks), gated('last', { priority: 1 })], [...ids, 'last']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, [...ids, 'last'], ['-j', '4']);
  const { page, problems } = await openAddress(address);
  await visit(page, `#/run/${run.runId}`);
  await heading(page, /0 of 4 have ended/);
  for (const [index, id] of ids.entries()) {
    await letEnd(folder, id, 3);
    await heading(page, new RegExp(`${index + 1} of 4 have ended`));
  }
  await page.locator('#needs').getByRole('button', { name: '3 more since you looked: show' }).click();
  const card = page.getByRole('article', { name: 'no such table: 3 workstreams' });
  await card.getByText('What was printed, and where').click();
  await card.getByText('no such table', { exact: true }).nth(1).waitFor();
  const height = (): Promise<number> => card.evaluate((each) => each.getBoundingClientRect().height);
  const before = await height();
  await card.getByRole('button', { name: 'Try again: a' }).click();
  await page.getByRole('status').getByText('a is open again: attempt 2 follows').waitFor();
  await card.getByText('1 tried again').waitFor();
  await card.getByRole('button', { name: 'Try again: a', disabled: true }).waitFor();
  await card.getByRole('button', { name: 'Try all again: no such table' }).click();
  await page
    .getByRole('status')
    .getByText(/^b is open again.* c is open again/)
    .waitFor();
  await card.getByText('3 tried again').waitFor();
  await card.getByRole('button', { name: 'Try all again: no such table', disabled: true }).waitFor();
  expect(await height()).toBe(before);
  for (const id of [...ids, 'last']) await letEnd(folder, id);
  await heading(page, /All 4 workstreams completed/);
  expect((await run.finished).code).toBe(0);
  expect(problems).toEqual([]);
});

browserTest('a run is ended from the page, which asks once and says what came of it', async () => {
  const folder = gatedFolder([gated('a'), gated('b')], ['a', 'b']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a', 'b'], ['--grace', '0.3']);
  const { page, problems } = await openAddress(address);
  await visit(page, `#/run/${run.runId}`);
  await page.getByRole('button', { name: 'Stop the run …' }).click();
  await page.getByRole('button', { name: 'Let it go on' }).click();
  await letEnd(folder, 'a');
  await heading(page, /1 of 2 have ended/);
  await page.getByRole('button', { name: 'Stop the run …' }).click();
  await page.getByRole('button', { name: 'Stop the run', exact: true }).click();
  await page.getByRole('status').getByText('The run is ending').waitFor();
  expect((await run.finished).code).toBe(130);
  await heading(page, /Interrupted after 1 of 2/);
  expect(problems).toEqual([]);
});

browserTest('nothing moves while a run goes on: what ends waits until it is asked for', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const folder = gatedFolder(
    ids.map((id) => gated(id)),
    ids,
  );
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a', 'b', 'c']);
  await letEnd(folder, 'a', 3);
  // It is no news to the page, and the next one has begun.
  await run.line((text) => text.includes('"workstream-finished"') && text.includes('"workstream_id":"a"'));
  await run.line((text) => text.includes('"workstream-started"') && text.includes('"workstream_id":"d"'));
  const { page } = await openAddress(address);
  await visit(page, `#/run/${run.runId}`);
  await heading(page, /1 of 5 have ended/);
  // The last that is drawn.
  await page.locator('.tl-drawing').waitFor({ state: 'attached' });
  const places = (): Promise<unknown> =>
    page.evaluate(() =>
      Array.from(document.querySelectorAll('.lane, .need, section'), (each) => {
        const { top, height } = each.getBoundingClientRect();
        return [Math.round(top), Math.round(height)];
      }),
    );
  const before = await places();
  await letEnd(folder, 'b', 3);
  await letEnd(folder, 'c');
  await heading(page, /3 of 5 have ended/);
  expect(await places()).toEqual(before);
  await page.getByRole('button', { name: '2 more since you looked: show' }).click();
  // Both failed in the same way.
  const card = page.getByRole('article', { name: '2 workstreams' });
  await card.getByRole('link', { name: 'b', exact: true }).waitFor();
  expect(await page.getByRole('row', { name: /completed.*c/ }).count()).toBe(1);
});

browserTest(
  'a stop that is asked for before the refused question has said that it is closed is asked about',
  async () => {
    const folder = gatedFolder([gated('a')], ['a']);
    const { address } = await startDashboard(folder);
    const run = await runUntil(folder, ['a']);
    const { page, problems } = await openAddress(address);
    await visit(page, `#/run/${run.runId}`);
    await page.getByRole('button', { name: 'Stop a …' }).click();
    const question = page.getByRole('dialog', { name: 'Stop a?' });
    await question.waitFor();
    // As two keys between two frames do.
    await page.evaluate(() => {
      document.querySelector('dialog')?.close();
      const labelled = [...document.querySelectorAll<HTMLButtonElement>('button[aria-label]')];
      labelled.find((button) => button.ariaLabel === 'Stop a …')?.click();
    });
    await drawn(page);
    expect(await question.count()).toBe(1);
    await question.getByRole('button', { name: 'Let it go on' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await letEnd(folder, 'a');
    await heading(page, /^a completed/);
    expect((await run.finished).code).toBe(0);
    expect(problems).toEqual([]);
  },
);

browserTest('who is asked whether to stop a workstream stops no other that has followed it', async () => {
  const folder = gatedFolder([gated('a'), gated('b')], ['a', 'b']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a'], ['-j', '1']);
  const { page, problems } = await openAddress(address);
  await visit(page, `#/run/${run.runId}`);
  await page.getByRole('button', { name: 'Stop a …' }).click();
  await page.getByRole('dialog', { name: 'Stop a?' }).waitFor();
  await letEnd(folder, 'a');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Stop b …' }).waitFor();
  await letEnd(folder, 'b');
  await heading(page, /All 2 workstreams completed/);
  expect((await run.finished).code).toBe(0);
  expect(problems).toEqual([]);
});

browserTest('a lost connection is said, and found again', async () => {
  const folder = gatedFolder([gated('a')], ['a']);
  const first = await startDashboard(folder);
  const run = await runUntil(folder, ['a']);
  const { page } = await openAddress(first.address);
  await visit(page, `#/run/${run.runId}`);
  await heading(page, /0 of 1 have ended/);
  const { port, hash } = new URL(first.address);
  first.killAll();
  await first.finished;
  await page.getByText('Not connected; trying again.').waitFor();
  await startDashboard(folder, port, hash.replace('#token=', ''));
  await page.getByText('Not connected; trying again.').waitFor({ state: 'detached' });
  await letEnd(folder, 'a');
  await heading(page, /a completed/);
});

const NOT_CONNECTED = 'Not connected; trying again.';
const LOG_IS_LOST = 'The connection is lost, and is being made again';

/** Lets so much time pass on pages whose dashboard says nothing, again and again, until all of them say that they have lost it. */
const untilLost = (pages: readonly Page[], words: string, ms: number): Promise<void> =>
  // As long as it takes for what was sent before to be heard.
  expect
    .poll(async () => {
      await Promise.all(pages.map((page) => page.clock.fastForward(ms)));
      return Promise.all(pages.map((page) => page.getByText(words).count()));
    })
    .toEqual(pages.map(() => 1));

for (const [what, view, isThere, words, isOver] of [
  ['the list of runs', () => '#/runs', /1 run is under way/, NOT_CONNECTED, /completed its only/],
  ['a run', (id) => `#/run/${id}`, /0 of 1 have ended/, NOT_CONNECTED, /a completed/],
  ['a log', (id) => `#/run/${id}/log/a`, /Following/, LOG_IS_LOST, /Nothing more is printed/],
  ['all logs', (id) => `#/run/${id}/logs`, /Following/, LOG_IS_LOST, /Nothing more is printed/],
] as [what: string, view: (runId: string) => string, isThere: RegExp, words: string, isOver: RegExp][])
  browserTest(`a connection that broke without a sign is said, and found again: ${what}`, async () => {
    const folder = gatedFolder([gated('a')], ['a']);
    const { address, child } = await startDashboard(folder);
    const run = await runUntil(folder, ['a']);
    const { page } = await openAddress(address);
    await page.clock.install();
    await visit(page, view(run.runId));
    await page.reload();
    await page.getByText(isThere).first().waitFor();
    // It takes connections, and says nothing.
    child.kill('SIGSTOP');
    await untilLost([page], words, 60_000);
    child.kill('SIGCONT');
    await page.getByText(words).waitFor({ state: 'detached' });
    await letEnd(folder, 'a');
    await page.getByText(isOver).first().waitFor();
  });

browserTest('a connection that broke without a sign is said of a run that has ended as well', async () => {
  const folder = gatedFolder([{ id: 'a', steps: [{ run: 'true' }] }], []);
  const { address, child } = await startDashboard(folder);
  await millrace(folder, ['run']);
  const { page } = await openAddress(address);
  await page.clock.install();
  await visit(page, '#/run/latest');
  await heading(page, /a completed/);
  child.kill('SIGSTOP');
  await untilLost([page], NOT_CONNECTED, 60_000);
  child.kill('SIGCONT');
  await page.getByText(NOT_CONNECTED).waitFor({ state: 'detached' });
});

browserTest(
  'streams that take turns, as there are too many, say what is lost without a sign too',
  async () => {
    const ids = ['a', 'b', 'c'];
    const folder = gatedFolder(
      ids.map((id) => gated(id)),
      ids,
    );
    const { address, child } = await startDashboard(folder);
    const run = await runUntil(folder, ids);
    const { page } = await openAddress(address);
    await page.clock.install();
    const { origin } = new URL(address);
    // Of the run and four logs.
    const pages = await Promise.all(ids.map(() => page.context().newPage()));
    const views = ids.map((id) => `log/${id}`);
    await Promise.all(pages.map((each, at) => each.goto(`${origin}/#/run/${run.runId}/${views[at]}`)));
    await visit(page, `#/run/${run.runId}/logs`);
    const all = [page, ...pages];
    for (const each of all) await each.getByText(/^Following/).waitFor();
    child.kill('SIGSTOP');
    // As long as a turn, so that each is shorter than the longest silence.
    await untilLost(all, LOG_IS_LOST, 2_000);
    child.kill('SIGCONT');
    for (const each of all) await each.getByText(LOG_IS_LOST).waitFor({ state: 'detached' });
    for (const id of ids) await letEnd(folder, id);
    for (const each of all) await each.getByText('Nothing more is printed').waitFor();
  },
);

/** A page of a run under way whose dashboard was started again with another token. */
async function startedAgain(): Promise<{ page: Page; second: { address: string } }> {
  const folder = gatedFolder([gated('a')], ['a']);
  const first = await startDashboard(folder);
  const run = await runUntil(folder, ['a'], ['--grace', '0.3']);
  const { page } = await openAddress(first.address);
  await visit(page, `#/run/${run.runId}`);
  await heading(page, /0 of 1 have ended/);
  first.killAll();
  await first.finished;
  const second = await startDashboard(folder, new URL(first.address).port);
  return { page, second };
}

browserTest('a page whose dashboard was started with another token asks for it, and goes on', async () => {
  const { page, second } = await startedAgain();
  const question = page.getByRole('region', { name: /does not know this browser any more/ });
  await question.getByLabel('Token').fill('none-of-this-dashboard');
  await question.getByRole('button', { name: 'Open' }).click();
  await question.getByText('This is not the token of the dashboard.').waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await question.getByLabel('Token').fill(new URL(second.address).hash.replace('#token=', ''));
  await question.getByRole('button', { name: 'Open' }).click();
  await question.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Stop a …' }).click();
  await page.getByRole('button', { name: 'Stop it' }).click();
  await page.getByRole('status').getByText('a is being stopped.').waitFor();
  await heading(page, /1 of 1 workstream failed/);
});

browserTest('a page acts on a run also after another window has opened the next session', async () => {
  const { page, second } = await startedAgain();
  const other = await page.context().newPage();
  await other.goto(second.address);
  await heading(other, /1 run is under way/);
  await page.getByText('Not connected; trying again.').waitFor({ state: 'detached' });
  await page.getByRole('region', { name: /does not know this browser/ }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Stop a …' }).click();
  await page.getByRole('button', { name: 'Stop it' }).click();
  await page.getByRole('status').getByText('a is being stopped.').waitFor();
});

browserTest('an address with a token is opened also in a window that has the page already', async () => {
  const { address } = await startDashboard(gatedFolder([], []));
  const { page } = await openAddress(address);
  await heading(page, /No runs yet/);
  const was = await page.evaluate(() => performance.timeOrigin);
  await page.evaluate((url) => void (location.href = url), address);
  await page.waitForFunction((before) => performance.timeOrigin !== before, was);
  await heading(page, /No runs yet/);
  expect(page.url()).not.toContain('token');
});

browserTest(
  'a window that has no session asks for the token, and shows then what its address names',
  async () => {
    const { address } = await startDashboard(gatedFolder([], []), '0', 'a-token-of-the-test-0123456789');
    const { page } = await openAddress(`${address}#/trends`);
    await heading(page, /The dashboard does not know this browser/);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByLabel('Token').fill('a-token-of-the-test-0123456789');
    await page.keyboard.press('Enter');
    await heading(page, /No run has ended yet/);
  },
);

browserTest(
  'a run that was opened as the latest is followed by its id, as another one may be the latest',
  async () => {
    const folder = gatedFolder([gated('a')], ['a']);
    const { address } = await startDashboard(folder);
    const run = await runUntil(folder, ['a']);
    const { page, requests } = await openAddress(address);
    const isFollowed = page.waitForRequest((request) =>
      request.url().includes(`/api/runs/${run.runId}/events`),
    );
    await visit(page, '#/run/latest');
    await isFollowed;
    await letEnd(folder, 'a', 3);
    await heading(page, /1 of 1 workstream failed/);
    expect(requests.filter((url) => url.includes('latest/events'))).toEqual([]);
  },
);

browserTest(
  'runs that are not in the database any more leave the list, also where it was replaced',
  async () => {
    const folder = gatedFolder([{ id: 'a', steps: [{ run: 'exit 0' }] }], []);
    const { address } = await startDashboard(folder);
    await millrace(folder, ['run', '--label', 'before']);
    const { page } = await openAddress(address);
    await heading(page, /completed/);
    await page.getByText('before').first().waitFor();
    rmSync(join(folder, '.state'), { recursive: true });
    await heading(page, /No runs yet/);
    await millrace(folder, ['run', '--label', 'after']);
    await page.getByText('after').first().waitFor();
    expect(await page.getByText('before').count()).toBe(0);
  },
);

browserTest(
  'work that is merged after its result was sent is shown as it ended, and needs nobody before',
  async () => {
    const folder = toolFolder([writes('ws-left'), writes('ws-right'), gated('ws-gated')], ['ws-gated']);
    const { address } = await startDashboard(folder);
    const run = await runUntil(folder, ['ws-gated']);
    for (const id of ['ws-left', 'ws-right'])
      await run.line(
        (line) => line.includes('"workstream-finished"') && line.includes(`"workstream_id":"${id}"`),
      );
    const { page, problems } = await openAddress(address);
    await visit(page, `#/run/${run.runId}/workstream/ws-left`);
    await heading(page, /ws-left completed/);
    expect(await page.getByText('was not merged before the run ended').count()).toBe(0);
    await visit(page, `#/run/${run.runId}`);
    await heading(page, /2 of 3 have ended/);
    await letEnd(folder, 'ws-gated');
    await page.getByText('1 conflicts with other work').first().waitFor();
    expect(problems).toEqual([]);
  },
);

browserTest(
  'while a run goes on, merged work is told in its place, and what could not be merged needs a person',
  async () => {
    const folder = mergingFolder();
    const { address } = await startDashboard(folder);
    const run = await runUntil(folder, ['ws-gated', 'ws-held']);
    await run.line(
      (line) => line.includes('"workstream-finished"') && line.includes('"workstream_id":"ws-left"'),
    );
    const { page, problems, requests } = await openAddress(address);
    await visit(page, `#/run/${run.runId}`);
    await heading(page, /1 of 4 have ended/);
    const row = page.getByRole('row', { name: /ws-left/ });
    await row.getByText('1 file changed, pending').waitFor();
    await page.locator('.tl-drawing').waitFor({ state: 'attached' });
    const places = (): Promise<unknown> =>
      page.evaluate(() =>
        Array.from(document.querySelectorAll('.lane, section, #done tr'), (each) => {
          const { top, height } = each.getBoundingClientRect();
          return [Math.round(top), Math.round(height)];
        }),
      );
    const before = await places();
    await letEnd(folder, 'merge');
    await row.getByText('1 file changed, merged').waitFor();
    expect(await places()).toEqual(before);
    expect(await page.getByRole('button', { name: /since you looked/ }).count()).toBe(0);
    await letEnd(folder, 'ws-gated');
    await heading(page, /3 of 4 have ended/);
    await page.getByRole('button', { name: '1 more since you looked: show' }).click();
    const card = page.getByRole('article', { name: 'ws-right conflicts with ws-left' });
    await card.waitFor();
    expect(await card.getByRole('button', { name: 'Try again' }).count()).toBe(0);
    expect(await card.getByTitle(/^git merge millrace/).count()).toBe(1);
    expect(await accessibilityProblems(page)).toEqual([]);
    await visit(page, `#/run/${run.runId}/workstream/ws-right`);
    await heading(page, /ws-right could not be merged/);
    await page.getByText('ws-right conflicts with ws-left').waitFor();
    expect(await page.getByText('failed so too').count()).toBe(0);
    const loads = (): number => requests.filter((url) => url.endsWith(`/api/runs/${run.runId}`)).length;
    const loaded = loads();
    await letEnd(folder, 'ws-held');
    await visit(page, `#/run/${run.runId}`);
    await page.getByText('1 conflicts with other work').first().waitFor();
    await page.getByRole('article', { name: 'ws-right conflicts with ws-left' }).waitFor();
    expect(loads()).toBe(loaded);
    expect(problems).toEqual([]);
  },
);

browserTest('text of workstreams is text wherever a run under way is shown', async () => {
  const title = '<img src=x onerror="document.title=1"> \u202eevil שלום';
  const folder = gatedFolder(
    [
      // Begins when the other one has failed, so that its failure is there when the page is opened.
      { ...gated('a'), title, depends_on: [{ id: 'b', when: 'finished' }] },
      { id: 'b', title, steps: [{ run: `printf '\\033[2J<script>alert(1)</script>\\n'; exit 3` }] },
    ],
    ['a'],
  );
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a']);
  const { page, problems } = await openAddress(address);
  await visit(page, `#/run/${run.runId}`);
  await page.getByRole('article').getByText('<img src=x').first().waitFor();
  expect(await page.locator('main img, main script').count()).toBe(0);
  await visit(page, `#/run/${run.runId}/log/b`);
  await page.getByText('<script>alert(1)</script>').waitFor();
  expect(await page.locator('main img, main script').count()).toBe(0);
  expect(problems).toEqual([]);
});

browserTest('every view of a run is accessible while it goes on, and so is the list of runs', async () => {
  const workstreams = [
    gated('a'),
    { id: 'bad', steps: [{ run: 'echo no such table >&2; exit 3' }] },
    { id: 'after', depends_on: ['bad'], steps: [{ run: 'true' }] },
  ];
  const folder = gatedFolder(workstreams, ['a']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a']);
  const { page } = await openAddress(address);
  const views: [fragment: string, what: RegExp][] = [
    ['#/runs', /1 run is under way/],
    [`#/run/${run.runId}`, /2 of 3 have ended/],
    [`#/run/${run.runId}/workstream/a`, /a is running/],
    [`#/run/${run.runId}/workstream/bad`, /bad failed/],
    [`#/run/${run.runId}/log/bad`, /Log of bad/],
    [`#/run/${run.runId}/logs`, /What all workstreams print/],
    ['#/run/nothing', /nothing/],
  ];
  for (const [fragment, what] of views) {
    await visit(page, fragment);
    await heading(page, what);
    expect(await accessibilityProblems(page), fragment).toEqual([]);
  }
});

browserTest(
  'pages that have nothing to show say what they will show, and show it once it is there',
  async () => {
    const folder = gatedFolder([{ id: 'a', steps: [{ run: 'true' }] }], []);
    const { address } = await startDashboard(folder);
    const { page, problems } = await openAddress(address);
    const views: [fragment: string, what: string, then: RegExp][] = [
      ['#/workstreams', 'each workstream', /Every workstream passed/],
      ['#/patterns', 'the errors', /had no errors/],
      ['#/trends', 'how long runs take', /Too few runs/],
      ['#/tools', 'coding agents', /No coding agent was used/],
    ];
    for (const [fragment, what] of views) {
      await visit(page, fragment);
      await heading(page, /No run has ended yet/);
      await page.getByText(`Here will be ${what}`).waitFor();
      await page.getByRole('main').getByText('millrace run').first().waitFor();
      expect(await accessibilityProblems(page), fragment).toEqual([]);
    }
    await millrace(folder, ['run']);
    for (const [fragment, , then] of views) {
      await visit(page, fragment);
      await heading(page, then);
    }
    expect(problems).toEqual([]);
  },
);

browserTest('what is known over all runs is shown, as text, and accessible', async () => {
  const title = '<img src=x onerror="document.title=1"> \u202eevil שלום';
  const workstreams = [
    { id: 'good', title, steps: [{ run: 'true' }] },
    { id: 'bad', steps: [{ run: 'echo "<b>no such table</b>" >&2; exit 3' }] },
  ];
  const folder = gatedFolder(workstreams, []);
  const first = await millrace(folder, ['run', '--json']);
  await millrace(folder, ['run']);
  const { run, errors }: { run: { runId: string }; errors: { id: string }[] } = JSON.parse(first.stdout);
  const { address } = await startDashboard(folder);
  const { page, problems } = await openAddress(address);
  const views: [fragment: string, what: RegExp][] = [
    ['#/workstreams', /1 failed in their last run/],
    ['#/workstreams/good', /<img src=x .* completed in its last run/],
    ['#/workstreams/bad', /bad failed in its last run/],
    ['#/patterns', /1 error pattern/],
    [`#/patterns/${errors[0]?.id}`, /<b>no such table/],
    ['#/trends', /./],
    ['#/tools', /No coding agent was used/],
    [`#/run/${run.runId}/workstream/bad`, /bad failed/],
  ];
  for (const [fragment, what] of views) {
    await visit(page, fragment);
    await heading(page, what);
    expect(await page.locator('main img, main b b').count(), fragment).toBe(0);
    expect(await accessibilityProblems(page), fragment).toEqual([]);
  }
  await page.getByRole('link', { name: 'Over all runs' }).first().click();
  await heading(page, /bad failed in its last run/);
  await page.getByRole('link', { name: run.runId }).last().click();
  await heading(page, /bad failed/);
  expect(problems).toEqual([]);
});

browserTest('the end of a log of 100 MB is followed, and searched, without holding the rest', async () => {
  const print = "head -c 100000000 /dev/zero | tr '\\0' x | fold -w 99; echo; echo all is printed";
  const folder = gatedFolder(
    [{ id: 'a', steps: [{ run: `${print}; cat gate-a; echo and more; cat gate-a` }] }],
    ['a'],
  );
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a']);
  const { page } = await openAddress(address);
  await visit(page, `#/run/${run.runId}/log/a`);
  await page.getByText('all is printed').waitFor();
  await letEnd(folder, 'a', 7);
  await page.getByText('and more').waitFor();
  expect(await page.locator('.ll').count()).toBeLessThan(200);
  await page.getByLabel('Search in what is loaded').fill('all is');
  await page.getByText('1 line', { exact: true }).waitFor();
  await letEnd(folder, 'a');
  await page.getByText('Nothing more is printed').waitFor();
});

browserTest('what all workstreams print is followed, each line with the name of its workstream', async () => {
  const lines = (id: string): object => ({
    id,
    steps: [{ run: `seq 12; echo ${id} waits; cat gate-${id}; echo ${id} goes on` }],
  });
  const folder = gatedFolder([lines('a'), lines('b'), lines('c')], ['a', 'b', 'c']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a', 'b', 'c']);
  const { page, problems } = await openAddress(address);
  await visit(page, `#/run/${run.runId}`);
  await page.getByRole('main').getByRole('link', { name: 'All logs' }).click();
  const box = page.getByRole('region', { name: 'Logs of all workstreams' });
  for (const id of ['a', 'b', 'c']) await box.getByText(`${id} ${id} waits`, { exact: true }).waitFor();
  await box.focus();
  await press(page, 'Home', page.getByText('Not following'));
  // A browser scrolls there in steps.
  const top = (): Promise<number> => box.evaluate((element) => element.scrollTop);
  await expect.poll(top).toBe(0);
  await letEnd(folder, 'b', 7);
  await page.getByRole('button', { name: 'To the end: 1 new line' }).waitFor();
  expect(await top()).toBe(0);
  await press(page, 'End', box.getByText('b 7b goes on', { exact: true }));
  await page.getByText('Following', { exact: true }).waitFor();
  await page.getByLabel('Search in what is loaded').fill('c waits');
  await page.getByText('1 line', { exact: true }).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  for (const id of ['a', 'c']) await letEnd(folder, id);
  await page.getByText('Nothing more is printed').waitFor();
  expect(problems).toEqual([]);
});

async function fiftyWindows(): Promise<void> {
  const folder = gatedFolder([gated('a'), gated('b')], ['a', 'b']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a', 'b']);
  const { page } = await openAddress(address);
  await heading(page, /under way/);
  page.context().setDefaultTimeout(FIFTY_MS);
  const windows = await Promise.all(Array.from({ length: 50 }, () => page.context().newPage()));
  for (const each of windows) await each.goto(`${new URL(address).origin}/#/run/${run.runId}`);
  await Promise.all(windows.map((each) => heading(each, /0 of 2 have ended/)));
  await letEnd(folder, 'a');
  await Promise.all(windows.map((each) => heading(each, /1 of 2 have ended/)));
  // The one that held the stream is closed, and another takes it over.
  await windows[0]?.close();
  await letEnd(folder, 'b');
  await Promise.all(windows.slice(1).map((each) => heading(each, /All 2 workstreams completed/)));
}

/** A busy machine needs a minute to open fifty windows. */
const FIFTY_MS = 240_000;
browserTest('fifty windows are all told what happens, and none waits for an answer', fiftyWindows, FIFTY_MS);

/** Presses a key, and waits for what a person would see of it before the next one. */
async function press(page: Page, key: string, seen: Locator): Promise<void> {
  await page.keyboard.press(key);
  await seen.waitFor();
}

browserTest('keys lead through the dashboard, and Back leads back', async () => {
  const folder = gatedFolder([{ id: 'a', steps: [{ run: 'true' }] }], []);
  await millrace(folder, ['run']);
  const { address } = await startDashboard(folder);
  const { page } = await openAddress(address);
  const list = page.getByRole('heading', { level: 1, name: /completed its only/ });
  const run = page.getByRole('heading', { level: 1, name: /a completed/ });
  await page.locator('[data-move]').first().waitFor();
  await press(page, '?', page.getByRole('dialog'));
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await press(page, 'j', page.locator('[data-move]:focus'));
  await press(page, 'Enter', run);
  await press(page, 'Escape', list);
  // At once, although the focus is to go back to the row that was left.
  await press(page, '/', page.locator('input:focus'));
  await page.keyboard.type('nothing of this name');
  await page.getByText('Nothing matches.').waitFor();
  await page.goBack();
  await run.waitFor();
});

/** Makes what is gathered for the address come due when a test says so. */
const HELD_CHANGES = `
globalThis.changes = [];
const later = globalThis.setTimeout;
globalThis.setTimeout = (callback, ms, ...rest) =>
  ms === 250 ? globalThis.changes.push(callback) : later(callback, ms, ...rest);`;

browserTest('Back leads back also where letters come into the address while it is under way', async () => {
  const folder = gatedFolder([{ id: 'a', steps: [{ run: 'true' }] }], []);
  await millrace(folder, ['run']);
  const { address } = await startDashboard(folder);
  const { page } = await openAddress(address);
  await heading(page, /completed its only/);
  await page.getByRole('link', { name: 'Workstreams' }).click();
  await heading(page, /passed in its last run|Every workstream/);
  await page.evaluate(HELD_CHANGES);
  await page.getByLabel('Filter by id or title').fill('nothing');
  await page.evaluate('history.back(); for (const change of globalThis.changes) change()');
  await heading(page, /completed its only/);
  await page.goForward();
  await heading(page, /No workstream matches|Every workstream/);
  expect(await page.getByLabel('Filter by id or title').inputValue()).toBe('nothing');
});

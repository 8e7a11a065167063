/** What all workstreams of a run print, in a browser whose connection is lost meanwhile. */
import type { Locator, Page, Route } from 'playwright-core';
import { expect } from 'vitest';
import { browserTest, openAddress } from '../kit/chromium.ts';
import { millrace } from '../kit/command.ts';
import { gatedFolder, letEnd, runUntil, startDashboard } from '../kit/dashboard.ts';

/** Prints a few lines, then as many as its second gate is opened for, and waits at a third one. */
const printing = (id: string, lines: number): object => ({
  id,
  steps: [
    {
      run: `seq -f '${id} before %g' 3; cat ${gate(id, 1)}; seq -f '${id} meanwhile %g' ${lines}; cat ${gate(id, 2)}; echo ${id} after`,
    },
  ],
});
const gate = (id: string, number: number): string => `gate-${id}${number}`;

/** The lines of a log that are drawn: those at the end of what is held. */
const linesOf = async (box: Locator, id: string): Promise<string[]> => {
  const all = await box.innerText();
  return [...all.matchAll(new RegExp(`${id} (?:before|meanwhile|after)(?: \\d+)?`, 'g'))].map(
    ([line]) => line,
  );
};

const numbered = (text: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${text} ${from + index}`);

/** Opens the logs of a run, and waits until the first lines of these workstreams are there. */
async function openLogs(address: string, runId: string, ids: readonly string[]) {
  const { page, problems } = await openAddress(address);
  await page.setViewportSize({ width: 1280, height: 6_000 });
  await page.goto(`${new URL(address).origin}/#/run/${runId}/logs`);
  const box = page.getByRole('region', { name: 'Logs of all workstreams' });
  for (const id of ids) await box.getByText(`${id} before 3`).waitFor();
  await page.getByText('Following', { exact: true }).waitFor();
  return { page, box, problems };
}

/** How many of the lines that are held have these words. */
async function found(page: Page, words: string, lines: string): Promise<void> {
  await page.getByLabel('Search in what is loaded').fill(words);
  await page.getByText(lines, { exact: true }).waitFor();
}

/** A dashboard that is away until it is started again, at the same address. */
async function awayFrom(dashboard: Awaited<ReturnType<typeof startDashboard>>, page: Page, folder: string) {
  const { port, hash } = new URL(dashboard.address);
  dashboard.killAll();
  await dashboard.finished;
  await page.getByText('Not connected; trying again.').waitFor();
  await page.getByText('The connection is lost, and is being made again').waitFor();
  return () => startDashboard(folder, port, hash.replace('#token=', ''));
}

const printed = (folder: string, id: string, line: string): Promise<void> =>
  expect
    .poll(async () => (await millrace(folder, ['logs', id])).stdout, { timeout: 60_000 })
    .toContain(line)
    .then(() => undefined);

browserTest('what was printed while there was no connection is shown once, and all of it', async () => {
  const ids = ['few', 'many'];
  const folder = gatedFolder(
    [printing('few', 4), printing('many', 200)],
    ids.flatMap((id) => [`${id}1`, `${id}2`]),
  );
  const first = await startDashboard(folder);
  const run = await runUntil(folder, ids);
  const { page, box, problems } = await openLogs(first.address, run.runId, ids);
  const comeBack = await awayFrom(first, page, folder);
  for (const id of ids) await letEnd(folder, `${id}1`);
  await printed(folder, 'many', 'many meanwhile 200');
  await comeBack();
  await box.getByText('many meanwhile 200').waitFor();
  await box.getByText('few meanwhile 4').waitFor();
  await page.getByText('Following', { exact: true }).waitFor();
  for (const id of ids) await letEnd(folder, `${id}2`);
  await page.getByText('Nothing more is printed').waitFor();
  for (const [id, lines] of [
    ['few', 4],
    ['many', 200],
  ] as const)
    expect(await linesOf(box, id)).toEqual([
      ...numbered(`${id} before`, 1, 3),
      ...numbered(`${id} meanwhile`, 1, lines),
      `${id} after`,
    ]);
  await found(page, 'left out', 'Nothing matches.');
  await found(page, 'many meanwhile 200', '1 line');
  expect(problems.filter((each) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE/.test(each))).toEqual([]);
});

browserTest('the logs of a run that was killed and resumed meanwhile go on with what is new', async () => {
  const folder = gatedFolder(
    [printing('done', 4), printing('again', 150)],
    ['done1', 'done2', 'again1', 'again2'],
  );
  const first = await startDashboard(folder);
  const run = await runUntil(folder, ['done', 'again']);
  const { page, box } = await openLogs(first.address, run.runId, ['done', 'again']);
  const comeBack = await awayFrom(first, page, folder);
  for (const gate of ['done1', 'done2']) await letEnd(folder, gate);
  await printed(folder, 'done', 'done after');
  await run.line((text) => text.includes('"event":"workstream-finished"'));
  run.killAll();
  await run.finished;
  await runUntil(folder, ['again'], ['--resume']);
  await letEnd(folder, 'again1');
  await printed(folder, 'again', 'again meanwhile 150');
  await comeBack();
  await box.getByText('again meanwhile 150').waitFor();
  await letEnd(folder, 'again2');
  await page.getByText('Nothing more is printed').waitFor();
  expect(await linesOf(box, 'done')).toEqual([
    ...numbered('done before', 1, 3),
    ...numbered('done meanwhile', 1, 4),
    'done after',
  ]);
  // What was running began again.
  expect(await linesOf(box, 'again')).toEqual([
    ...numbered('again before', 1, 3),
    ...numbered('again before', 1, 3),
    ...numbered('again meanwhile', 1, 150),
    'again after',
  ]);
});

browserTest('the logs of a run that is resumed while they are open go on with what is new', async () => {
  const folder = gatedFolder([printing('again', 150)], ['again1', 'again2']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['again']);
  const { page, box } = await openLogs(address, run.runId, ['again']);
  run.killAll();
  await page.getByText('Nothing more is printed').waitFor();
  await runUntil(folder, ['again'], ['--resume']);
  for (const gate of ['again1', 'again2']) await letEnd(folder, gate);
  await box.getByText('again after').waitFor();
  await page.getByText('Nothing more is printed').waitFor();
  expect(await linesOf(box, 'again')).toEqual([
    ...numbered('again before', 1, 3),
    ...numbered('again before', 1, 3),
    ...numbered('again meanwhile', 1, 150),
    'again after',
  ]);
});

browserTest('the log of one workstream says that its connection is lost, and goes on', async () => {
  const folder = gatedFolder([printing('one', 4)], ['one1', 'one2']);
  const first = await startDashboard(folder);
  const run = await runUntil(folder, ['one']);
  const { page } = await openAddress(first.address);
  await page.goto(`${new URL(first.address).origin}/#/run/${run.runId}/log/one`);
  const box = page.getByRole('region', { name: 'Log of one' });
  await box.getByText('one before 3').waitFor();
  const comeBack = await awayFrom(first, page, folder);
  await letEnd(folder, 'one1');
  await comeBack();
  await box.getByText('one meanwhile 4').waitFor();
  await letEnd(folder, 'one2');
  await page.getByText('Nothing more is printed').waitFor();
  expect(await linesOf(box, 'one')).toEqual([
    ...numbered('one before', 1, 3),
    ...numbered('one meanwhile', 1, 4),
    'one after',
  ]);
});

/** Opens the log of one workstream, and waits until it has this line. */
async function openLog(address: string, runId: string, id: string, line: string) {
  const { page } = await openAddress(address);
  await page.goto(`${new URL(address).origin}/#/run/${runId}/log/${id}`);
  const box = page.getByRole('region', { name: `Log of ${id}` });
  await box.getByText(line, { exact: true }).waitFor();
  await page.getByText(/^Following/).waitFor();
  return { page, box };
}

/** Prints more, between its first gate and its second, than what a log is begun with. */
const printingMuch = (id: string): object => ({
  id,
  steps: [
    {
      run: `echo ${id} first; cat ${gate(id, 1)}; seq -f '${id} line %05g ${'.'.repeat(60)}' 2000; cat ${gate(id, 2)}; echo ${id} after`,
    },
  ],
});

browserTest('the log of one workstream goes on where it was when its run is resumed', async () => {
  const folder = gatedFolder([printingMuch('big')], ['big1', 'big2']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['big']);
  const { page, box } = await openLog(address, run.runId, 'big', 'big first');
  await letEnd(folder, 'big1');
  await box.getByText('big line 02000').waitFor();
  run.killAll();
  await page.getByText('Nothing more is printed').waitFor();
  // What is being read stays where it is.
  await box.evaluate((element) => (element.scrollTop = 900));
  await page.getByText('To the end', { exact: true }).waitFor();
  await runUntil(folder, ['big'], ['--resume']);
  await page.getByText('Not following').waitFor();
  for (const gate of ['big1', 'big2']) await letEnd(folder, gate);
  await page.getByText('Nothing more is printed').waitFor();
  expect(await box.evaluate((element) => element.scrollTop)).toBe(900);
  await found(page, 'big first', '2 lines');
  await found(page, 'big line 02000', '2 lines');
  await found(page, 'big line', '4\u202f000 lines');
  await found(page, 'big after', '1 line');
  await found(page, 'begins anew', 'Nothing matches.');
});

/** Prints, and ends as its gate says, again and again. */
const triedAgain = (id: string): object => ({
  id,
  circuit_breaker: { max_attempts: 3 },
  steps: [
    {
      run: `n=$(($(cat tries 2>/dev/null || echo 0) + 1)); echo $n > tries; seq -f '${id} try-'$n' line %g' 3000; exit $(cat gate-${id})`,
    },
  ],
});

browserTest('the log of another attempt takes the place of the one before, and says so', async () => {
  const folder = gatedFolder([triedAgain('one')], ['one']);
  const first = await startDashboard(folder);
  const run = await runUntil(folder, ['one']);
  const { page, box } = await openLog(first.address, run.runId, 'one', 'one try-1 line 3000');
  await letEnd(folder, 'one', 3);
  await box.getByText('one try-2 line 3000').waitFor();
  await found(page, 'begins anew: another attempt', '1 line');
  await found(page, 'try-1', 'Nothing matches.');
  await found(page, 'try-2', '3\u202f000 lines');
  // The next one is of the same size, and begins while there is no connection.
  const comeBack = await awayFrom(first, page, folder);
  await letEnd(folder, 'one', 3);
  await printed(folder, 'one', 'one try-3 line 3000');
  await comeBack();
  await page.getByRole('button', { name: 'To the end' }).click();
  await box.getByText('one try-3 line 3000').waitFor();
  await letEnd(folder, 'one');
  await page.getByText('Nothing more is printed').waitFor();
  await found(page, 'begins anew: another attempt', '1 line');
  await found(page, 'try-2', 'Nothing matches.');
  await found(page, 'one try-3 line 3000', '1 line');
});

browserTest('a log is said to be followed once it is, and not before', async () => {
  const folder = gatedFolder([printing('one', 4)], ['one1', 'one2']);
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['one']);
  const { page } = await openAddress(address);
  const held: Route[] = [];
  await page.route(/\/logs(?:\/|$)/, (route) => void held.push(route));
  for (const view of ['log/one', 'logs']) {
    await page.goto(`${new URL(address).origin}/#/run/${run.runId}/${view}`);
    await expect.poll(() => held.length).toBeGreaterThan(0);
    await page.getByText('Connecting', { exact: true }).waitFor();
    for (const route of held.splice(0)) await route.continue();
    await page.getByText(/^Following/).waitFor();
  }
});

/** What all workstreams of a run print, in a browser whose connection is lost meanwhile. */
import type { Locator } from 'playwright-core';
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

browserTest(
  'what was printed while there was no connection is shown once, and what is left out is said',
  async () => {
    const ids = ['few', 'many'];
    const folder = gatedFolder(
      [printing('few', 4), printing('many', 200)],
      ids.flatMap((id) => [`${id}1`, `${id}2`]),
    );
    const first = await startDashboard(folder);
    const run = await runUntil(folder, ids);
    const { page, problems } = await openAddress(first.address);
    await page.setViewportSize({ width: 1280, height: 6_000 });
    await page.goto(`${new URL(first.address).origin}/#/run/${run.runId}/logs`);
    const box = page.getByRole('region', { name: 'Logs of all workstreams' });
    for (const id of ids) await box.getByText(`${id} before 3`).waitFor();
    const { port, hash } = new URL(first.address);
    first.killAll();
    await first.finished;
    await page.getByText('Not connected; trying again.').waitFor();
    for (const id of ids) await letEnd(folder, `${id}1`);
    await expect
      .poll(async () => (await millrace(folder, ['logs', 'many'])).stdout, { timeout: 60_000 })
      .toContain('many meanwhile 200');
    await startDashboard(folder, port, hash.replace('#token=', ''));
    await box.getByText('many meanwhile 200').waitFor();
    await box.getByText('few meanwhile 4').waitFor();
    for (const id of ids) await letEnd(folder, `${id}2`);
    await page.getByText('Nothing more is printed').waitFor();
    expect(await linesOf(box, 'few')).toEqual([
      ...numbered('few before', 1, 3),
      ...numbered('few meanwhile', 1, 4),
      'few after',
    ]);
    // It began again with the last lines of each log.
    const drawn = await linesOf(box, 'many');
    const from = Number(/\d+$/.exec(drawn.find((line) => line.includes('meanwhile')) ?? '')?.[0]);
    expect(drawn.filter((line) => !line.includes('before'))).toEqual([
      ...numbered('many meanwhile', from, 200),
      'many after',
    ]);
    const found = page.getByLabel('Search in what is loaded');
    for (const [text, lines] of [
      ['many before 1', '1 line'],
      ['many meanwhile 200', '1 line'],
      ['were left out here', '1 line'],
    ] as const) {
      await found.fill(text);
      await page.getByText(lines, { exact: true }).waitFor();
    }
    expect(problems.filter((each) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE/.test(each))).toEqual([]);
  },
);

/** All views of the dashboard in all their states: accessible, and laid out, in every width and in light and dark. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { parsePlace, SECTIONS } from '../../src/web/model/place.ts';
import { accessibilityProblems, browserTest, drawn, openAddress } from '../kit/chromium.ts';
import { type Served, served, TOKEN } from '../kit/dashboard-server.ts';
import { opened } from '../kit/recorded-run.ts';
import { oddId, recordEnded, recordLive, SHOWN, writeLog } from '../kit/shown-runs.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { layoutProblems } from './layout.ts';
import { nameOf, type ShownView, VIEWS } from './views.ts';

/** A busy machine needs long for axe-core in so many pages. */
const LONG_MS = 240_000;

const WIDTHS = [360, 768, 1280, 2560];

/** Where axe-core is run, which takes 0.3 s for each state: 768 and 2560 px have the colours of these. */
const INSPECTED = [
  [360, 'light'],
  [360, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
] as const;

interface Shown {
  dashboard: Served;
  page: Page;
}

/** A window on a dashboard with runs of every kind, or on an empty one. */
async function show(isEmpty = false): Promise<Shown> {
  const folder = temporaryFolder();
  const connection = opened(folder);
  if (!isEmpty) {
    recordEnded(connection);
    recordLive(connection);
    writeLog(folder, 'mixed', 'ws-users-index', `Index the users\n${'a long line '.repeat(60)}\nשלום\n`);
    writeLog(folder, 'live', 'ws-orders-merge', 'row 1\nrow 2\n');
    writeLog(folder, 'oddTitles', oddId(1), 'x\n');
  }
  const dashboard = await served(folder);
  const { page } = await openAddress(`${dashboard.address}/#token=${TOKEN}`);
  await page.getByRole('heading', { level: 1, name: /under way|No runs/ }).waitFor();
  return { dashboard, page };
}

/** Goes to a view, from where no dialog of another is open. */
async function visit(page: Page, { fragment, heading, act }: ShownView): Promise<void> {
  await page.evaluate(() => {
    for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  });
  await page.evaluate((hash) => void (location.hash = hash), fragment);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await act?.(page);
}

/** A line for each fault of the view as it is now. */
async function problemsOf(page: Page): Promise<string[]> {
  const problems: string[] = [];
  const note = (where: string, found: readonly string[]): void =>
    void problems.push(...found.map((each) => `${where}: ${each}`));
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await drawn(page);
    note(`${width} px`, await layoutProblems(page));
  }
  for (const [width, colorScheme] of INSPECTED) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await drawn(page);
    note(`${colorScheme}, ${width} px`, await accessibilityProblems(page));
  }
  return problems;
}

browserTest('each kind of fault of a layout is found', async () => {
  const { page } = await show(true);
  const faults: [markup: string, found: RegExp][] = [
    ['<p style="width:4000px">wide</p>', /wider than its window/],
    ['<p style="width:30px;overflow:hidden;white-space:nowrap">cut without a sign</p>', /is cut by/],
    ['<p style="width:30px;white-space:nowrap">longer than its box</p>', /sticks out of/],
    ['<p>one</p><p style="margin-top:-2em">two</p>', /lie over each other/],
    [
      '<svg width="90" height="20"><text x="0" y="15">0.001</text><text x="9" y="15">0.003</text></svg>',
      /over each/,
    ],
  ];
  for (const [markup, found] of faults) {
    await page.evaluate((text) => {
      const place = document.createElement('div');
      const parsed = new DOMParser().parseFromString(text, 'text/html');
      for (const each of parsed.querySelectorAll<HTMLElement>('[style]')) {
        const style = each.getAttribute('style') ?? '';
        each.removeAttribute('style');
        each.style.cssText = style;
      }
      place.append(...parsed.body.children);
      document.querySelector('main')?.replaceChildren(place);
    }, markup);
    expect((await layoutProblems(page)).join(), markup).toMatch(found);
  }
});

test('each entry is of the view that it is listed under', () => {
  for (const [name, views] of Object.entries(VIEWS))
    for (const { fragment } of views) expect(nameOf(parsePlace(fragment, true).view), fragment).toBe(name);
});

browserTest('the walk sees every section of a run', async () => {
  const { page } = await show();
  const seen = new Set<string>();
  for (const view of VIEWS.run) {
    await visit(page, view);
    for (const id of await page.locator('section[id]').evaluateAll((all) => all.map(({ id: each }) => each)))
      seen.add(id);
  }
  expect(SECTIONS.filter((section) => !seen.has(section))).toEqual([]);
});

for (const [name, views] of Object.entries(VIEWS))
  browserTest(
    `${name}: accessible and laid out in every state`,
    async () => {
      const { page } = await show();
      const problems: string[] = [];
      for (const view of views) {
        await visit(page, view);
        for (const each of await problemsOf(page)) problems.push(`${view.fragment} at ${each}`);
      }
      expect(problems).toEqual([]);
    },
    LONG_MS,
  );

browserTest(
  'lists without an entry are accessible and laid out',
  async () => {
    const { page } = await show(true);
    for (const name of ['runs', 'workstreams', 'patterns', 'trends', 'tools']) {
      await visit(page, { fragment: `#/${name}`, heading: /^No |^There |^Too few|^0 / });
      expect(await problemsOf(page), name).toEqual([]);
    }
  },
  LONG_MS,
);

browserTest(
  'what is shown when the server is gone is accessible and laid out',
  async () => {
    const { page, dashboard } = await show();
    await visit(page, { fragment: `#/run/${SHOWN.live}`, heading: /12 of 24 have ended/ });
    await dashboard.close();
    await page.getByText('Not connected; trying again.').waitFor();
    expect(await problemsOf(page), 'a run that was there').toEqual([]);
    for (const fragment of [`#/run/${SHOWN.mixed}`, '#/workstreams', '#/runs']) {
      await visit(page, { fragment, heading: /./ });
      expect(await problemsOf(page), fragment).toEqual([]);
    }
  },
  LONG_MS,
);

browserTest('the address of a section leads to it, also where its run is still to be loaded', async () => {
  const { page } = await show();
  // The last sections can't be at the top of the window.
  const isInView = (id: string): Promise<boolean> =>
    page.evaluate((name) => {
      const top = document.getElementById(name)?.getBoundingClientRect().top ?? -1;
      return scrollY > 0 && top >= 0 && top < innerHeight;
    }, id);
  for (const [run, section] of [
    ['mixed', 'timeline'],
    ['sweep', 'environment'],
    ['live', 'timeline'],
  ] as const) {
    const fragment = `#/run/${SHOWN[run]}/${section}`;
    await page.evaluate(() => void (location.hash = '#/patterns'));
    await page.getByRole('heading', { level: 1, name: /error/ }).waitFor();
    await page.evaluate((hash) => void (location.hash = hash), fragment);
    await expect.poll(() => isInView(section), { message: fragment }).toBe(true);
    await page.reload();
    await expect.poll(() => isInView(section), { message: `${fragment} after a reload` }).toBe(true);
  }
});

/** What a reader does with the page, in a browser. */
import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { accessibilityProblems, browserTest, drawn, openFile } from '../kit/chromium.ts';
import { skipped } from '../kit/recorded-run.ts';
import { missingModule, pageFile, resultAt } from './page-file.ts';

const NO_CONSTRAINTS = { dependsOn: [], conflictGroup: null, scopes: [], parallelOk: true, gate: null };

const small = () =>
  pageFile([
    resultAt('ws-login', 0),
    missingModule('ws-gateway', 1, 'agent-2'),
    missingModule('ws-admin', 2),
    resultAt('ws-mail', 4, { metadata: { title: 'Send mail', output: { sent: 3 } } }),
    resultAt('ws-last', 99),
  ]);

async function open(fragment = '', options = {}): Promise<Page> {
  const { page } = await openFile(small(), options);
  await page.getByRole('heading', { level: 1 }).waitFor();
  if (fragment !== '') await page.evaluate((to) => location.assign(to), fragment);
  return page;
}

const rowsOf = (page: Page): Promise<string[]> => page.locator('#done tbody .title').allTextContents();
const hash = (page: Page): Promise<string> => page.evaluate(() => location.hash);
const focused = (page: Page): Promise<string> =>
  page.evaluate(
    () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
  );
const heading = (page: Page) => page.getByRole('heading', { level: 1 });

describe('search', () => {
  browserTest('what is typed filters the table and is in the address', async () => {
    const page = await open();
    await page.keyboard.press('/');
    await page.keyboard.type('mail');
    await expect.poll(() => rowsOf(page)).toEqual(['Send mail']);
    await expect.poll(() => hash(page)).toBe('#/?q=mail');
  });

  browserTest('Enter on what was found opens it', async () => {
    const page = await open();
    await page.keyboard.press('/');
    await page.keyboard.type('gateway');
    await page.getByRole('option', { name: 'gateway' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => heading(page).textContent()).toBe('Title of ws-gateway failed.');
    expect(await hash(page)).toContain('#/workstream/ws-gateway');
  });

  browserTest('what matches nothing is said, and everything can be shown again', async () => {
    const page = await open('#/done?q=zebra');
    await page.getByText('Nothing matches.').waitFor();
    await page.getByRole('button', { name: 'Show all 5' }).click();
    await expect.poll(() => rowsOf(page)).toHaveLength(5);
  });
});

describe('the address', () => {
  browserTest('an address with filters and an order opens as it was sent', async () => {
    const page = await open('#/done?state=completed&sort=-title');
    await expect.poll(() => rowsOf(page)).toEqual(['Title of ws-login', 'Title of ws-last', 'Send mail']);
    expect(await page.getByRole('button', { name: 'Completed 3' }).getAttribute('aria-pressed')).toBe('true');
  });

  browserTest('Back undoes a filter, and leads from a workstream to the run', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Failed 2' }).click();
    await expect.poll(() => rowsOf(page)).toHaveLength(2);
    await page.getByRole('link', { name: 'Title of ws-admin' }).click();
    await expect.poll(() => heading(page).textContent()).toBe('Title of ws-admin failed.');
    await page.goBack();
    await expect.poll(() => rowsOf(page)).toHaveLength(2);
    await page.goBack();
    await expect.poll(() => rowsOf(page)).toHaveLength(5);
    await page.goForward();
    await expect.poll(() => rowsOf(page)).toHaveLength(2);
  });

  browserTest('a workstream that is not there is no error', async () => {
    const page = await open('#/workstream/gone');
    await expect.poll(() => heading(page).textContent()).toBe('No workstream gone on this page.');
    await page.getByRole('link', { name: 'To the run' }).click();
    await expect.poll(() => heading(page).textContent()).toBe('2 of 5 workstreams failed, with 1 error.');
  });
});

describe('keys', () => {
  browserTest('j and k move among cards and rows, and Enter opens', async () => {
    const page = await open();
    await page.keyboard.press('j');
    expect(await focused(page)).toContain('Cannot find module');
    await page.keyboard.press('j');
    expect(await focused(page)).toContain('ws-gateway');
    await page.keyboard.press('k');
    expect(await focused(page)).toContain('Cannot find module');
    await page.keyboard.press('Enter');
    await expect.poll(() => hash(page)).toContain('#/pattern/');
    await page.keyboard.press('Escape');
    await expect.poll(() => heading(page).textContent()).toContain('2 of 5');
  });

  for (const way of ['Escape', 'Back'])
    browserTest(`${way} leads back to the row that was left`, async () => {
      const page = await open('#/done');
      const rows = page.locator('#done tr[data-move]');
      await rows.nth(2).focus();
      const left = await focused(page);
      await page.keyboard.press('Enter');
      await expect.poll(() => hash(page)).toContain('#/workstream/');
      await (way === 'Back' ? page.goBack() : page.keyboard.press('Escape'));
      await expect.poll(() => hash(page)).toContain('#/done');
      await expect.poll(() => focused(page)).toBe(left);
    });

  browserTest('o opens a row in place, and the address says which', async () => {
    const page = await open();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('o');
    await page.locator('.exp').getByText('ended with exit code 1').waitFor();
    await expect.poll(() => hash(page)).toBe('#/?open=ws-gateway');
    await page.keyboard.press('o');
    await expect.poll(() => page.locator('.exp').count()).toBe(0);
  });

  browserTest('? lists the keys, and Escape closes the list', async () => {
    const page = await open();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  browserTest('a key that is pressed before the closed list has lost the focus counts', async () => {
    const page = await open();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.evaluate(() => {
      const dialog = document.querySelector('dialog');
      dialog?.close();
      const key = new KeyboardEvent('keydown', { key: 'j', bubbles: true, cancelable: true });
      dialog?.querySelector('button')?.dispatchEvent(key);
    });
    await page.locator('[data-move]:focus').waitFor();
  });

  browserTest('the list opens that is asked for before the closed one has said so', async () => {
    const page = await open();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.evaluate(() => {
      document.querySelector('dialog')?.close();
      const key = new KeyboardEvent('keydown', { key: '?', bubbles: true, cancelable: true });
      document.body.dispatchEvent(key);
    });
    await drawn(page);
    expect(await page.getByRole('dialog').count()).toBe(1);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  browserTest('a letter that is typed in a field is no command', async () => {
    const page = await open();
    await page.keyboard.press('/');
    await page.keyboard.type('j?o');
    expect(await page.getByRole('combobox').inputValue()).toBe('j?o');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});

describe('copying', () => {
  const permissions = { permissions: ['clipboard-read', 'clipboard-write'] };
  const clipboard = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

  browserTest('c copies the command of the card, and p its prompt', async () => {
    const page = await open('', permissions);
    await page.keyboard.press('j');
    await page.keyboard.press('c');
    await expect.poll(() => clipboard(page)).toBe('millrace run ws-gateway ws-admin');
    await page.keyboard.press('p');
    await expect.poll(() => clipboard(page)).toContain('Find the cause and fix it.');
  });

  browserTest('the table is copied as CSV, with the rows that are asked for', async () => {
    const page = await open('#/done?state=failed', permissions);
    await page.locator('#done').getByRole('button', { name: 'Copy CSV' }).click();
    await expect
      .poll(() => clipboard(page))
      .toBe(
        'State,Workstream,Id,Agent,Attempts,Took,What came of it\r\n' +
          'failed,Title of ws-gateway,ws-gateway,agent-2,1,1,exit-non-zero: `npm test` ended with exit code 1.\r\n' +
          'failed,Title of ws-admin,ws-admin,agent-1,1,1,exit-non-zero: `npm test` ended with exit code 1.\r\n',
      );
  });
});

describe('the timeline', () => {
  const time = async (page: Page): Promise<string> =>
    new URLSearchParams((await hash(page)).split('?')[1]).get('t') ?? '';

  browserTest('zooming shows a part of the run, and the address says which', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Zoom in' }).click();
    await expect.poll(() => time(page)).toBe('25-75');
    await page.getByRole('button', { name: 'Zoom out' }).click();
    await expect.poll(() => time(page)).toBe('');
  });

  browserTest('the wheel zooms around the pointer where Ctrl is held', async () => {
    const page = await open();
    const chart = page.locator('.tl-box');
    await chart.scrollIntoViewIfNeeded();
    await chart.hover();
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -100);
    await page.keyboard.up('Control');
    await expect.poll(() => time(page)).not.toBe('');
  });

  browserTest('a part can be moved by dragging', async () => {
    const page = await open('#/?t=25-75');
    const chart = page.locator('.tl-box');
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    if (box === null) throw new Error('the timeline is not drawn');
    await page.mouse.move(box.x + 600, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 300, box.y + 40, { steps: 4 });
    await page.mouse.up();
    await expect.poll(async () => Number((await time(page)).split('-')[0])).toBeGreaterThan(30);
  });

  browserTest('arrow keys move from one execution to the next, and Enter opens it', async () => {
    const page = await open();
    await page.locator('.tl-box').focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.hover').getByText('Title of ws-login').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.locator('.hover').getByText('Title of ws-gateway').waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => heading(page).textContent()).toBe('Title of ws-gateway failed.');
  });

  browserTest('everything in it is in its table', async () => {
    const page = await open();
    await page.getByRole('group', { name: 'Timeline as' }).getByRole('button', { name: 'Table' }).click();
    expect(await page.locator('#timeline tbody tr').count()).toBe(5);
  });
});

describe('the graph', () => {
  /** One failure that holds back 200. */
  const heldBack = (): string =>
    pageFile([
      missingModule('ws-root', 0),
      ...Array.from({ length: 200 }, (_, index) =>
        skipped(`ws-${index}`, {
          explanation: 'It needs "ws-root", which failed.',
          metadata: { constraints: { ...NO_CONSTRAINTS, dependsOn: [{ id: 'ws-root', when: 'completed' }] } },
        }),
      ),
    ]);

  browserTest('what is alike is one box, which keys unfold in a box that scrolls', async () => {
    const { page } = await openFile(heldBack());
    const graph = page.getByRole('region', { name: 'Graph of dependencies' });
    await graph.getByRole('link', { name: /^ws-root, failed/ }).waitFor();
    expect(await graph.getByRole('link').count()).toBe(6);
    await graph.getByRole('link', { name: '196 more skipped: show' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => graph.getByRole('link').count()).toBe(150);
    expect(await focused(page)).toBe('Graph of dependencies');
    expect((await graph.boundingBox())?.height).toBeLessThan(600);
    const last = graph.getByRole('link').last();
    await last.focus();
    expect(await last.evaluate((link) => link.getBoundingClientRect().bottom <= innerHeight)).toBe(true);
    await page.getByRole('button', { name: 'Only what tells' }).click();
    await expect.poll(() => graph.getByRole('link').count()).toBe(6);
    await page.getByRole('group', { name: 'Graph as' }).getByRole('button', { name: 'Table' }).click();
    expect(await page.locator('#graph .box table').getAttribute('aria-rowcount')).toBe('202');
  });
});

describe('texts of workstreams', () => {
  browserTest('what stands between backticks is shown as code, and as text', async () => {
    const explanation = '`<b>npm</b> test` ended with exit code 1.';
    const { page } = await openFile(
      pageFile([
        { ...missingModule('ws-one', 0), explanation, pattern: null, metadata: resultAt('x', 0).metadata },
      ]),
    );
    const cell = page.locator('#done td.out');
    await cell.waitFor();
    expect(await cell.locator('code').textContent()).toBe('<b>npm</b> test');
    expect(await cell.textContent()).toBe('<b>npm</b> test ended with exit code 1.');
  });
});

describe('dark and light', () => {
  const ground = (page: Page): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);

  browserTest('the page follows the system, and the switch changes it', async () => {
    const page = await open('', { colorScheme: 'dark' });
    const dark = await ground(page);
    await page.getByRole('button', { name: 'Dark or light' }).click();
    await expect.poll(() => ground(page)).not.toBe(dark);
    await page.keyboard.press('d');
    await expect.poll(() => ground(page)).toBe(dark);
  });
});

describe('long lists', () => {
  const many = () => pageFile(Array.from({ length: 1500 }, (_, index) => resultAt(`ws-${index}`, index)));

  browserTest('rows exist only where they are looked at, and k and j reach the others', async () => {
    const { page } = await openFile(many());
    await page.getByRole('button', { name: /Show all/ }).click();
    const box = page.locator('#done .box');
    await box.waitFor();
    expect(await box.locator('table').getAttribute('aria-rowcount')).toBe('1501');
    expect(await box.locator('tr[data-move]').count()).toBeLessThan(100);
    await box.locator('tr[data-move]').first().focus();
    for (let step = 0; step < 40; step++) {
      await page.keyboard.press('j');
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex')))
        .toBe(String(step + 3));
    }
  });

  browserTest(
    'a long table has room for all of its rows, and the last is where it is scrolled to',
    async () => {
      const { page } = await openFile(many());
      await page.getByRole('button', { name: /Show all/ }).click();
      const box = page.locator('#done .box');
      await box.waitFor();
      expect(await box.evaluate((element) => element.scrollHeight)).toBeGreaterThan(1500 * 32);
      await box.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await box.locator('tr[aria-rowindex="1501"]').waitFor();
      await box.evaluate((element) => element.scrollTo(0, 700 * 32));
      await box.locator('tr[aria-rowindex="702"]').waitFor();
    },
  );

  browserTest('the table fills its box, and what came of a row has more room than who ran it', async () => {
    const { page } = await openFile(many());
    await page.getByRole('button', { name: /Show all/ }).click();
    const box = page.locator('#done .box');
    await box.waitFor();
    const widths = await box.evaluate((element) => ({
      box: element.clientWidth,
      columns: [...element.querySelectorAll('thead th')].map((each) => each.clientWidth),
    }));
    const sum = widths.columns.reduce((total, each) => total + each, 0);
    expect(widths.box - sum).toBeLessThan(10);
    const [agent = 0, last = 0] = [widths.columns[3], widths.columns.at(-1)];
    expect(last).toBeGreaterThan(2 * agent);
  });

  browserTest('search finds what is not drawn', async () => {
    const { page } = await openFile(many());
    await page.getByRole('combobox').fill('ws-1499');
    await expect.poll(() => rowsOf(page)).toEqual(['Title of ws-1499']);
  });
});

describe('other sizes and media', () => {
  browserTest('the name of an agent is on one line beside long ids and long errors', async () => {
    const id = (index: number): string => `ws-${'a-rather-long-name-'.repeat(3)}${index}`;
    const file = pageFile([missingModule(id(1), 1), missingModule(id(2), 2), resultAt(id(3), 3)]);
    const { page } = await openFile(file);
    await heading(page).waitFor();
    const lines = await page.locator('#done td.col-agent').evaluateAll((cells) =>
      cells.map((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
      }),
    );
    expect(lines).toEqual([1, 1, 1]);
  });

  browserTest('the page never scrolls sideways', async () => {
    const { page } = await openFile(small());
    await heading(page).waitFor();
    for (const width of [360, 768, 1280, 2560]) {
      await page.setViewportSize({ width, height: 900 });
      await expect
        .poll(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
        .toBeLessThanOrEqual(0);
    }
  });

  browserTest(
    'the page of a workstream, of an error, and what is open are accessible in the dark',
    async () => {
      const page = await open('#/workstream/ws-gateway', { colorScheme: 'dark' });
      await expect.poll(() => heading(page).textContent()).toContain('ws-gateway');
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.getByRole('link', { name: /Cannot find module/ }).click();
      await page.getByRole('heading', { name: 'Where' }).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.evaluate(() => location.assign('#/done?open=ws-gateway'));
      await page.locator('.exp').waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
    },
  );
});

describe('logs', () => {
  const logged = () =>
    pageFile([
      resultAt('ws-login', 0, { logFile: '.state/logs/run/ws-login.log' }),
      resultAt('ws-mail', 1, { logFile: '.state/logs/run/ws-mail.log' }),
      resultAt('ws-quiet', 2),
    ]);

  browserTest('an address of the logs says where they are, as the file has none of them', async () => {
    const { page } = await openFile(logged());
    await heading(page).waitFor();
    await page.evaluate(() => location.assign('#/logs'));
    await expect.poll(() => heading(page).textContent()).toBe('Whole logs are not in this file.');
    const links = page.getByRole('region', { name: 'Table of logs' }).locator('tr[data-move]');
    expect(await links.locator('a.title').allTextContents()).toEqual([
      'Title of ws-login',
      'Title of ws-mail',
    ]);
    await page.getByText('millrace logs --follow --run ma-run-20260101-000000', { exact: false }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.evaluate(() => location.assign('#/log/ws-quiet'));
    await page.getByText('It knows no log of ws-quiet.').waitFor();
  });
});

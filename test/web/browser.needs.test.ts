/** What needs a person of a run under way: a card for each error, which holds still while more fails. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import { settlePatterns } from '../../src/store/write/patterns.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { accessibilityProblems, browserTest, drawn, openAddress } from '../kit/chromium.ts';
import { served, TOKEN } from '../kit/dashboard-server.ts';
import { end, failed, finished, opened, RUN, started } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { layoutProblems } from './layout.ts';

const MINUTES = 5 * 60_000;

/** A failure of `npm test`, by the line that tells of it. */
function broken(id: string, line: string, pattern: string, agent: number): AgentResult {
  const message = '`npm test` ended with exit code 1.';
  const at = new Date(Date.now() - 60_000 + agent * 1000).toISOString();
  return failed(id, message, {
    reason: 'exit-non-zero',
    failure: null,
    errors: [{ type: 'exit-non-zero', message }],
    pattern,
    agentId: `agent-${agent}`,
    endTime: at,
    metadata: { title: `Title of ${id}`, tail: `> test\n\n${line}\n    at connect (net.js:1:1)\n` },
  });
}

const refused = (index: number): AgentResult =>
  broken(
    `ws-refused-${index}`,
    `Error: connect ECONNREFUSED 10.0.0.${index % 200}:5432`,
    'Error: connect ECONNREFUSED <*>.<*>.<*>.<*>:<*>',
    (index % 3) + 1,
  );

/** A word of letters alone, by its number. */
const word = (number: number): string =>
  String(number).replaceAll(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));

/** One of errors that have too little in common to be one. */
function other(index: number): AgentResult {
  const line = `${word(index)} ${word(index * 7 + 1)} ${word(index * 11 + 3)}`;
  return broken(`ws-other-${index}`, line, line, 1);
}

/** One of errors that are one as soon as there are a few. */
const missing = (index: number): AgentResult => {
  const line = `Error: no such table: ${word(index)}`;
  return broken(`ws-missing-${index}`, line, line, 1);
};

interface Followed {
  page: Page;
  needs: Locator;
  problems: string[];
  /** Lets more of it end, and waits until the page says so. */
  ends: (...results: AgentResult[]) => Promise<void>;
  finish: () => Promise<void>;
}

const many = <T>(count: number, make: (index: number) => T, from = 0): T[] =>
  Array.from({ length: count }, (_, index) => make(from + index));

/** A page with a run under way in which this has failed, all of which is drawn. */
async function followed(results: readonly AgentResult[], total: number, width = 1280): Promise<Followed> {
  const folder = temporaryFolder();
  const connection = opened(folder);
  const recorder = new SqliteRecorder(connection);
  recorder.take([
    started(
      many(total, (index) => `ws-${index}`),
      { at: new Date().toISOString() },
    ),
  ]);
  let ended = 0;
  const record = (more: readonly AgentResult[]): void => {
    recorder.take(more.map((each) => finished(each)));
    recorder.commit();
    ended += more.length;
  };
  record(results);
  const { address } = await served(folder);
  const { page, problems } = await openAddress(`${address}/#token=${TOKEN}`, {
    viewport: { width, height: 800 },
  });
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate((hash) => void (location.hash = hash), `#/run/${RUN}`);
  const isSeen = (): Promise<void> =>
    page
      .getByRole('heading', {
        level: 1,
        name: new RegExp(`^${String(ended).replaceAll(/\B(?=(\d{3})+$)/g, ' ')} of `),
      })
      .waitFor();
  await isSeen();
  await page.locator('#done').waitFor();
  return {
    page,
    needs: page.locator('#needs'),
    problems,
    ends: async (...more) => {
      record(more);
      await isSeen();
      await drawn(page);
    },
    finish: async () => {
      settlePatterns(connection, RUN);
      recorder.finish(end({ at: new Date().toISOString() }));
      await page.getByRole('heading', { name: 'What was done' }).waitFor();
    },
  };
}

const plain = (texts: readonly string[]): string[] => texts.map((text) => text.replaceAll('\u202f', ' '));

/** What the cards say of their errors. */
const headsIn = async (needs: Locator): Promise<string[]> =>
  plain(await needs.locator('article > header').allTextContents());

browserTest(
  'failures of one kind are one card, and its error is called as on the page of the ended run',
  async () => {
    const { page, needs, finish, problems } = await followed([...many(300, refused), ...many(5, other)], 320);
    await needs.getByText('6 errors behind 305 failures').waitFor();
    const heads = await headsIn(needs);
    expect(heads).toHaveLength(6);
    expect(heads[0]).toMatch(/exit-non-zero300 workstreamsError: connect ECONNREFUSED ‹…›/);
    const card = needs.getByRole('article', { name: /ECONNREFUSED.*: 300 workstreams$/ });
    await card.getByText('ws-refused-0, ws-refused-1, ws-refused-2 and 297 more').waitFor();
    await card
      .getByText(/^agent-1 \(100\), agent-2 \(100\) and agent-3 \(100\) · first .*, newest /)
      .waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await finish();
    await needs.getByText('6 errors behind 305 failures').waitFor();
    expect(await headsIn(needs)).toEqual(heads);
    expect(problems).toEqual([]);
  },
  MINUTES,
);

browserTest(
  'failures that turn out to be one error are one card, and all are found there when the run has ended',
  async () => {
    const { page, needs, finish } = await followed(many(30, missing), 40);
    await needs.getByText('1 error behind 30 failures').waitFor();
    await finish();
    await needs.getByText('1 error behind 30 failures').waitFor();
    await needs.getByRole('link', { name: 'All of this error' }).click();
    await page.getByRole('link', { name: 'ws-missing-29' }).waitFor();
  },
  MINUTES,
);

/** Where the cards are, and what is open in them. */
const placesIn = (needs: Locator): Promise<unknown[]> =>
  needs.locator('article, details').evaluateAll((all) =>
    all.map((each) => {
      const { top, height } = each.getBoundingClientRect();
      return [each.getAttribute('aria-label'), top + scrollY, height, each.hasAttribute('open')];
    }),
  );

for (const width of [360, 1280])
  browserTest(
    `cards hold still while more fails, and stay in their places and open when it is shown, at ${width} px`,
    async () => {
      const { page, needs, ends } = await followed([...many(9, refused), ...many(2, other)], 100, width);
      const cards = needs.getByRole('article');
      await needs.getByText('3 errors behind 11 failures').waitFor();
      const second = cards.nth(1);
      const name = await second.getAttribute('aria-label');
      await second.getByText('What was printed').click();
      await second.locator('.hit').waitFor();
      await second.focus();
      await drawn(page);
      const before = await placesIn(needs);
      await ends(...many(30, refused, 9), ...many(2, other, 2));
      await needs.getByRole('button', { name: /since you looked: show/ }).waitFor();
      expect(await placesIn(needs)).toEqual(before);

      await needs.getByRole('button', { name: /since you looked: show/ }).click();
      await needs.getByText('5 errors behind 43 failures').waitFor();
      expect(await cards.nth(1).getAttribute('aria-label')).toBe(name);
      expect(await second.locator('details').getAttribute('open')).not.toBeNull();
      expect(plain(await cards.locator('.tags').allTextContents())[0]).toContain('39 workstreams');
      const after = (await placesIn(needs)) as [string, number, number, boolean][];
      expect(after.slice(0, before.length).map(([, , height]) => height)).toEqual(
        (before as [string, number, number, boolean][]).map(([, , height]) => height),
      );
      expect(await layoutProblems(page)).toEqual([]);
    },
    MINUTES,
  );

browserTest(
  'keys lead from card to card, and copy what tries all of one error again',
  async () => {
    const { page, needs } = await followed([...many(3, refused), other(0)], 10);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await needs.getByRole('article').first().focus();
    await page.keyboard.press('c');
    await needs.getByText('Copied').first().waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      `millrace retry --run ${RUN} ws-refused-0 ws-refused-1 ws-refused-2`,
    );
    await page.keyboard.press('j');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(
      /: Title of ws-other-0$/,
    );
    await page.keyboard.press('p');
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toMatch(/1 workstream fails with this error[^]*millrace run ws-other-0$/);
    await page.keyboard.press('o');
    await page.getByRole('heading', { level: 1, name: /npm test ended/ }).waitFor();
    await page.goBack();
    await needs.getByText('2 errors behind 4 failures').waitFor();
  },
  MINUTES,
);

/** Counts what is changed in a section from now on. */
const watchChanges = (needs: Locator): Promise<void> =>
  needs.evaluate((section) => {
    const seen = { changes: 0 };
    Object.assign(window, { seen });
    new MutationObserver((records) => void (seen.changes += records.length)).observe(section, {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
  });

const changes = (page: Page): Promise<number> =>
  page.evaluate(() => (window as unknown as { seen: { changes: number } }).seen.changes);

for (const [what, make, cards] of [
  ['of one kind', refused, 1],
  ['that all differ', other, 8],
] as const)
  browserTest(
    `9,000 failures ${what} are a few cards, of which nothing is drawn again while more fails`,
    async () => {
      const { page, needs, ends } = await followed(many(9_000, make), 9_900);
      expect(await needs.getByRole('article').count()).toBe(cards);
      await watchChanges(needs);
      await ends(...many(100, make, 9_000));
      // The button that shows them.
      expect(await changes(page)).toBeLessThan(5);
      await needs.getByRole('button', { name: '100 more since you looked: show' }).click();
      await needs.getByText(/behind 9.100 failures/).waitFor();
      expect(await needs.getByRole('article').count()).toBe(cards);
      if (cards === 1) {
        await needs.getByText('What was printed, and where').click();
        await needs.getByRole('button', { name: /^and 9.097 more$/ }).click();
        await needs.getByRole('link', { name: /^and 9.000 more$/ }).waitFor();
      } else {
        await needs.getByRole('button', { name: 'Show the first 200' }).click();
        await needs.getByText(/^8.900 more errors/).waitFor();
        expect(await needs.getByRole('article').count()).toBe(200);
      }
      expect(await needs.locator('*').count()).toBeLessThan(9_000);
    },
    2 * MINUTES,
  );

/** From the list of runs through a run that goes on, without a mouse: the focus is always somewhere, and always seen. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { browserTest, openAddress } from '../kit/chromium.ts';
import { gated, gatedFolder, letEnd, runUntil, startDashboard } from '../kit/dashboard.ts';

/** A fault of where the focus is; null for none. Runs in the page. */
function focusFault(): string | null {
  const focused = document.activeElement;
  if (focused === null || focused === document.body) return 'nothing has the focus';
  const name = `<${focused.tagName}> “${(focused.textContent ?? '').slice(0, 60)}”`;
  const { top, bottom, left, right } = focused.getBoundingClientRect();
  if (bottom <= 0 || top >= innerHeight || right <= 0 || left >= innerWidth) return `${name} is out of view`;
  // What is drawn has no box of its own: its mark says it.
  const drawn = focused.closest('svg') === null ? null : focused.querySelector('.node, .hit');
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(focused);
  const isSeen =
    drawn === null
      ? (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none'
      : focused.matches(':focus-visible');
  return isSeen ? null : `that ${name} has the focus is not seen`;
}

const sound = (page: Page, after: string): Promise<void> =>
  expect.poll(() => page.evaluate(focusFault), { message: after }).toBeNull();

/** Presses a key, after which the focus has to be somewhere and seen. */
async function press(page: Page, key: string): Promise<void> {
  await page.keyboard.press(key);
  await sound(page, key);
}

const focusedText = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const focused = document.activeElement;
    return focused?.getAttribute('aria-label') ?? focused?.textContent ?? '';
  });

/** Most keys from one place of a page to another. */
const FAR = 80;

/** Presses a key until what has the focus is called so. */
async function pressTo(page: Page, key: string, name: RegExp): Promise<void> {
  for (let times = 0; times < FAR; times++) {
    await press(page, key);
    if (name.test(await focusedText(page))) return;
  }
  throw new Error(`${FAR} times ${key} do not lead to ${String(name)}`);
}

/** Presses a button that asks for a confirmation, which is refused once. */
async function refuseThenConfirm(page: Page, button: string, confirmation: string): Promise<void> {
  await pressTo(page, 'Tab', new RegExp(`^${button}$`));
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor();
  await press(page, 'Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  expect(await focusedText(page)).toBe(button);
  await press(page, 'Enter');
  await page.getByRole('dialog').waitFor();
  await pressTo(page, 'Tab', new RegExp(`^${confirmation}$`));
  await press(page, 'Enter');
}

const heading = (page: Page, text: RegExp): Promise<void> =>
  page.getByRole('heading', { level: 1, name: text }).waitFor();

async function goesThrough(): Promise<void> {
  const ids = ['a', 'b', 'c', 'd'];
  const folder = gatedFolder(
    [
      ...ids.map((id) => gated(id, { title: `Work package ${id}` })),
      { id: 'bad', priority: 9, steps: [{ run: 'echo no such table >&2; exit 3' }] },
    ],
    ids,
  );
  const { address } = await startDashboard(folder);
  const run = await runUntil(folder, ['a', 'b', 'c'], ['--grace', '0.3']);
  const { page, problems } = await openAddress(address);
  await heading(page, /1 run is under way/);

  // From the list into the run.
  await pressTo(page, 'j', new RegExp(run.runId));
  await press(page, 'Enter');
  await heading(page, /1 of 5 have ended/);
  await sound(page, 'the run is shown');

  // The list of keys, and back to what had the focus.
  await pressTo(page, 'j', /Work package a/);
  await press(page, '?');
  await page.getByRole('dialog').waitFor();
  expect(await focusedText(page)).toBe('Close');
  await press(page, 'Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await sound(page, 'the list of keys is closed');
  expect(await focusedText(page)).toContain('Work package a');

  // A workstream, its log, and back to its row.
  await press(page, 'Enter');
  await heading(page, /Work package a is running/);
  await pressTo(page, 'Tab', /^Log$/);
  await press(page, 'Enter');
  await heading(page, /Log of Work package a/);
  await page.getByText('a began').waitFor();
  await pressTo(page, 'Tab', /Search in what is loaded/);
  await page.keyboard.type('began');
  await page.getByText('1 line', { exact: true }).waitFor();
  await press(page, 'Escape');
  await press(page, 'Escape');
  await heading(page, /1 of 5 have ended/);
  await sound(page, 'back in the run');

  // The search, and back.
  await press(page, '/');
  await page.keyboard.type('bad');
  await page.getByRole('option', { name: 'bad' }).first().waitFor();
  await press(page, 'ArrowDown');
  await press(page, 'Enter');
  await heading(page, /no such table|bad failed/);
  await sound(page, 'what was found is shown');
  await press(page, 'Escape');
  await heading(page, /1 of 5 have ended/);
  await press(page, '/');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.press('Delete');
  await press(page, 'Escape');

  // A filter keeps the focus while it filters.
  await pressTo(page, 'Tab', /^Failed 1$/);
  await press(page, 'Space');
  await page.getByRole('button', { name: 'Failed 1', pressed: true }).waitFor();
  expect(await focusedText(page)).toBe('Failed 1');
  await press(page, 'Space');
  await page.getByRole('button', { name: 'Failed 1', pressed: false }).waitFor();

  // The row of a workstream keeps the focus while others end, and when it ends itself.
  await pressTo(page, 'Shift+Tab', /^Log of Work package b$/);
  await letEnd(folder, 'a');
  await heading(page, /2 of 5 have ended/);
  await sound(page, 'another has ended');
  expect(await focusedText(page)).toBe('Log of Work package b');

  // Stopped by keys, once that is confirmed: the button goes, and its row has the focus.
  await refuseThenConfirm(page, 'Stop Work package b …', 'Stop it');
  await page.getByRole('status').getByText('b is being stopped.').waitFor();
  await heading(page, /3 of 5 have ended/);
  await sound(page, 'it is stopped');
  expect(await focusedText(page)).toMatch(/^agent-/);

  // What has ended since then, and another attempt at it.
  await pressTo(page, 'Shift+Tab', /more since you looked: show/);
  await press(page, 'Enter');
  await page.getByRole('article', { name: 'Work package b' }).waitFor();
  await sound(page, 'the button is gone');
  await pressTo(page, 'Tab', /^Try again: Work package b$/);
  await press(page, 'Enter');
  await page.getByRole('status').getByText('b is open again: attempt 2 follows').waitFor();
  await page.getByRole('article', { name: 'Work package b' }).getByText('tried again').waitFor();
  await sound(page, 'it is tried again');

  await refuseThenConfirm(page, 'Stop the run …', 'Stop the run');
  await heading(page, /Interrupted after/);
  await sound(page, 'the run has ended');
  await run.finished;

  // Back to the list, at the row that was left.
  await press(page, 'Escape');
  await page.getByRole('region', { name: 'Table of runs' }).waitFor();
  await sound(page, 'the list');
  expect(await focusedText(page)).toContain(run.runId);
  expect(problems).toEqual([]);
}

/** Many keys, each of which is looked at. */
const LONG_MS = 180_000;
browserTest('keys alone lead from the list of runs through a run under way and back', goesThrough, LONG_MS);

browserTest(
  'what had the focus gives it to what is around it, and to the content, when it goes',
  async () => {
    const folder = gatedFolder([gated('a'), gated('b')], ['a', 'b']);
    const { address } = await startDashboard(folder);
    const run = await runUntil(folder, ['a', 'b'], ['--grace', '0.3']);
    const { page } = await openAddress(address);
    await page.evaluate((id) => void (location.hash = `#/run/${id}`), run.runId);
    await heading(page, /0 of 2 have ended/);
    await page.getByRole('button', { name: 'Stop a …' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Stop it', exact: true }).focus();
    await page.keyboard.press('Enter');
    await heading(page, /1 of 2 have ended/);
    await page.getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main');
    await sound(page, 'what was said is closed');
    // A reader who clicks beside everything has given the focus away.
    await page.mouse.click(640, 5);
    await letEnd(folder, 'b');
    await heading(page, /1 of 2 workstreams failed/);
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
  },
);

/** Opens pages in a real browser, cut off from every network, and notes what goes wrong in them. */
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, onTestFinished, test } from 'vitest';
import { browserPath, launchBrowser } from './browser.mjs';

const isSkipped = browserPath() === null && process.env['CI'] === undefined;
if (isSkipped) console.warn('Tests in a browser are skipped: there is no chromium on PATH.');

/** A test in a browser: skipped where there is none, but on CI, where it fails. @param timeout in milliseconds. */
export const browserTest = (name: string, run: () => Promise<void>, timeout?: number): void =>
  test.skipIf(isSkipped)(name, run, timeout);

let browser: Promise<Browser> | null = null;
afterAll(async () => (await browser)?.close());

export interface OpenedPage {
  page: Page;
  /** Addresses that it asked for, but for its own. */
  requests: string[];
  /** Errors on its console, which are also what its policy refused, and errors that nothing caught. */
  problems: string[];
}

/** Opens a file in a window of its own, without a network. It is closed when the test ends. */
export const openFile = (file: string, options: BrowserContextOptions = {}): Promise<OpenedPage> =>
  openAddress(pathToFileURL(file).href, { ...options, offline: true });

/** Opens an address in a browser of its own, as far as cookies go. It is closed when the test ends. */
export async function openAddress(address: string, options: BrowserContextOptions = {}): Promise<OpenedPage> {
  const context = await (await (browser ??= launchBrowser())).newContext({
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  onTestFinished(() => context.close());
  const requests: string[] = [];
  const problems: string[] = [];
  context.on('request', (request) => {
    if (request.url().split('#')[0] !== address.split('#')[0]) requests.push(request.url());
  });
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  context.on('weberror', (error) => problems.push(String(error.error())));
  const page = await context.newPage();
  await page.goto(address);
  return { page, requests, problems };
}

/** Ends once all that was asked of the page has been drawn, and told. */
export const drawn = (page: Page): Promise<unknown> =>
  page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))',
  );

/** What axe-core finds against a page as it is now, a line each. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found: { id: string; nodes: { html: string; failureSummary: string }[] }[] = await page.evaluate(
    'axe.run().then(({ violations }) => violations)',
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

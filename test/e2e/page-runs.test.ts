/** Pages of unusual runs in a browser: hostile texts, very many workstreams or none, titles in any script. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { storedDocument } from '../../src/app/run-document.ts';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import { htmlPage } from '../../src/report/page.ts';
import { accessibilityProblems, browserTest, drawn, type OpenedPage, openFile } from '../kit/chromium.ts';
import { databaseIn, failed, opened, RUN, record, result, skipped } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** The page of a run with these results, opened at this view. */
async function openPageOf(
  results: readonly AgentResult[],
  options: Parameters<typeof openFile>[1] = {},
): Promise<OpenedPage> {
  const folder = temporaryFolder();
  const connection = opened(folder);
  record(connection, results);
  const source = storedDocument(connection, RUN, databaseIn(folder));
  if (source === null) throw new Error('the run is not there');
  const file = join(folder, 'page.html');
  writeFileSync(file, htmlPage(source, folder));
  const found = await openFile(file, options);
  await found.page.getByRole('heading', { level: 1 }).waitFor();
  return found;
}

const verdictOf = (page: Page): Promise<string> => page.getByRole('heading', { level: 1 }).innerText();

/** By how many pixels the page is wider than its window. */
const overflowOf = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const many = (count: number): AgentResult[] =>
  Array.from({ length: count }, (_, index) =>
    index % 100 === 7
      ? failed(`ws-${index}`, `no such table: t${index % 3}`)
      : result(`ws-${index}`, { agentId: `agent-${(index % 4) + 1}` }),
  );

/** What would do something in HTML, in a script, in a style, in an address, or to the direction of a text. */
const EVIL = [
  `<img src=x onerror="window.pwned='img'">`,
  `<script>window.pwned='script'</script>`,
  `</template></script><script>window.pwned='end'</script>`,
  `"><svg onload=window.pwned='svg'><style>@import "http://evil.example/x.css"</style>`,
  `javascript:window.pwned='address'`,
  `<iframe srcdoc="<script>parent.pwned='frame'</script>"></iframe><base href="http://evil.example/">`,
  '\u202egnp.exe\u2066\u200b|`<b>\u0000\ud800\ufeff\u001b[31m',
  '__proto__',
  'constructor',
];

function evilResult(evil: string, index: number): AgentResult {
  return failed(`${index}${evil}`, evil, {
    agentId: evil,
    logFile: evil,
    stack: evil,
    filesModified: [evil],
    commitsCreated: [evil],
    warnings: [evil],
    testResults: {
      total: 1,
      passed: 0,
      failed: 1,
      manual: 0,
      cases: null,
      tests: [
        {
          name: evil,
          status: 'failed',
          blocking: true,
          durationSeconds: 1,
          detail: evil,
          logFile: evil,
          format: null,
          counts: null,
          cases: [],
        },
      ],
    },
    metadata: {
      title: evil,
      kind: evil,
      file: evil,
      output: { [evil]: evil, rows: [{ [evil]: evil }] },
      metrics: { [evil]: 1 },
      base: evil,
      matrix: { [evil]: evil },
      series: { [evil]: { points: [[1, 2]], total: 1 } },
      outputs: [{ path: evil, bytes: 1, sha256: evil, problem: evil }],
      steps: [{ id: evil, kind: 'run', status: 'failed', duration_seconds: 1, exit_code: 1 }],
      tail: evil,
      gaveUp: evil,
    },
  });
}

/** Every address that the page leads to, beside places in itself. */
const linksOf = (page: Page): Promise<string[]> =>
  page.evaluate(
    `[...document.querySelectorAll('[href], [src]')].map((each) => each.getAttribute('href') ?? each.getAttribute('src')).filter((address) => !address.startsWith('#'))`,
  );

describe('texts that want to be more than text', () => {
  browserTest('run no script and send no request, on any view', async () => {
    const { page, requests, problems } = await openPageOf(EVIL.map(evilResult));
    const views: string[] = await page.evaluate(
      `[...new Set([...document.querySelectorAll('a[href^="#"]')].map((each) => each.getAttribute('href')))].slice(0, 60)`,
    );
    expect(views.length).toBeGreaterThan(5);
    for (const view of views) {
      await page.evaluate(`location.hash = ${JSON.stringify(view)}`);
      await drawn(page);
      expect(await linksOf(page)).toEqual([]);
    }
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect([requests, problems]).toEqual([[], []]);
  });
});

describe('the page of', () => {
  const runs: [string, () => AgentResult[], RegExp][] = [
    ['no workstreams', () => [], /no workstreams/i],
    ['one', () => [result('ws-1')], /ws-1|one/i],
    ['54', () => many(54), /1 of 54/],
    ['10,000', () => many(10_000), /100 of 10.000/],
    ['12,000', () => many(12_000), /120 of 12.000/],
    ['nothing but failures', () => [failed('a', 'no'), failed('b', 'no')], /2 workstreams failed/],
    ['nothing but skips', () => [skipped('a'), skipped('b')], /skipped/],
  ];
  for (const [name, results, verdict] of runs)
    browserTest(`${name} opens, with its verdict and without an error`, async () => {
      const { page, requests, problems } = await openPageOf(results());
      expect(await verdictOf(page)).toMatch(verdict);
      expect([requests, problems]).toEqual([[], []]);
    });
});

const TITLES = [
  'x'.repeat(300),
  'A title of many words that goes on and on '.repeat(7).slice(0, 300),
  'بناء الحزمة واختبارها ثم نشرها على الخادم',
  'בדיקת הקוד',
  '👨‍👩‍👧 🌊 漢字かな交じり文 한국어',
];

const strange = (): AgentResult[] =>
  TITLES.flatMap((title, index) => [
    result(`good-${index}`, { metadata: { title } }),
    failed(`bad-${index}`, title, { metadata: { title, tail: `${title}\n`.repeat(5) } }),
  ]);

describe.each(['light', 'dark'] as const)(
  'with titles of any length and script, in the %s',
  (colorScheme) => {
    for (const width of [360, 1280, 2560])
      browserTest(`a page ${width} pixels wide is accessible and not wider`, async () => {
        const { page, problems } = await openPageOf(strange(), {
          colorScheme,
          viewport: { width, height: 900 },
        });
        expect(await overflowOf(page)).toBe(0);
        expect(await accessibilityProblems(page)).toEqual([]);
        expect(problems).toEqual([]);
      });
  },
);

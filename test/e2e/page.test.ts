/** The page of a run, in a browser. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { accessibilityProblems, browserTest, openFile } from '../kit/chromium.ts';
import { millrace, writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const WORKSTREAMS = [
  { id: 'good', steps: [{ run: 'echo done' }] },
  { id: 'bad', steps: [{ run: 'echo no such table >&2; exit 3' }] },
  { id: 'after', depends_on: ['bad'], steps: [{ run: 'true' }] },
];

/** Runs the workstreams, and returns the path of the page. */
async function pageOf(workstreams: object[]): Promise<string> {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': workstreams });
  await millrace(folder, ['run']);
  const { stdout } = await millrace(folder, ['report', 'latest', '--format', 'html']);
  const file = join(folder, 'page.html');
  writeFileSync(file, stdout);
  return file;
}

browserTest('a page opens from a file, without a network, a request or an error', async () => {
  const { page, requests, problems } = await openFile(await pageOf(WORKSTREAMS));
  await page.getByRole('heading', { level: 1 }).waitFor();
  expect(requests).toEqual([]);
  expect(problems).toEqual([]);
});

browserTest('a page is accessible', async () => {
  const { page } = await openFile(await pageOf(WORKSTREAMS));
  await page.getByRole('heading', { level: 1 }).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
});

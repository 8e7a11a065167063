/** What the page of a run over a queue shows of its hosts, in a browser. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { browserTest, openFile } from '../kit/chromium.ts';
import { pageFile, resultAt } from './page-file.ts';

const LONG = 'builder-with-a-long-name.eu-west-1.compute.example.org';
const AGENTS = [`${LONG}/agent-1`, `${LONG}/agent-2`, 'beta/agent-10'];

async function openHosts(width = 1280): Promise<Page> {
  const host = { completed: 1, failed: 0, busySeconds: 2, lost: 0 };
  const file = pageFile(
    AGENTS.map((agentId, index) => resultAt(`ws-${index}`, index, { agentId })),
    {
      hosts: [
        { ...host, host: 'beta', agents: 1, workstreams: 1, lost: 3 },
        { ...host, host: LONG, agents: 2, workstreams: 2, failed: 1 },
      ],
    },
  );
  const { page } = await openFile(file, { viewport: { width, height: 900 } });
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

browserTest('the table of hosts says what each did, and how often it was lost', async () => {
  const page = await openHosts();
  const rows = page.getByRole('region', { name: 'Hosts' }).locator('tbody tr');
  const texts = await rows.evaluateAll((all) =>
    all.map((row) => Array.from(row.querySelectorAll('td'), (cell) => cell.textContent)),
  );
  expect(texts.map((row) => row.toSpliced(4, 1))).toEqual([
    ['beta', '1', '1', '0', '3'],
    [LONG, '2', '2', '1', '0'],
  ]);
});

browserTest('agents of one host are told apart where there is no room for its name', async () => {
  const page = await openHosts();
  const drawn = await page.locator('.tl text.lane').allTextContents();
  expect(drawn.map((name) => name.split('/')[1])).toEqual(['agent-10', 'agent-1', 'agent-2']);
  const ends = await page.locator('#done .agent > :last-child').evaluateAll((names) =>
    names.map((name) => {
      const { right } = name.getBoundingClientRect();
      return right <= (name.closest('td')?.getBoundingClientRect().right ?? 0);
    }),
  );
  expect(ends).toEqual([true, true, true]);
});

browserTest('a narrow timeline has the names of agents too', async () => {
  const page = await openHosts(380);
  const drawn = await page.locator('.tl text.lane').allTextContents();
  expect(drawn.every((name) => /\/agent-\d+$/.test(name))).toBe(true);
  expect(drawn.every((name) => name.length <= 12)).toBe(true);
});

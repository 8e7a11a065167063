import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { browserPath, launchBrowser } from '../../kit/browser.mjs';
import { folderWith, moduleStep, noOpFolder } from '../folders.mjs';
import { against, alternate, millrace, once, ratios } from '../measure.mjs';

/** The page of a run: what it costs to write, how large it is, how soon it is there and how it scrolls. */
export default async function page({ row, rounds }) {
  const wait = moduleStep('wait', { seconds: 0.15 });
  const few = folderWith(
    'page',
    Array.from({ length: 54 }, (_, index) => ({ id: `ws-${index + 1}`, steps: [wait] })),
  );
  const many = noOpFolder(10_000);
  cost(row, few, '54 × 150 ms', '≤ 1.01', rounds);
  cost(row, many, '10,000 no-ops', '≤ 1.05', rounds);
  size(row, few, '54', '≤ 300 KB');
  const file = size(row, many, '10,000', '≤ 3000 KB');
  if (browserPath() !== null) await looks(row, file, rounds);
}

function cost(row, cwd, what, target, rounds) {
  const { args } = millrace(cwd, 3);
  const runs = alternate({ whole: { cwd, args }, without: { cwd, args: [...args, '--no-html'] } }, rounds);
  row({
    what: `${what}, with its page / without`,
    values: ratios(runs.whole, runs.without),
    digits: 3,
    target,
    of: against(runs.whole, runs.without),
  });
  row({ what: '– CPU', values: ratios(runs.whole, runs.without, { field: 'cpu' }), digits: 3 });
}

/** Returns the path of the page. */
function size(row, cwd, what, target) {
  const folder = join(cwd, 'reports');
  rmSync(folder, { recursive: true, force: true });
  once(millrace(cwd, 3));
  const name = readdirSync(folder).find((each) => each.endsWith('.html'));
  const file = join(folder, name);
  row({ what: `page of ${what} workstreams, KB`, values: [statSync(file).size / 1000], digits: 0, target });
  return file;
}

/** Scrolls for two seconds, and returns the longest time between two frames in ms. */
const LONGEST_FRAME = `new Promise((done) => {
  let last = performance.now(), longest = 0;
  const begin = last;
  const frame = (now) => {
    longest = Math.max(longest, now - last);
    last = now;
    scrollBy(0, 120);
    if (now - begin < 2000) requestAnimationFrame(frame); else done(longest);
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(frame); });
})`;

const FIRST_PAINT = `new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
    .observe({ type: 'largest-contentful-paint', buffered: true });
})`;

async function looks(row, file, rounds) {
  const browser = await launchBrowser();
  const paints = [];
  const frames = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const tab = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await tab.goto(pathToFileURL(file).href);
      await tab.getByRole('heading', { level: 1 }).waitFor();
      paints.push((await tab.evaluate(FIRST_PAINT)) / 1000);
      frames.push(await tab.evaluate(LONGEST_FRAME));
      await tab.close();
    }
  } finally {
    await browser.close();
  }
  row({ what: 'page of 10,000 in chromium, seconds to the first paint', values: paints, target: '≤ 1' });
  row({ what: 'longest frame while it scrolls, ms', values: frames, digits: 0, target: '≤ 50' });
}

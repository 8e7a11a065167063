import { makePlan } from '../../../dist/src/plan/plan.js';
import { loadFolder } from '../../../dist/src/workstream/load.js';
import { folderOfFiles, folderWith, moduleStep } from '../folders.mjs';
import { median } from '../measure.mjs';

const COUNT = 100_000;

/** Reading and planning 100,000 workstreams with 300,000 edges, in this process. */
export default function planning({ row, rounds }) {
  const workstreams = Array.from({ length: COUNT }, (_, index) => ({
    id: `ws-${index}`,
    depends_on: needs(index),
    steps: [moduleStep('nothing')],
  }));
  const array = folderWith('array', workstreams);
  const files = folderOfFiles('files', workstreams);
  const times = Math.min(rounds, 5);
  row(
    'loading 100,000 workstreams from one array',
    timed(times, () => load(array)),
    '≤ 5 s',
  );
  row(
    'loading 100,000 workstreams from as many files',
    timed(times, () => load(files)),
    '≤ 5 s',
  );
  const loaded = load(array);
  row(
    'planning them, with 300,000 edges',
    timed(times, () => makePlan(loaded, new Map())),
    '≤ 2 s',
  );
}

const load = (cwd) => loadFolder(`${cwd}/workstreams`, { cwd });

/** Three that come before it, spread over all of them. */
function needs(index) {
  if (index < 10) return [];
  const before = [index - 1 - (index % 7), Math.floor(index / 2), Math.floor(index / 3)];
  return [...new Set(before)].map((needed) => `ws-${needed}`);
}

function timed(rounds, work) {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  });
  return `${median(times).toFixed(2)} s`;
}

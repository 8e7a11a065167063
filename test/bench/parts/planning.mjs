import { makePlan } from '../../../dist/src/plan/plan.js';
import { loadFolder } from '../../../dist/src/workstream/load.js';
import { folderOfFiles, folderWith, moduleStep } from '../folders.mjs';

/** Reading and planning 100,000 workstreams with 300,000 edges, in this process. */
export default function planning({ row, rounds, quick }) {
  const count = quick ? 20_000 : 100_000;
  const workstreams = Array.from({ length: count }, (_, index) => ({
    id: `ws-${index}`,
    depends_on: needs(index),
    steps: [moduleStep('nothing')],
  }));
  const array = folderWith('array', workstreams);
  const files = folderOfFiles('files', workstreams);
  const seconds = (what, work, target) => row({ what, values: timed(rounds, work), unit: ' s', target });
  const many = count.toLocaleString('en');
  seconds(`loading ${many} workstreams from one array`, () => load(array), '≤ 5 s');
  seconds(`loading ${many} workstreams from as many files`, () => load(files), '≤ 5 s');
  const loaded = load(array);
  seconds(
    `planning them, with ${(count * 3).toLocaleString('en')} edges`,
    () => makePlan(loaded, new Map()),
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

const timed = (rounds, work) =>
  Array.from({ length: rounds }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  });

import { calibrate } from '../calibrate.mjs';
import { folderWith, moduleStep } from '../folders.mjs';
import { alternate, medianOf, millrace, ratios } from '../measure.mjs';

const COUNTS = [1, 2, 3, 4, 6, 8, 12];

/** Work that computes and waits in equal parts: `--agents auto` against every number of agents that was tried. */
export default function adapting({ row, rounds }) {
  const input = { rounds: calibrate(150) };
  const compute = moduleStep('compute', input);
  const wait = moduleStep('wait', { seconds: 0.15 });
  const times = Math.min(rounds, 2);
  against('mixed', 320, row, times, (index) => [index % 2 === 0 ? compute : wait]);
  against('within each', 160, row, times, () => [compute, wait]);
}

function against(label, count, row, rounds, stepsOf) {
  const workstreams = Array.from({ length: count }, (_, index) => ({
    id: `ws-${index + 1}`,
    steps: stepsOf(index),
  }));
  const cwd = folderWith(`adapting-${label.replace(' ', '-')}`, workstreams);
  const fixed = Object.fromEntries(COUNTS.map((agents) => [String(agents), millrace(cwd, agents)]));
  const runs = alternate({ ...fixed, auto: millrace(cwd, 'auto') }, rounds, { warmUp: false });
  const [best] = COUNTS.toSorted((one, other) => medianOf(runs[one]) - medianOf(runs[other]));
  row({
    what: `${count} workstreams, half CPU, half waiting (${label}), auto / best fixed count, ${best}`,
    values: ratios(runs.auto, runs[best]),
    digits: 3,
    target: '≤ 1.10',
    of: [...COUNTS, 'auto'].map((agents) => `${agents}: ${medianOf(runs[agents]).toFixed(2)} s`).join(', '),
  });
}

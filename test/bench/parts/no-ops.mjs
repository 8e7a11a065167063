import { emptyFolder, folderOf, moduleStep } from '../folders.mjs';
import {
  alternate,
  medianMegabytes,
  medianRatio,
  medianRatioBeyond,
  medianSeconds,
  millrace,
  piscina,
} from '../measure.mjs';

/** Work that does nothing: what one workstream costs, and whether that grows with their number. */
export default function noOps({ row, rounds }) {
  const nothing = moduleStep('nothing');
  const ten = folderOf('ten-thousand', 10_000, nothing);
  const hundred = folderOf('hundred-thousand', 100_000, nothing);
  const empty = emptyFolder();
  const runs = alternate(
    {
      ten: millrace(ten, 2),
      bareTen: piscina(10_000, 2, 'nothing'),
      hundred: millrace(hundred, 2),
      bareHundred: piscina(100_000, 2, 'nothing'),
      empty: millrace(empty, 2),
      emptyBare: piscina(1, 2, 'nothing'),
    },
    rounds,
  );
  const seconds = (name, bare) =>
    `${medianSeconds(runs[name]).toFixed(2)} s against ${medianSeconds(runs[bare]).toFixed(2)} s`;
  row(
    '10,000 no-ops, 2 agents / bare piscina',
    medianRatio(runs.ten, runs.bareTen).toFixed(2),
    '≤ 2.3',
    seconds('ten', 'bareTen'),
  );
  row(
    '100,000 no-ops / 10,000, an empty run taken off both',
    medianRatioBeyond(runs.hundred, runs.empty, runs.ten, runs.empty).toFixed(2),
    '≤ 11',
  );
  row(
    '100,000 no-ops / bare piscina, an empty run taken off both',
    medianRatioBeyond(runs.hundred, runs.empty, runs.bareHundred, runs.emptyBare).toFixed(2),
    '≤ 1.7',
    seconds('hundred', 'bareHundred'),
  );
  row(
    'peak resident memory for 100,000 no-ops / bare piscina',
    (medianMegabytes(runs.hundred) / medianMegabytes(runs.bareHundred)).toFixed(2),
    '≤ 1',
    `${medianMegabytes(runs.hundred).toFixed(0)} MB against ${medianMegabytes(runs.bareHundred).toFixed(0)} MB`,
  );
}

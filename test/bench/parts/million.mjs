import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { noOpFolder } from '../folders.mjs';
import { against, alternate, millrace, ratios, valuesOf } from '../measure.mjs';

const COUNT = 1_000_000;
const program = fileURLToPath(new URL('../programs/kept-bytes.mjs', import.meta.url));

/** Whether what one workstream costs grows up to a million of them. */
export default function million({ row, rounds }) {
  const cwd = noOpFolder(COUNT);
  const runs = alternate(
    {
      million: millrace(cwd, 2, { memory: true }),
      hundred: millrace(noOpFolder(100_000), 2),
      empty: millrace(noOpFolder(1), 2),
    },
    Math.min(rounds, 2),
    { warmUp: false },
  );
  row({
    what: '1,000,000 no-ops / 100,000, an empty run taken off both',
    values: ratios(runs.million, runs.hundred, { without: [runs.empty, runs.empty] }),
    target: '≤ 11',
    of: against(runs.million, runs.hundred),
  });
  row({
    what: 'peak memory of all processes for 1,000,000 no-ops',
    values: valuesOf(runs.million, 'all'),
    unit: ' MB',
    digits: 0,
    target: '≤ 700 MB',
  });
  const { stdout } = spawnSync(process.execPath, ['--expose-gc', program, cwd], { encoding: 'utf8' });
  row({
    what: 'bytes kept for each workstream that is loaded and planned',
    values: [Number(stdout) / COUNT],
    unit: ' B',
    digits: 0,
  });
}

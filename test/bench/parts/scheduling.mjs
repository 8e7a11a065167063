import { emptyFolder, folderWith, moduleStep } from '../folders.mjs';
import { alternate, median, millrace, once } from '../measure.mjs';

const SHORT = 0.5;
const AGENTS = 4;

/** One long workstream at the end of the folder, whose length is known from the run before. */
export default function scheduling({ row, rounds }) {
  const short = Array.from({ length: 24 }, (_, index) => ({
    id: `ws-${index + 10}`,
    steps: [moduleStep('wait', { seconds: SHORT })],
  }));
  const long = (short.length * SHORT) / 4;
  const cwd = folderWith('scheduling', [
    ...short,
    { id: 'ws-z', steps: [moduleStep('wait', { seconds: long })] },
  ]);
  once(millrace(cwd, AGENTS));
  const runs = alternate({ run: millrace(cwd, AGENTS), empty: millrace(emptyFolder(), AGENTS) }, rounds);
  const bound = Math.max((short.length * SHORT + long) / AGENTS, long);
  const seconds = median(runs.run.map((run, index) => run.seconds - runs.empty[index].seconds));
  row(
    'waiting work with a long workstream last, 4 agents, second run / the lower bound, an empty run taken off',
    (seconds / bound).toFixed(3),
    '≤ 1.05',
    `${seconds.toFixed(2)} s against ${bound.toFixed(2)} s`,
  );
}

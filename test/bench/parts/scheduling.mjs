import { folderWith, moduleStep, noOpFolder } from '../folders.mjs';
import { alternate, medianOf, millrace, once } from '../measure.mjs';

const SHORT = 0.5;
/** With the long one, which is as long as eight, they fill four agents evenly: the lower bound can be reached. */
const COUNT = 32;
const AGENTS = 4;

/** One long workstream at the end of the folder, whose length is known from the run before. */
export default function scheduling({ row, rounds, quick }) {
  const short = Array.from({ length: COUNT }, (_, index) => ({
    id: `ws-${index + 10}`,
    steps: [moduleStep('wait', { seconds: SHORT })],
  }));
  const long = (short.length * SHORT) / 4;
  const cwd = folderWith('scheduling', [
    ...short,
    { id: 'ws-z', steps: [moduleStep('wait', { seconds: long })] },
  ]);
  once(millrace(cwd, AGENTS));
  const runs = alternate(
    { run: millrace(cwd, AGENTS), empty: millrace(noOpFolder(1), AGENTS) },
    quick ? 1 : rounds,
    {
      warmUp: false,
    },
  );
  const bound = Math.max((short.length * SHORT + long) / AGENTS, long);
  row({
    what: 'waiting work with a long workstream last, 4 agents, second run / the lower bound, an empty run taken off',
    values: runs.run.map((run, index) => (run.seconds - runs.empty[index].seconds) / bound),
    digits: 3,
    target: '≤ 1.05',
    of: `wall ${medianOf(runs.run).toFixed(2)} s against ${bound.toFixed(2)} s`,
  });
}

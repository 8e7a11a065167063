import { folderOf, moduleStep } from '../folders.mjs';
import { alternate, medianRatio, millrace } from '../measure.mjs';

/** Work that only waits: what the engine itself takes, with more and more agents. */
export default function waiting({ row, rounds }) {
  const cwd = folderOf('waiting', 54, moduleStep('wait', { seconds: 0.5 }));
  const runs = alternate(
    { one: millrace(cwd, 1), three: millrace(cwd, 3), five: millrace(cwd, 5), all: millrace(cwd, 54) },
    Math.min(rounds, 3),
  );
  const against1 = (name) => medianRatio(runs[name], runs.one).toFixed(3);
  row('54 workstreams that wait 0.5 s, 3 agents / 1', against1('three'), '≤ 0.345');
  row('the same, 5 agents / 1', against1('five'), '≤ 0.215');
  row('the same, 54 agents / 1', against1('all'), '≤ 0.12');
}

import { folderOf, moduleStep } from '../folders.mjs';
import { against, alternate, millrace, ratios } from '../measure.mjs';

/** Work that only waits: what the engine itself takes, with more and more agents. */
export default function waiting({ row, rounds, quick }) {
  const seconds = quick ? 0.2 : 0.5;
  const cwd = folderOf('waiting', 54, moduleStep('wait', { seconds }));
  const runs = alternate(
    { one: millrace(cwd, 1), three: millrace(cwd, 3), five: millrace(cwd, 5), all: millrace(cwd, 54) },
    quick ? 1 : rounds,
    { warmUp: false },
  );
  const fewer = (what, name, target) =>
    row({
      what,
      values: ratios(runs[name], runs.one),
      digits: 3,
      target,
      of: against(runs[name], runs.one),
    });
  fewer(`54 workstreams that wait ${seconds} s, 3 agents / 1`, 'three', '≤ 0.342');
  fewer('the same, 5 agents / 1', 'five', '≤ 0.213');
  fewer('the same, 54 agents / 1', 'all', '≤ 0.12');
}

import { noOpFolder } from '../folders.mjs';
import { alternate, millrace, millraceDoes, node, once, ratios, valuesOf } from '../measure.mjs';

/** What it takes to do next to nothing, and to show a large run. */
export default function startUp({ row, rounds, quick }) {
  const count = quick ? 10_000 : 100_000;
  const large = noOpFolder(count);
  once(millrace(large, 2));
  const runs = alternate(
    {
      empty: millrace(noOpFolder(1), 2),
      help: millraceDoes(undefined, '--help'),
      runs: millraceDoes(large, 'runs'),
      show: millraceDoes(large, 'show', 'latest'),
      node,
    },
    rounds + 4,
  );
  const seconds = (what, values, target) => row({ what, values, unit: ' s', digits: 3, target });
  seconds('a run of one workstream that does nothing, wall', valuesOf(runs.empty), '≤ 0.26 s');
  seconds('the same, CPU', valuesOf(runs.empty, 'cpu'), '≤ 0.30 s');
  row({ what: '`millrace --help` / `node -e 0`', values: ratios(runs.help, runs.node), target: '≤ 3' });
  const of = `a run of ${count.toLocaleString('en')}`;
  seconds(`\`millrace runs\` after ${of}`, valuesOf(runs.runs), '≤ 0.5 s');
  seconds(`\`millrace show\` of ${of}`, valuesOf(runs.show), '≤ 0.5 s');
}

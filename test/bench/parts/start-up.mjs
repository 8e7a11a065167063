import { alternate, medianRatio, medianSeconds, millraceDoes } from '../measure.mjs';

/** What it takes to be asked for help. */
export default function startUp({ row, rounds }) {
  const runs = alternate(
    { help: millraceDoes(undefined, '--help'), node: { args: ['-e', '0'] } },
    rounds + 4,
  );
  const seconds = `${medianSeconds(runs.help).toFixed(3)} s against ${medianSeconds(runs.node).toFixed(3)} s`;
  row('`millrace --help` / `node -e 0`', medianRatio(runs.help, runs.node).toFixed(2), '≤ 3', seconds);
}

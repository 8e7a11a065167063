/** `npm run bench:history`: how long the commands take that read a long history, and the report of a large run. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeHistory } from './make-history.mjs';
import { alternate, medianOf, millraceDoes } from './measure.mjs';

const rounds = Number(process.argv[2] ?? 5);
const base = mkdtempSync(join(tmpdir(), 'millrace-bench-'));

const command = (state, ...args) => ({ ...millraceDoes(base, ...args, '--state', state), memory: true });
const rows = [];

function row(what, runs, target) {
  const cells = [what, `${medianOf(runs).toFixed(2)} s`, target, `${medianOf(runs, 'all').toFixed(0)} MB`];
  rows.push(cells);
  console.log(cells.join(', '));
}

function benchHistory() {
  const state = join(base, 'history');
  makeHistory(state, 1_000, 1_000);
  const runs = alternate(
    {
      runs: command(state, 'runs'),
      show: command(state, 'show', 'latest'),
      errors: command(state, 'errors'),
      agents: command(state, 'agents'),
      compare: command(state, 'compare'),
      'errors --history': command(state, 'errors', '--history'),
      flaky: command(state, 'flaky'),
      trends: command(state, 'trends'),
      why: command(state, 'why', 'ws-0'),
    },
    rounds,
  );
  const of = 'with 1,000 runs and 1,000,000 results';
  for (const [name, measured] of Object.entries(runs)) row(`\`millrace ${name}\` ${of}`, measured, '≤ 1 s');
}

function benchLargeRun() {
  const state = join(base, 'large');
  const runId = makeHistory(state, 1, 100_000);
  const reports = join(base, 'reports');
  const runs = alternate({ report: command(state, 'report', 'latest', '--reports', reports) }, rounds);
  row('report of 100,000 results, 5,000 failures in 40 groups', runs.report, '≤ 2 s');
  const { size } = statSync(join(reports, `multi_agent_consolidated_${runId}.md`));
  rows.push(['size of that report', `${(size / 1e6).toFixed(2)} MB`, '≤ 1 MB', '']);
}

const load = loadavg()[0]?.toFixed(1);
console.log(`Node ${process.version}, ${cpus()[0]?.model}, ${availableParallelism()} cores, load ${load}\n`);
try {
  benchHistory();
  benchLargeRun();
  console.log('\n| what | measured | target | peak memory |\n| --- | --- | --- | --- |');
  for (const cells of rows) console.log(`| ${cells.join(' | ')} |`);
} finally {
  rmSync(base, { recursive: true, force: true });
}

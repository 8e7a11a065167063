/** `npm run bench`: prints the figures of docs/benchmarks.md, measured here and now. `npm run bench -- 3` for 3 rounds. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { ConsolidationDatabase } from '../../dist/src/index.js';
import { markdownReport } from '../../dist/src/report/markdown.js';
import { alternate, bin, median, medianMegabytes, medianRatio, medianSeconds } from './measure.mjs';

const rounds = Number(process.argv[2] ?? 5);
const base = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const work = fileURLToPath(new URL('./work.mjs', import.meta.url));
const barePiscina = fileURLToPath(new URL('./bare-piscina.mjs', import.meta.url));

/** A folder with `count` workstreams that call `name` of work.mjs. */
function folderOf(label, count, name, input) {
  const cwd = join(base, label);
  mkdirSync(join(cwd, 'workstreams'), { recursive: true });
  const workstreams = Array.from({ length: count }, (_, index) => ({
    id: `ws-${index + 1}`,
    steps: [{ module: work, export: name, input }],
  }));
  writeFileSync(join(cwd, 'workstreams', 'all.json'), JSON.stringify(workstreams));
  return cwd;
}

const millrace = (cwd, agents) => ({
  cwd,
  args: [bin, 'run', '-j', String(agents), '--log-level', 'silent'],
});
const piscina = (cwd, count, threads, name, input) => ({
  cwd,
  args: [barePiscina, String(count), String(threads), name, String(input ?? 0)],
});

const rows = [];
const row = (what, value, target) => {
  rows.push([what, value, target]);
  console.log(`${what}: ${value} (target ${target})`);
};
const ratio = (value) => value.toFixed(3);

function benchWaiting() {
  const cwd = folderOf('waiting', 54, 'wait', null);
  const runs = alternate(
    { one: millrace(cwd, 1), three: millrace(cwd, 3), five: millrace(cwd, 5), all: millrace(cwd, 54) },
    Math.min(rounds, 3),
  );
  row('54 workstreams of 0.5 s waiting, 3 agents / 1', ratio(medianRatio(runs.three, runs.one)), '≤ 0.345');
  row('the same, 5 agents / 1', ratio(medianRatio(runs.five, runs.one)), '≤ 0.215');
  row('the same, 54 agents / 1', ratio(medianRatio(runs.all, runs.one)), '≤ 0.12');
}

function calibrate() {
  let iterations = 1_000_000;
  for (;;) {
    const start = performance.now();
    let x = 1;
    for (let i = 0; i < iterations; i += 1) x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
    const milliseconds = performance.now() - start;
    if (milliseconds > 100 && x >= 0) return Math.round((iterations * 150) / milliseconds);
    iterations *= 2;
  }
}

function benchComputing() {
  const input = { rounds: calibrate() };
  const cwd = folderOf('computing', 54, 'compute', input);
  const empty = folderOf('empty', 1, 'nothing', null);
  const runs = alternate(
    {
      one: millrace(cwd, 1),
      two: millrace(cwd, 2),
      bare: piscina(cwd, 54, 2, 'compute', input.rounds),
      emptyMillrace: millrace(empty, 2),
      emptyBare: piscina(empty, 1, 2, 'nothing'),
    },
    Math.max(rounds, 7),
  );
  row('54 CPU-bound of about 150 ms, 1 agent / 2', ratio(medianRatio(runs.one, runs.two)), '≥ 1.9');
  const less = (name, empties) =>
    runs[name].map(({ seconds }, index) => seconds - runs[empties][index].seconds);
  const millraceSeconds = less('two', 'emptyMillrace');
  const bareSeconds = less('bare', 'emptyBare');
  const ratios = millraceSeconds.map((seconds, index) => seconds / bareSeconds[index]);
  row('the same, 2 agents / bare piscina, an empty run taken off both', ratio(median(ratios)), '≤ 1.05');
  const more = medianMegabytes(runs.two) - medianMegabytes(runs.bare);
  row('peak resident memory above bare piscina', `${more.toFixed(0)} MB`, '≤ 50 MB');
  benchOverhead(cwd);
}

/** From what the run itself recorded. */
function benchOverhead(cwd) {
  const database = new Database(join(cwd, '.state', 'multi_agent_consolidated.db'), { readonly: true });
  const summaries = database
    .prepare(
      "SELECT execution_summary FROM consolidated_runs WHERE json_extract(execution_summary, '$.agents_count') = 2",
    )
    .all()
    .map(({ execution_summary: text }) => JSON.parse(text));
  database.close();
  const share = (name) =>
    median(summaries.map(({ overhead, speed }) => overhead[name] / speed.wall_seconds)) * 100;
  row('writing to the database, share of wall time', `${share('store_seconds').toFixed(2)} %`, '< 0.5 %');
  row('consolidation, share of wall time', `${share('consolidate_seconds').toFixed(2)} %`, '< 0.5 %');
  row('report', `${reportSeconds(cwd).toFixed(3)} s`, '< 0.2 s');
}

/** Reading a stored run and making its report, in this process. */
function reportSeconds(cwd) {
  const store = new ConsolidationDatabase(join(cwd, '.state', 'multi_agent_consolidated.db'));
  const [{ runId }] = store.getAllRuns({ limit: 1 });
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    markdownReport(store.consolidate(runId));
    return (performance.now() - start) / 1000;
  });
  store.close();
  return median(times);
}

function benchHelp() {
  const runs = alternate(
    { help: { args: [bin, '--help'] }, node: { args: ['-e', '0'] } },
    Math.max(rounds, 9),
  );
  row('millrace --help / node -e 0', ratio(medianRatio(runs.help, runs.node)), '≤ 3');
  console.log(`  ${medianSeconds(runs.help).toFixed(3)} s against ${medianSeconds(runs.node).toFixed(3)} s`);
}

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores\n`,
);
try {
  benchHelp();
  benchComputing();
  benchWaiting();
  console.log('\n| what | measured | target |\n| --- | --- | --- |');
  for (const cells of rows) console.log(`| ${cells.join(' | ')} |`);
} finally {
  rmSync(base, { recursive: true, force: true });
}

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ConsolidationDatabase } from '../../../dist/src/index.js';
import { markdownReport } from '../../../dist/src/report/markdown.js';
import { calibrate } from '../calibrate.mjs';
import { emptyFolder, folderOf, moduleStep } from '../folders.mjs';
import {
  alternate,
  median,
  medianMegabytes,
  medianRatio,
  medianRatioBeyond,
  millrace,
  piscina,
} from '../measure.mjs';

/** Work that computes for about 150 ms: what is lost against a bare pool, and what recording takes. */
export default function computing({ row, rounds }) {
  const input = { rounds: calibrate(150) };
  const cwd = folderOf('computing', 54, moduleStep('compute', input));
  const empty = emptyFolder();
  const runs = alternate(
    {
      one: millrace(cwd, 1),
      two: millrace(cwd, 2),
      bare: piscina(54, 2, 'compute', input.rounds),
      empty: millrace(empty, 2),
      emptyBare: piscina(1, 2, 'nothing'),
    },
    Math.max(rounds, 7),
  );
  row(
    '54 CPU-bound workstreams of about 150 ms, 1 agent / 2',
    medianRatio(runs.one, runs.two).toFixed(2),
    '≥ 1.9',
  );
  const beyond = medianRatioBeyond(runs.two, runs.empty, runs.bare, runs.emptyBare);
  row('the same, 2 agents / bare piscina, an empty run taken off both', beyond.toFixed(3), '≤ 1.05');
  const more = medianMegabytes(runs.two) - medianMegabytes(runs.bare);
  row('peak resident memory above bare piscina', `${more.toFixed(0)} MB`, '≤ 50 MB');
  recording(cwd, row, rounds);
}

/** From what the runs themselves recorded. */
function recording(cwd, row, rounds) {
  const file = join(cwd, '.state', 'multi_agent_consolidated.db');
  const database = new Database(file, { readonly: true });
  const summaries = database
    .prepare(
      "SELECT execution_summary FROM consolidated_runs WHERE json_extract(execution_summary, '$.agents_count') = 2",
    )
    .all()
    .map(({ execution_summary: text }) => JSON.parse(text));
  database.close();
  const share = (name) =>
    `${(median(summaries.map(({ overhead, speed }) => overhead[name] / speed.wall_seconds)) * 100).toFixed(2)} %`;
  row('writing to the database, share of wall time', share('store_seconds'), '< 0.5 %');
  row('consolidation, share of wall time', share('consolidate_seconds'), '< 0.5 %');
  row('report', `${reportSeconds(file, rounds).toFixed(3)} s`, '< 0.2 s');
}

/** Reading a stored run and making its report, in this process. */
function reportSeconds(file, rounds) {
  const store = new ConsolidationDatabase(file);
  const [{ runId }] = store.getAllRuns({ limit: 1 });
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    markdownReport(store.consolidate(runId));
    return (performance.now() - start) / 1000;
  });
  store.close();
  return median(times);
}

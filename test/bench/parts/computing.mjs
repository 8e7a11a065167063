import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ConsolidationDatabase } from '../../../dist/src/index.js';
import { documentHead } from '../../../dist/src/report/document.js';
import { markdownReport } from '../../../dist/src/report/markdown.js';
import { calibrate } from '../calibrate.mjs';
import { folderOf, moduleStep, noOpFolder } from '../folders.mjs';
import { against, alternate, millrace, piscina, ratios, valuesOf } from '../measure.mjs';

/** Work that computes for about 150 ms: what is lost against a bare pool, and what recording takes. */
export default function computing({ row, rounds, quick }) {
  const count = quick ? 20 : 54;
  const input = { rounds: calibrate(150) };
  const cwd = folderOf('computing', count, moduleStep('compute', input));
  const memory = true;
  const runs = alternate(
    {
      one: millrace(cwd, 1),
      two: millrace(cwd, 2, { memory }),
      bare: piscina(count, 2, 'compute', input, { memory }),
      empty: millrace(noOpFolder(1), 2),
      emptyBare: piscina(1, 2, 'nothing'),
    },
    quick ? rounds : Math.max(rounds, 7),
  );
  row({
    what: `${count} CPU-bound workstreams of about 150 ms, 1 agent / 2`,
    values: ratios(runs.one, runs.two),
    target: '≥ 1.9',
  });
  row({
    what: 'the same, 2 agents / bare piscina, an empty run taken off both',
    values: ratios(runs.two, runs.bare, { without: [runs.empty, runs.emptyBare] }),
    digits: 3,
    target: '≤ 1.03',
    of: against(runs.two, runs.bare),
  });
  const megabytes = (what, values, target) => row({ what, values, unit: ' MB', digits: 0, target });
  const above = runs.two.map(({ own, all }, index) => all - own - runs.bare[index].own);
  megabytes("peak memory of the run's process above bare piscina's", above, '≤ 50 MB');
  megabytes('peak memory of the process that watches over it', valuesOf(runs.two, 'own'), '≤ 30 MB');
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
  const share = (what, name) =>
    row({
      what: `${what}, share of wall time`,
      values: summaries.map(({ overhead, speed }) => (overhead[name] / speed.wall_seconds) * 100),
      unit: ' %',
      target: '< 0.5 %',
    });
  share('writing to the database', 'store_seconds');
  share('consolidation', 'consolidate_seconds');
  row({ what: 'report', values: reportSeconds(file, rounds), unit: ' s', digits: 3, target: '< 0.2 s' });
}

/** Reading a stored run and making its report, in this process. */
function reportSeconds(file, rounds) {
  const store = new ConsolidationDatabase(file);
  const [{ runId }] = store.getAllRuns({ limit: 1 });
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    markdownReport(documentHead(store.consolidate(runId), null));
    return (performance.now() - start) / 1000;
  });
  store.close();
  return times;
}

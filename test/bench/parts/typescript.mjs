import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { folderWith } from '../folders.mjs';
import { against, alternate, millrace, once, ratios } from '../measure.mjs';

const FURTHER = 5;
const THREADS = 4;

/** Modules in TypeScript against the same in JavaScript: loading them, the memory of their threads, many calls. */
export default function typescript({ row, rounds, quick }) {
  loading({ row, rounds: Math.max(rounds, 5) });
  memory({ row, rounds });
  const count = quick ? 10_000 : 30_000;
  const noOps = (extension, length) =>
    project(`no-ops-${extension}-${length}`, { main: NOTHING }, extension, (module) =>
      Array.from({ length }, (_, index) => ({ id: `ws-${index}`, steps: [{ module: module('main') }] })),
    );
  const runs = alternate(
    {
      ts: millrace(noOps('ts', count), 2),
      js: millrace(noOps('mjs', count), 2),
      fewTs: millrace(noOps('ts', THREADS), 2),
      fewJs: millrace(noOps('mjs', THREADS), 2),
    },
    rounds,
  );
  const without = [runs.fewTs, runs.fewJs];
  row({
    what: `${count.toLocaleString('en')} no-ops of a TypeScript module / of a JavaScript one, a run of ${THREADS} taken off both`,
    values: ratios(runs.ts, runs.js, { without }),
    of: against(runs.ts, runs.js),
  });
  row({ what: '– CPU', values: ratios(runs.ts, runs.js, { field: 'cpu', without }) });
}

const NOTHING = 'export default () => undefined;\n';
const WAITS = 'export default () => new Promise((resolve) => setTimeout(resolve, 300));\n';

/** A folder with these modules. `define` returns its workstreams. */
function project(label, modules, extension, define) {
  const cwd = folderWith(
    label,
    define((name) => `./${name}.${extension}`),
  );
  for (const [name, text] of Object.entries(modules))
    writeFileSync(join(cwd, 'workstreams', `${name}.${extension}`), text);
  return cwd;
}

/** What a thread takes to load and call modules, one after the other, when all of them were compiled before. */
function loading({ row, rounds }) {
  const names = Array.from({ length: 1 + FURTHER }, (_, index) => `part-${index}`);
  const modules = Object.fromEntries(names.map((name) => [name, `// ${name}\n${NOTHING}`]));
  const chain = (module) =>
    names.map((name, index) => ({
      id: name,
      depends_on: index === 0 ? [] : [names[index - 1]],
      steps: [{ module: module(name) }],
    }));
  for (const { extension, language, first, further } of [
    { extension: 'mjs', language: 'JavaScript', first: '', further: '' },
    { extension: 'ts', language: 'TypeScript', first: '≤ 70 ms', further: '≤ 5 ms' },
  ]) {
    const cwd = project(`loading-${extension}`, modules, extension, chain);
    once(millrace(cwd, 1));
    const times = Array.from({ length: rounds }, () => millisecondsIn(cwd));
    const time = (what, values, target) => row({ what, values, unit: ' ms', digits: 1, target });
    const firsts = times.map(([time]) => time);
    const others = times.flatMap(([, ...others]) => others);
    time(`the first ${language} module of a thread`, firsts, first);
    time(`a further ${language} module`, others, further);
  }
}

/** How long each workstream of a new run took, in their order. */
function millisecondsIn(cwd) {
  once(millrace(cwd, 1));
  const database = new Database(join(cwd, '.state', 'multi_agent_consolidated.db'), { readonly: true });
  const rows = database
    .prepare(
      `SELECT duration_seconds AS seconds FROM agent_results
       WHERE run_id = (SELECT run_id FROM consolidated_runs ORDER BY created_at DESC, id DESC LIMIT 1) ORDER BY workstream_id`,
    )
    .all();
  database.close();
  return rows.map(({ seconds }) => seconds * 1000);
}

function memory({ row, rounds }) {
  const [js, ts] = ['mjs', 'ts'].map((extension) =>
    millrace(
      project(`threads-${extension}`, { main: WAITS }, extension, (module) =>
        Array.from({ length: THREADS }, (_, index) => ({
          id: `ws-${index}`,
          steps: [{ module: module('main') }],
        })),
      ),
      THREADS,
      { memory: true },
    ),
  );
  const runs = alternate({ ts, js }, rounds);
  row({
    what: 'memory of a thread with a TypeScript module above one with JavaScript',
    values: runs.ts.map(({ all }, index) => (all - runs.js[index].all) / THREADS),
    unit: ' MB',
    digits: 1,
  });
}

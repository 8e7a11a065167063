/**
 * `npm run bench` measures everything side by side and writes the table into docs/benchmarks.md. `--quick` measures
 * smaller parts in fewer rounds and prints them, as the names of parts do: `npm run bench -- --quick no-ops commands`.
 * `--rounds 9` takes nine rounds.
 */
import { parseArgs } from 'node:util';
import adapting from './parts/adapting.mjs';
import commands from './parts/commands.mjs';
import computing from './parts/computing.mjs';
import dashboard from './parts/dashboard.mjs';
import million from './parts/million.mjs';
import noOps from './parts/no-ops.mjs';
import page from './parts/page.mjs';
import planning from './parts/planning.mjs';
import profile from './parts/profile.mjs';
import queue from './parts/queue.mjs';
import scheduling from './parts/scheduling.mjs';
import startUp from './parts/start-up.mjs';
import typescript from './parts/typescript.mjs';
import waiting from './parts/waiting.mjs';
import { shown, Table, writeTable } from './table.mjs';

const PARTS = {
  'start-up': startUp,
  computing,
  waiting,
  'no-ops': noOps,
  commands,
  profile,
  scheduling,
  planning,
  typescript,
  adapting,
  page,
  dashboard,
  queue,
  // Last: the system goes on writing its database to the disk.
  million,
};
/** Left out of `--quick` unless they are named: with them it takes more than three minutes. */
const LONG = ['million', 'adapting', 'page', 'dashboard', 'queue'];

const { values, positionals: named } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
  allowPositionals: true,
});
const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? 2 : 5));
const unknown = named.filter((name) => !(name in PARTS));
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(`Usage: npm run bench -- [--quick] [--rounds N] [${Object.keys(PARTS).join(' | ')}] …`);
  process.exit(2);
}

const start = performance.now();
const table = new Table(quick);
const row = (figure) => console.log(shown(table.add(figure)));
for (const [name, part] of Object.entries(PARTS)) {
  const wanted = named.length > 0 ? named.includes(name) : !(quick && LONG.includes(name));
  if (wanted) await part({ row, rounds, quick });
}
const minutes = (performance.now() - start) / 60_000;
const measured = table.markdown({ rounds, minutes });
console.log(`\n${measured}`);
if (!quick && named.length === 0) writeTable(measured);

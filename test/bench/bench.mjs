/**
 * `npm run bench`: measures everything and writes the table into docs/benchmarks.md.
 * `npm run bench -- 9` takes 9 rounds. `npm run bench -- no-ops commands` measures these parts only, and prints them.
 */
import adapting from './parts/adapting.mjs';
import commands from './parts/commands.mjs';
import computing from './parts/computing.mjs';
import noOps from './parts/no-ops.mjs';
import oneNoOp from './parts/one-no-op.mjs';
import planning from './parts/planning.mjs';
import scheduling from './parts/scheduling.mjs';
import startUp from './parts/start-up.mjs';
import waiting from './parts/waiting.mjs';
import { table, writeTable } from './table.mjs';

const PARTS = {
  'start-up': startUp,
  computing,
  waiting,
  adapting,
  'no-ops': noOps,
  'one-no-op': oneNoOp,
  commands,
  scheduling,
  planning,
};

const given = process.argv.slice(2);
const rounds = Number(given.find((argument) => /^\d+$/.test(argument)) ?? 5);
const names = given.filter((argument) => !/^\d+$/.test(argument));
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.`);
  process.exit(2);
}

const rows = [];
const row = (what, value, target, medians = '') => {
  rows.push([what, value, target, medians]);
  console.log(`${what}: ${value}${target === '' ? '' : ` (target ${target})`} ${medians}`);
};
for (const [name, part] of Object.entries(PARTS)) {
  if (names.length === 0 || names.includes(name)) part({ row, rounds });
}
const measured = table(rows, rounds);
console.log(`\n${measured}`);
if (names.length === 0) writeTable(measured);

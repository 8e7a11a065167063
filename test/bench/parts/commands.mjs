import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder, folderOf, folderWith } from '../folders.mjs';
import { alternate, isThere, median, medianRatio, medianSeconds, millrace, spawnTrue } from '../measure.mjs';

const COUNT = 2_000;
const LOADED = 100_000;

/** Commands that do nothing: against the programs that do only that. */
export default function commands({ row, rounds }) {
  const cwd = folderOf('commands', COUNT, { command: ['true'] });
  const programs = { parallel, xargs, make };
  const present = Object.entries(programs).filter(([name]) => isThere(name));
  const others = Object.fromEntries(present.map(([name, command]) => [name, command(cwd)]));
  const runs = alternate({ millrace: millrace(cwd, 2), spawn: spawnTrue(COUNT), ...others }, rounds);
  const against = (name, target) => {
    if (runs[name] === undefined) return row(`2,000 \`true\`, 2 agents / ${name}`, 'not installed', target);
    const seconds = `${medianSeconds(runs.millrace).toFixed(2)} s against ${medianSeconds(runs[name]).toFixed(2)} s`;
    return row(
      `2,000 \`true\`, 2 agents / ${SHOWN[name]}`,
      medianRatio(runs.millrace, runs[name]).toFixed(2),
      target,
      seconds,
    );
  };
  against('parallel', '≤ 0.6');
  against('spawn', '≤ 1');
  against('xargs', '');
  against('make', '');
  amongMany({ row, rounds, cwd });
}

const SHOWN = {
  parallel: 'GNU parallel with a job log',
  spawn: 'bare `child_process.spawn`, two at a time',
  xargs: '`xargs -P 2`',
  make: '`make -k -j 2`',
};

const numbers = `${Array.from({ length: COUNT }, (_, index) => index).join('\n')}\n`;

const parallel = (cwd) => ({
  program: 'parallel',
  args: ['-j', '2', '--joblog', join(cwd, 'joblog'), 'true'],
  input: numbers,
  cwd,
});
const xargs = (cwd) => ({ program: 'xargs', args: ['-P', '2', '-n', '1', 'true'], input: numbers, cwd });

function make(cwd) {
  const targets = numbers
    .trim()
    .split('\n')
    .map((number) => `t${number}`);
  const file = join(cwd, 'Makefile');
  // A line with a shell's own character makes make start a shell; this one it starts itself.
  writeFileSync(
    file,
    `.PHONY: all ${targets.join(' ')}\nall: ${targets.join(' ')}\n${targets.join(' ')}:\n\t@/bin/true\n`,
  );
  return { program: 'make', args: ['-k', '-j', '2', '-f', file], cwd };
}

/** A fork costs by the size of the process, so it is measured in one that has much loaded. */
function amongMany({ row, rounds, cwd }) {
  // They need one that fails, so that they are skipped at once.
  const idle = Array.from({ length: LOADED }, (_, index) => ({
    id: `ws-idle-${index}`,
    depends_on: ['ws-fails'],
    steps: [{ command: ['true'] }],
  }));
  const first = { id: 'ws-fails', priority: 'critical', steps: [{ command: ['false'] }] };
  const busy = Array.from({ length: COUNT }, (_, index) => ({
    id: `ws-${index}`,
    steps: [{ command: ['true'] }],
  }));
  const runs = alternate(
    {
      many: millrace(folderWith('many', [first, ...idle, ...busy]), 2, { status: 1 }),
      manyIdle: millrace(folderWith('many-idle', [first, ...idle]), 2, { status: 1 }),
      few: millrace(cwd, 2),
      fewIdle: millrace(emptyFolder(), 2),
    },
    Math.min(rounds, 3),
  );
  const ratios = runs.many.map(
    ({ seconds }, index) =>
      (seconds - runs.manyIdle[index].seconds) / (runs.few[index].seconds - runs.fewIdle[index].seconds),
  );
  row('a command among 100,000 loaded workstreams / among 2,000', median(ratios).toFixed(2), '≤ 1.2');
}

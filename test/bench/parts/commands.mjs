import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf, folderWith, noOpFolder } from '../folders.mjs';
import { against, alternate, isThere, millrace, ratios, spawnTrue } from '../measure.mjs';

const COUNT = 2_000;
const TRUE = { command: ['true'] };

/** Commands that do nothing: against the programs that do only that. */
export default function commands({ row, rounds, quick }) {
  const cwd = folderOf('commands', COUNT, TRUE);
  const present = Object.entries({ parallel, xargs, make }).filter(([name]) => isThere(name));
  const runs = alternate(
    {
      native: millrace(cwd, 2),
      node: millrace(cwd, 2, { env: { MILLRACE_COMMAND_HOST: 'node' } }),
      spawn: spawnTrue(COUNT),
      ...Object.fromEntries(present.map(([name, command]) => [name, command(cwd)])),
    },
    rounds,
  );
  const compare = (ours, name, what, target) => {
    const others = runs[name] ?? [];
    const values = others.length === 0 ? [] : ratios(runs[ours], others);
    row({ what, values, target, of: values.length === 0 ? '' : against(runs[ours], others) });
  };
  const twoThousand = '2,000 `true`, 2 agents';
  compare('native', 'parallel', `${twoThousand} / GNU parallel with a job log`, '≤ 0.5');
  compare('node', 'parallel', 'the same, without a compiled command host', '≤ 0.9');
  compare('native', 'spawn', `${twoThousand} / bare \`child_process.spawn\`, two at a time`);
  compare('native', 'xargs', `${twoThousand} / \`xargs -P 2\``);
  compare('native', 'make', `${twoThousand} / \`make -k -j 2\``);
  amongMany({ row, rounds: quick ? 1 : Math.min(rounds, 3), loaded: quick ? 20_000 : 100_000 });
}

const numbers = `${Array.from({ length: COUNT }, (_, index) => index).join('\n')}\n`;

const parallel = (cwd) => ({
  program: 'parallel',
  args: ['-j', '2', '--joblog', join(cwd, 'joblog'), 'true'],
  input: numbers,
  cwd,
});
const xargs = (cwd) => ({ program: 'xargs', args: ['-P', '2', '-n', '1', 'true'], input: numbers, cwd });

function make(cwd) {
  const targets = Array.from({ length: COUNT }, (_, index) => `t${index}`).join(' ');
  const file = join(cwd, 'Makefile');
  // A line with a shell's own character makes make start a shell; this one it starts itself.
  writeFileSync(file, `.PHONY: all ${targets}\nall: ${targets}\n${targets}:\n\t@/bin/true\n`);
  return { program: 'make', args: ['-k', '-j', '2', '-f', file], cwd };
}

/** A fork costs by the size of the process, so it is measured in one that has much loaded. */
function amongMany({ row, rounds, loaded }) {
  // They need one that fails, so that they are skipped at once.
  const idle = Array.from({ length: loaded }, (_, index) => ({
    id: `ws-idle-${index}`,
    depends_on: ['ws-fails'],
    steps: [TRUE],
  }));
  const first = { id: 'ws-fails', priority: 'critical', steps: [{ command: ['false'] }] };
  const busy = Array.from({ length: COUNT }, (_, index) => ({ id: `ws-${index}`, steps: [TRUE] }));
  const runs = alternate(
    {
      many: millrace(folderWith('many', [first, ...idle, ...busy]), 2, { status: 1 }),
      manyIdle: millrace(folderWith('many-idle', [first, ...idle]), 2, { status: 1 }),
      few: millrace(folderOf('commands', COUNT, TRUE), 2),
      fewIdle: millrace(noOpFolder(1), 2),
    },
    rounds,
    { warmUp: false },
  );
  row({
    what: `a command among ${loaded.toLocaleString('en')} loaded workstreams / among 2,000`,
    values: ratios(runs.many, runs.few, { without: [runs.manyIdle, runs.fewIdle] }),
    target: '≤ 1.1',
    of: against(runs.many, runs.few),
  });
}

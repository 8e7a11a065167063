/** Runs commands as whole processes, in turn, and compares what they took. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const measured = fileURLToPath(new URL('./programs/measured.py', import.meta.url));
const bin = fileURLToPath(new URL('../../dist/src/bin.js', import.meta.url));
const barePiscina = fileURLToPath(new URL('./programs/bare-piscina.mjs', import.meta.url));
const bareSpawn = fileURLToPath(new URL('./programs/bare-spawn.mjs', import.meta.url));

/** The commands that are measured. */
export const millrace = (cwd, agents, fields = {}) => ({
  cwd,
  args: [bin, 'run', '-j', String(agents), '--log-level', 'silent'],
  ...fields,
});
export const millraceDoes = (cwd, ...args) => ({ cwd, args: [bin, ...args] });
export const node = { args: ['-e', '0'] };
export const piscina = (count, threads, name, input = null, fields = {}) => ({
  args: [barePiscina, String(count), String(threads), name, JSON.stringify(input)],
  ...fields,
});
export const spawnTrue = (count) => ({ args: [bareSpawn, String(count)] });

/**
 * Runs a command; Node's own program where none is named. With `memory` the peaks of its processes are measured, which
 * takes a hundredth of a core; with `terminal` it writes to a terminal.
 * @returns wall and CPU seconds with everything that it started, and MB of the process itself (`own`) and of all.
 */
export function once({ program = process.execPath, args, cwd, env, input, status = 0, memory, terminal }) {
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const options = [...(memory ? ['--memory'] : []), ...(terminal ? ['--terminal'] : [])];
  const { error, output, stderr } = spawnSync('python3', [measured, ...options, program, ...args], {
    cwd,
    env: { ...inherited, ...env },
    input: input ?? '',
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  if (error !== undefined) throw error;
  const took = JSON.parse(output[3] || '{}');
  if (took.code !== status)
    throw new Error(`${program} ${args.join(' ')} ended with ${took.code}: ${stderr}`);
  return took;
}

/** Runs the commands in turn, `rounds` times, after one round that is not counted. Returns by name what each took. */
export function alternate(commands, rounds, { warmUp = true } = {}) {
  const runs = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = warmUp ? -1 : 0; round < rounds; round += 1) {
    for (const [name, command] of Object.entries(commands)) {
      const run = once(command);
      if (round >= 0) runs[name].push(run);
    }
  }
  return runs;
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

export const valuesOf = (runs, field = 'seconds') => runs.map((run) => run[field]);
export const medianOf = (runs, field = 'seconds') => median(valuesOf(runs, field));

/**
 * The ratios of adjacent runs, which hold when the machine's speed drifts.
 * @param without what is taken off each side first: the same of a run that has next to nothing to do.
 */
export const ratios = (runs, others, { field = 'seconds', without = [] } = {}) => {
  const [little = [], otherLittle = []] = without;
  return runs.map(
    (run, index) =>
      (run[field] - (little[index]?.[field] ?? 0)) /
      (others[index][field] - (otherLittle[index]?.[field] ?? 0)),
  );
};

/** The medians of two programs, wall and CPU seconds. */
export function against(runs, others) {
  const both = (field) =>
    `${medianOf(runs, field).toFixed(2)} s against ${medianOf(others, field).toFixed(2)} s`;
  return `wall ${both('seconds')}, CPU ${both('cpu')}`;
}

/** Whether a program can be run here. */
export const isThere = (program) => spawnSync(program, ['--version']).error === undefined;

/** The first line that a program says of its version; "not installed" where it isn't. */
export function versionOf(program) {
  const { error, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return error === undefined ? stdout.split('\n', 1)[0] : `${program} is not installed`;
}

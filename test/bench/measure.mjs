/** Runs commands as whole processes and takes medians. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const recorder = new URL('./programs/record-peak-memory.mjs', import.meta.url).href;

/** What a command needs to be run: Node's own is the program where none is named. */
// { program?: string, args: string[], cwd?: string, input?: string, status?: number }

/** Wall seconds of one run; of Node also the peak resident MB, with what it starts: the peaks are added up. */
export function once({ program = process.execPath, args, cwd, input = '', status = 0 }) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const file = join(folder, 'peak');
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const start = performance.now();
  const result = spawnSync(program, args, {
    cwd,
    env:
      program === process.execPath
        ? { ...env, BENCH_PEAK_FILE: file, NODE_OPTIONS: `--import=${recorder}` }
        : env,
    input,
    stdio: ['pipe', 'ignore', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  const seconds = (performance.now() - start) / 1000;
  if (result.error !== undefined) throw result.error;
  if (result.status !== status)
    throw new Error(`${program} ${args.join(' ')} ended with ${result.status}: ${result.stderr}`);
  const megabytes = program === process.execPath ? addedUp(readFileSync(file, 'utf8')) / 1024 : Number.NaN;
  rmSync(folder, { recursive: true });
  return { seconds, megabytes };
}

const addedUp = (lines) =>
  lines
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line), 0);

/** Whether a program can be run here. */
export const isThere = (program) => spawnSync(program, ['--version']).error === undefined;

/** The first line that a program says of its version; "not installed" where it isn't. */
export function versionOf(program) {
  const { error, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return error === undefined ? stdout.split('\n', 1)[0] : 'not installed';
}

/** Runs the given commands in turn, `rounds` times, after one round that is not counted. */
export function alternate(commands, rounds) {
  const runs = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
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

export const medianSeconds = (runs) => median(runs.map(({ seconds }) => seconds));
export const medianMegabytes = (runs) => median(runs.map(({ megabytes }) => megabytes));

/** The median of the ratios of adjacent runs, which holds when the machine's speed drifts. */
export const medianRatio = (runs, others) =>
  median(runs.map(({ seconds }, index) => seconds / others[index].seconds));

/** As `medianRatio`, with what an empty run takes taken off each side. */
export const medianRatioBeyond = (runs, empty, others, otherEmpty) =>
  median(
    runs.map(
      ({ seconds }, index) =>
        (seconds - empty[index].seconds) / (others[index].seconds - otherEmpty[index].seconds),
    ),
  );

export const bin = fileURLToPath(new URL('../../dist/src/bin.js', import.meta.url));
const barePiscina = fileURLToPath(new URL('./programs/bare-piscina.mjs', import.meta.url));
const bareSpawn = fileURLToPath(new URL('./programs/bare-spawn.mjs', import.meta.url));

/** The commands that are measured. */
export const millrace = (cwd, agents, fields = {}) => ({
  cwd,
  args: [bin, 'run', '-j', String(agents), '--log-level', 'silent'],
  ...fields,
});
export const millraceDoes = (cwd, ...args) => ({ cwd, args: [bin, ...args] });
export const piscina = (count, threads, name, input = 0) => ({
  args: [barePiscina, String(count), String(threads), name, String(input)],
});
export const spawnTrue = (count) => ({ args: [bareSpawn, String(count)] });

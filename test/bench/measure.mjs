/** Runs commands as whole processes and takes medians. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const recorder = new URL('./record-peak-memory.mjs', import.meta.url).href;

/** Wall seconds and peak resident MB of one run of `node ARGS`, with what that starts: the peaks are added up. */
export function once(args, cwd) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const file = join(folder, 'peak');
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const start = performance.now();
  const result = spawnSync(process.execPath, args, {
    cwd,
    env: { ...env, BENCH_PEAK_FILE: file, NODE_OPTIONS: `--import=${recorder}` },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  const seconds = (performance.now() - start) / 1000;
  if (result.status !== 0)
    throw new Error(`node ${args.join(' ')} ended with ${result.status}: ${result.stderr}`);
  const peaks = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  const megabytes = peaks.reduce((sum, kilobytes) => sum + kilobytes, 0) / 1024;
  rmSync(folder, { recursive: true });
  return { seconds, megabytes };
}

/** Runs the given commands in turn, `rounds` times, after one round that is not counted. */
export function alternate(commands, rounds) {
  const runs = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, { args, cwd }] of Object.entries(commands)) {
      const run = once(args, cwd);
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

export const bin = fileURLToPath(new URL('../../dist/src/bin.js', import.meta.url));

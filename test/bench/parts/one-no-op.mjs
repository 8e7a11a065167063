import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folderOf, moduleStep } from '../folders.mjs';
import { median, once } from '../measure.mjs';

const COUNT = 30_000;
const program = fileURLToPath(new URL('../programs/unbundled.mjs', import.meta.url));

/** Where a sample belongs, by the first of these that its stack has from the inside out. */
const PLACES = [
  ['reading and planning the definitions', /\/src\/(workstream|plan)\//],
  ['rows in the database', /\/src\/store\/|better-sqlite3/],
  ['handing over: lots, clones, waking threads, checking answers', /\/src\/engine\/|\/piscina\//],
  ['coordination: queue, attempts, results, events', /\/src\/run\//],
  ['report and start', /\/src\/(report|analysis|app|cli|support|domain)\/|\/workers\//],
];

/** What one workstream that does nothing costs, by V8's sampling profiler: of the main thread, and of an agent. */
export default function oneNoOp({ row, rounds }) {
  const cwd = folderOf('one-no-op', COUNT, moduleStep('nothing'));
  const profiles = Array.from({ length: Math.min(rounds, 3) }, () => profile(cwd));
  const micros = (of) => `${median(profiles.map(of)).toFixed(1)} µs`;
  row(
    'one no-op of 30,000, the main thread, all of it',
    micros(({ main }) => sum(main)),
    '',
  );
  for (const [place] of PLACES)
    row(
      `– ${place}`,
      micros(({ main }) => main.get(place) ?? 0),
      '',
    );
  for (const place of ['garbage collection', 'Node itself'])
    row(
      `– ${place}`,
      micros(({ main }) => main.get(place) ?? 0),
      '',
    );
  row(
    'one no-op of 30,000, the thread of its agent',
    micros(({ agents }) => sum(agents)),
    '',
  );
}

const sum = (places) => [...places.values()].reduce((total, value) => total + value, 0);

/** Microseconds for each workstream, by place. */
function profile(cwd) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const options = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'];
  const run = ['run', '--agents', '2', '--log-level', 'silent'];
  once({ args: [...options, program, ...run], cwd });
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  const all = files.map((name) => placesOf(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
  rmSync(folder, { recursive: true });
  const [main, ...agents] = all.toSorted((a, b) => sum(b) - sum(a));
  return { main, agents: together(agents) };
}

/** Time that was not idle. */
function placesOf({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const node of nodes) for (const child of node.children ?? []) byId.get(child).parent = node;
  const places = new Map();
  for (const [index, id] of samples.entries()) {
    const place = placeOf(byId.get(id));
    if (place !== null) places.set(place, (places.get(place) ?? 0) + timeDeltas[index] / COUNT);
  }
  return places;
}

function placeOf(leaf) {
  const { functionName } = leaf.callFrame;
  if (functionName === '(idle)') return null;
  if (functionName === '(garbage collector)') return 'garbage collection';
  for (let node = leaf; node !== undefined; node = node.parent) {
    const found = PLACES.find(([, pattern]) => pattern.test(node.callFrame.url));
    if (found !== undefined) return found[0];
  }
  return 'Node itself';
}

function together(maps) {
  const all = new Map();
  for (const [place, value] of maps.flatMap((map) => [...map])) all.set(place, (all.get(place) ?? 0) + value);
  return all;
}

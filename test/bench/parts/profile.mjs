import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { base, noOpFolder } from '../folders.mjs';
import { millraceDoes, once } from '../measure.mjs';

const COUNT = 30_000;

/** Where a sample belongs, by the first of these that its stack has from the inside out. */
const PLACES = [
  ['reading and planning the definitions', /^src\/(workstream|plan)\//],
  ['rows in the database', /^src\/store\/|\/better-sqlite3\//],
  ['assignments to threads and answers from them', /^src\/engine\/|\/piscina\//],
  ['coordination: queue, attempts, results, events', /^src\/run\//],
  [
    'drawing on the terminal',
    /^src\/progress\/|\/(log-update|string-width|cli-truncate|chalk|wrap-ansi|slice-ansi)\//,
  ],
  ['report and start', /^src\/(report|analysis|app|cli|text|os|domain)\/|^workers\//],
  ['garbage collection', /^\(garbage collector\)$/],
];
const REST = 'Node itself';

/** What one workstream that does nothing costs on a terminal, by V8's sampling profiler: of the main thread, and of an agent. */
export default function profile({ row, rounds }) {
  const cwd = noOpFolder(COUNT);
  const profiles = Array.from({ length: Math.min(rounds, 3) }, () => profiled(cwd));
  const micros = (what, of) => row({ what, values: profiles.map(of), unit: ' µs', digits: 1 });
  micros('one no-op of 30,000, by a profile: the main thread, all of it', ({ main }) => sum(main));
  for (const place of [...PLACES.map(([name]) => name), REST])
    micros(`– ${place}`, ({ main }) => main.get(place) ?? 0);
  micros('one no-op of 30,000, by a profile: the thread of its agent', ({ agents }) => sum(agents));
  row({
    what: 'drawing on a terminal during no-ops, share of a core',
    values: profiles.map(
      ({ main, seconds }) => ((main.get('drawing on the terminal') ?? 0) * COUNT) / seconds / 1e4,
    ),
    unit: ' %',
    target: '≤ 1 %',
  });
}

const sum = (places) => [...places.values()].reduce((total, value) => total + value, 0);

/** Microseconds for each workstream, by place. */
function profiled(cwd) {
  const folder = mkdtempSync(join(base, 'profile-'));
  const options = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'];
  const { args } = millraceDoes(cwd, 'run', '--agents', '2');
  const { seconds } = once({ args: [...options, ...args], cwd, terminal: true });
  const all = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  const having = (bundle) =>
    all.filter(({ nodes }) => nodes.some(({ callFrame }) => callFrame.url.endsWith(bundle))).map(placesOf);
  const [main] = having('/run.bundle.cjs');
  const agents = having('/agents.bundle.cjs');
  return { main, agents: together(agents), seconds };
}

/** Time that was not idle. */
function placesOf({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const node of nodes) for (const child of node.children ?? []) byId.get(child).parent = node;
  const places = new Map();
  for (const [index, id] of samples.entries()) {
    const node = byId.get(id);
    if (node.callFrame.functionName === '(idle)') continue;
    const place = placeOf(node);
    places.set(place, (places.get(place) ?? 0) + timeDeltas[index] / COUNT);
  }
  return places;
}

function placeOf(leaf) {
  for (let node = leaf; node !== undefined; node = node.parent) {
    const { url, functionName, lineNumber } = node.callFrame;
    const place = url.endsWith('.bundle.cjs') ? moduleAt(url, lineNumber) : url || functionName;
    const found = PLACES.find(([, pattern]) => pattern.test(place));
    if (found !== undefined) return found[0];
  }
  return REST;
}

const bundles = new Map();

/** Path of the module that a line of a bundle is from: it stands above it in a comment. */
function moduleAt(url, lineNumber) {
  if (!bundles.has(url)) bundles.set(url, readFileSync(new URL(url, 'file:'), 'utf8').split('\n'));
  const lines = bundles.get(url);
  for (let at = lineNumber; at >= 0; at -= 1) {
    const path = /^\s*\/\/ ((?:src|workers|node_modules)\/\S+)$/.exec(lines[at])?.[1];
    if (path !== undefined) return path;
  }
  return url;
}

function together(maps) {
  const all = new Map();
  for (const [place, value] of maps.flatMap((map) => [...map])) all.set(place, (all.get(place) ?? 0) + value);
  return all;
}

/** A folder of quick workstreams of all kinds, of which it is known how each has to end. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFiles } from '../kit/command.ts';

export interface Backlog {
  folder: string;
  /** In the order of the files. */
  workstreams: readonly Member[];
}

interface Member {
  id: string;
  kind: Kind;
  needs: readonly string[];
}

/** How workstreams have to end. */
export interface Ends {
  /** By id. */
  statuses: Map<string, 'completed' | 'failed' | 'skipped'>;
  /** What each one that completes and is a module has to give. */
  outputs: Map<string, number>;
}

const KINDS = ['module', 'run', 'command', 'slow', 'leaves', 'fails', 'exits'] as const;
type Kind = (typeof KINDS)[number];

/** Of what workstreams there are how many, out of a hundred. */
interface Mix {
  /** By kind, in the order of `KINDS`. */
  shares: readonly number[];
  /** How many that need others. */
  dependents: number;
  /** How many there are, for each of a folder with few. */
  times: number;
}

/** Modules that do next to nothing are given to their threads in batches. */
const MIXES: readonly Mix[] = [
  { shares: [60, 15, 15, 4, 3, 2, 1], dependents: 50, times: 1 },
  { shares: [97, 1, 1, 0, 0.5, 0.3, 0.2], dependents: 3, times: 10 },
  { shares: [20, 39, 39, 1, 0.5, 0.5, 0], dependents: 5, times: 2 },
];

/** Says that it was begun, adds up what its dependencies gave, and gives that and one. */
const MODULE = `
import { appendFileSync } from 'node:fs';
const begun = ({ id }) => appendFileSync('begun', id + '\\n');
export default (input, { dependencies, workstream }) => {
  begun(workstream);
  return { output: Object.values(dependencies).reduce((total, value) => total + (value ?? 0), 1) };
};
export const exits = (input, { workstream }) => {
  begun(workstream);
  process.exit(3);
};
`;

/** Writes about \`count\` workstreams or some times as many. Each adds its id to the file \`begun\` whenever it is really run. */
export function writeBacklog(folder: string, count: number, random: () => number): Backlog {
  const mix = MIXES[Math.floor(random() * MIXES.length)];
  if (mix === undefined) throw new RangeError('a random number was not below 1');
  const workstreams = Array.from({ length: count * mix.times }, (_, index) => ({
    id: `ws-${index}`,
    kind: kindOf(mix, random() * 100),
    needs: random() * 100 < mix.dependents ? dependencies(index, random) : [],
  }));
  const definitions = workstreams.map(({ id, kind, needs }) => ({
    id,
    steps: [step(kind, id)],
    ...(needs.length === 0 ? {} : { depends_on: needs }),
  }));
  writeFiles(folder, {
    'tasks/add.mjs': MODULE,
    'workstreams/first.json': definitions.slice(0, definitions.length / 2),
    'workstreams/second.json': definitions.slice(definitions.length / 2),
    'workstreams/broken.json': '{ "id": "ws-broken", ',
  });
  return { folder, workstreams };
}

/** @param lost ids of commands whose host was killed while they were running. */
export function endsOf({ workstreams }: Backlog, lost: ReadonlySet<string>): Ends {
  const statuses: Ends['statuses'] = new Map();
  const outputs: Ends['outputs'] = new Map();
  for (const { id, kind, needs } of workstreams) {
    const isSkipped = needs.some((need) => statuses.get(need) !== 'completed');
    const fails = kind === 'fails' || kind === 'exits' || lost.has(id);
    statuses.set(id, isSkipped ? 'skipped' : fails ? 'failed' : 'completed');
    if (statuses.get(id) !== 'completed' || kind !== 'module') continue;
    outputs.set(
      id,
      needs.reduce((sum, need) => sum + (outputs.get(need) ?? 0), 1),
    );
  }
  statuses.set('broken', 'failed');
  return { statuses, outputs };
}

function kindOf({ shares }: Mix, drawn: number): Kind {
  let left = drawn;
  for (const [index, kind] of KINDS.entries()) {
    left -= shares[index] ?? 0;
    if (left < 0) return kind;
  }
  return 'module';
}

/** One or two of those before it. */
function dependencies(index: number, random: () => number): string[] {
  const count = index === 0 ? 0 : 1 + Math.floor(random() * 2);
  return [...new Set(Array.from({ length: count }, () => `ws-${Math.floor(random() * index)}`))];
}

function step(kind: Kind, id: string): object {
  const begin = `echo ${id} >> begun`;
  switch (kind) {
    case 'module':
      return { module: '../tasks/add.mjs' };
    case 'exits':
      return { module: '../tasks/add.mjs', export: 'exits' };
    case 'run':
      return { run: begin };
    case 'command':
      return { command: ['sh', '-c', begin] };
    case 'slow':
      return { run: `${begin}; sleep 0.2` };
    case 'leaves':
      return { run: `${begin}; sleep 600 & sleep 0.05` };
    case 'fails':
      return { run: `${begin}; exit 3` };
  }
}

/** How often each workstream was really begun, by id. */
export function readBegun(folder: string): Map<string, number> {
  const file = join(folder, 'begun');
  const counts = new Map<string, number>();
  if (!existsSync(file)) return counts;
  for (const id of readFileSync(file, 'utf8').split('\n').filter(Boolean))
    counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** A folder of a few hundred quick workstreams of all kinds, of which it is known how each has to end. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFiles } from '../kit/command.ts';

export interface Backlog {
  folder: string;
  /** How each workstream has to end, by id. */
  expected: Map<string, 'completed' | 'failed' | 'skipped'>;
  /** What each one that completes and is a module has to give. */
  outputs: Map<string, number>;
}

/** Says that it runs, adds up what its dependencies gave, and gives that and one. */
const MODULE = `
import { appendFileSync } from 'node:fs';
export default async function (input, { dependencies, workstream }) {
  appendFileSync('markers/' + workstream.id, 'x');
  const sum = Object.values(dependencies).reduce((total, value) => total + (value ?? 0), 1);
  return { output: sum };
}
`;

type Kind = 'module' | 'run' | 'command' | 'slow' | 'leaves' | 'fails';

/** Writes the workstreams. Each adds a character to \`markers/ID\` whenever it is really run. */
export function writeBacklog(folder: string, count: number, random: () => number): Backlog {
  const expected: Backlog['expected'] = new Map();
  const outputs: Backlog['outputs'] = new Map();
  const definitions = Array.from({ length: count }, (_, index) => {
    const id = `ws-${index}`;
    const kind = kindOf(random());
    const needs = dependencies(index, random);
    const isSkipped = needs.some((need) => expected.get(need) !== 'completed');
    expected.set(id, isSkipped ? 'skipped' : kind === 'fails' ? 'failed' : 'completed');
    if (expected.get(id) === 'completed' && kind === 'module') {
      outputs.set(
        id,
        needs.reduce((sum, need) => sum + (outputs.get(need) ?? 0), 1),
      );
    }
    return { id, depends_on: needs, steps: [step(kind, id)] };
  });
  writeFiles(folder, {
    'tasks/add.mjs': MODULE,
    'markers/.keep': '',
    'workstreams/first.json': definitions.slice(0, count / 2),
    'workstreams/second.json': definitions.slice(count / 2),
    'workstreams/broken.json': '{ "id": "ws-broken", ',
  });
  expected.set('broken', 'failed');
  return { folder, expected, outputs };
}

function kindOf(chance: number): Kind {
  if (chance < 0.6) return 'module';
  if (chance < 0.75) return 'run';
  if (chance < 0.9) return 'command';
  if (chance < 0.94) return 'slow';
  return chance < 0.97 ? 'leaves' : 'fails';
}

/** Up to two of those before it; most have none. */
function dependencies(index: number, random: () => number): string[] {
  const count = index === 0 ? 0 : Math.floor(random() * 4) - 1;
  const needs = Array.from({ length: Math.max(0, count) }, () => `ws-${Math.floor(random() * index)}`);
  return [...new Set(needs)];
}

function step(kind: Kind, id: string): object {
  const mark = `printf x >> markers/${id}`;
  switch (kind) {
    case 'module':
      return { module: '../tasks/add.mjs' };
    case 'run':
      return { run: mark };
    case 'command':
      return { command: ['sh', '-c', mark] };
    case 'slow':
      return { run: `${mark}; sleep 0.2` };
    case 'leaves':
      return { run: `${mark}; sleep 600 & sleep 0.05` };
    case 'fails':
      return { run: `${mark}; exit 3` };
  }
}

/** How often each workstream was really run, by id. */
export function readMarkers(folder: string): Map<string, number> {
  const markers = join(folder, 'markers');
  if (!existsSync(markers)) return new Map();
  return new Map(
    readdirSync(markers)
      .filter((name) => name !== '.keep')
      .map((name) => [name, readFileSync(join(markers, name), 'utf8').length]),
  );
}

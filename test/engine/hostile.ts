/** Workstreams that behave in every way that code can, among plain ones, in an order that is drawn by lot. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Step, Workstream } from '../../src/domain/workstream.ts';
import { changing, endless, odd, plain, spoiling } from '../fixtures/modules/hostile.mjs';
import { commandStep, moduleStep, runStep, workstream } from '../kit/definitions.ts';

export interface Hostile {
  definition: Workstream;
  /** The name of what it does. */
  does: string;
  timeoutSeconds: number;
}

/** Those that keep their thread from answering: the main thread ends it. */
const BLOCKING = new Set(['loops', 'microtasksForEver', 'printsAndLoops', 'sleeps', 'a limit of its step']);

/** Whether its thread answers when its limit has passed. */
export const answers = ({ does }: Hostile): boolean => !BLOCKING.has(does);

type Kind = Omit<Hostile, 'definition'> & { steps: (n: number) => Step[] };

/**
 * Seconds after which those that do not end by themselves are ended. On a busy machine a module is loaded in 0.2, in a
 * thread of Node 20 that loads TypeScript, because that asks another thread; `observe` gives more time to what needs it.
 */
const SHORT = 0.6;
/** A limit that none of the others comes near. */
const LONG = 120;
/** How many of those beyond the first of each kind are plain. */
const PLAIN_SHARE = 0.75;

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/modules/${name}`, import.meta.url));
const shared = fixture('hostile.mjs');

/** At least one of each kind, `count` in all. Writes the modules that some need into `folder`. */
export function hostileWorkstreams(folder: string, count: number, random: () => number): Hostile[] {
  const plainKinds = Object.keys(plain).map((does) => kind(does));
  const kinds = [
    ...plainKinds,
    ...Object.keys({ ...odd, ...spoiling }).map((does) => kind(does)),
    ...Object.keys(endless).map((does) => kind(does, shared, SHORT)),
    ...Object.keys(changing).map((does) => kind(does, ownModule(folder, does))),
    ...unusualKinds(folder),
  ];
  const drawn = Array.from({ length: Math.max(0, count - kinds.length) }, () =>
    pick(random() < PLAIN_SHARE ? plainKinds : kinds, random),
  );
  return shuffled([...kinds, ...drawn], random).map(workstreamOf);
}

/** One that does this, with what many others load. */
export const hostileWorkstream = (does: string, n: number): Hostile => workstreamOf(kind(does), n);

const workstreamOf = ({ does, steps, timeoutSeconds }: Kind, n: number): Hostile => ({
  does,
  timeoutSeconds,
  definition: workstream(`ws-${n}`, steps(n)),
});

const kind = (does: string, module = shared, timeoutSeconds = LONG): Kind => ({
  does,
  timeoutSeconds,
  steps: (n) => [moduleStep(module, 'default', { does, n })],
});

/** After code that is new in its thread, all that code can change there is compared. */
function ownModule(folder: string, name: string): string {
  return written(
    folder,
    `${name}.mjs`,
    `import run from ${JSON.stringify(shared)};
export default (input, context) => run(input, context);`,
  );
}

function written(folder: string, name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}

/** Says that it was begun, in a file beside its own. */
const loadsForEver = (id: string): string =>
  `import { appendFileSync } from 'node:fs';
appendFileSync(new URL('begun', import.meta.url), '${id}\\n');
await new Promise(() => undefined);
export default () => 1;`;

/** What differs from one step of a module that can be loaded. */
function unusualKinds(folder: string): Kind[] {
  const one = (does: string, step: Step): Kind => ({ does, timeoutSeconds: LONG, steps: () => [step] });
  const loading = (does: string, source: string): Kind =>
    one(does, moduleStep(written(folder, `${does}.mjs`, source)));
  const step = (does: string, n: number, id: string): Step => ({
    ...moduleStep(shared, 'default', { does, n }),
    id,
  });
  const several = (does: string, ...names: string[]): Kind => ({
    does,
    timeoutSeconds: LONG,
    steps: (n) => names.map((name, index) => step(name, n, `step-${index + 1}`)),
  });
  return [
    one('no such module', moduleStep(join(folder, 'missing.mjs'))),
    one('no such export', moduleStep(shared, 'missing')),
    one('no function', moduleStep(shared, 'plain')),
    one('a syntax error', moduleStep(fixture('syntax-error.mjs'))),
    one('TypeScript', moduleStep(fixture('typed.ts'), 'default', { value: 21 })),
    one('TypeScript that throws', moduleStep(fixture('typed.ts'), 'fails')),
    one('CommonJS', moduleStep(fixture('compiled.cjs'), 'named')),
    one('a generator', moduleStep(fixture('behaviours.mjs'), 'generates')),
    loading('waits while loading', 'await new Promise(setImmediate); export default () => ({ output: 1 });'),
    loading('rejects while loading', 'await Promise.reject(new Error("top")); export default () => 1;'),
    loading('throws while loading', 'throw new TypeError("top"); export default () => 1;'),
    loading('exits while loading', 'process.exit(6); export default () => 1;'),
    {
      does: 'loads for ever',
      timeoutSeconds: SHORT,
      steps: (n) => [moduleStep(written(folder, `loads-for-ever-${n}.mjs`, loadsForEver(`ws-${n}`)))],
    },
    several('two steps', 'number', 'metrics'),
    several('the second fails', 'prints', 'throwsError', 'nothing'),
    several('the first exits', 'exits', 'nothing'),
    one('a command', commandStep(['true'])),
    one('a command that fails', runStep('exit 3')),
    one('a limit of its step', {
      ...moduleStep(shared, 'default', { does: 'loops', n: 0 }),
      timeoutSeconds: SHORT,
    }),
  ];
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to draw from');
  return item;
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** The structure of the source: which room may import which, how deep files are, how types are named. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = globSync(['src/**/*.{ts,tsx}', 'workers/**/*.ts'], { cwd: root }).toSorted();

interface Import {
  from: string;
  to: string;
  /** Path within the project, or the package's name. */
  local: boolean;
  typeOnly: boolean;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|import\('([^']+)'\)|require\('([^']+)'\)/g;

const textOf = new Map<string, string>(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

const imports: Import[] = [...textOf].flatMap(([from, text]) => {
  return [...text.matchAll(IMPORT)].map(([, type, statement, dynamic, required]) => {
    const specifier = statement ?? dynamic ?? required ?? '';
    const local = specifier.startsWith('.');
    const to = local ? relative(root, resolve(root, dirname(from), specifier)) : specifier;
    return { from, to, local, typeOnly: type !== undefined };
  });
});

/** By file: the files that import it. */
const importers = new Map<string, Set<string>>(files.map((file) => [file, new Set()]));
for (const { from, to } of imports) importers.get(to)?.add(from);

const room = (path: string): string => (path.startsWith('workers/') ? 'workers' : (path.split('/')[1] ?? ''));
const inRoom = (name: string): Import[] => imports.filter(({ from }) => room(from) === name);
const show = ({ from, to }: Import): string => `${from} → ${to}`;

/** The ground rooms, from the bottom up: what every other room may use. */
const GROUND = ['text', 'os', 'domain', 'secrets', 'typescript'];

/** Rooms that each room may use beside itself. */
const ALLOWED: Record<string, string[]> = {
  text: [],
  os: ['text'],
  domain: [],
  secrets: ['text', 'os', 'domain'],
  typescript: ['os'],
  cache: GROUND,
  plan: GROUND,
  analysis: GROUND,
  workstream: GROUND,
  engine: GROUND,
  // Which pattern an error has is part of its row, what it goes with is a sentence of the report, and analysis is pure.
  store: ['analysis', ...GROUND],
  worktree: GROUND,
  github: GROUND,
  report: ['analysis', ...GROUND],
  progress: GROUND,
  watch: GROUND,
  control: GROUND,
  run: ['plan', 'analysis', ...GROUND],
  scaling: ['run', ...GROUND],
  app: [
    'run',
    'scaling',
    'plan',
    'analysis',
    'workstream',
    'engine',
    'store',
    'worktree',
    'github',
    'report',
    'progress',
    'cache',
    'control',
    ...GROUND,
  ],
  // Runs in a browser, and sees the types of what it reads.
  web: ['domain'],
  tune: ['app', 'scaling', 'plan', 'store', ...GROUND],
  dashboard: ['app', 'store', 'report', 'control', ...GROUND],
  cli: [
    'app',
    'tune',
    'dashboard',
    'watch',
    'control',
    'run',
    'plan',
    'analysis',
    'workstream',
    'store',
    'worktree',
    'report',
    'progress',
    ...GROUND,
  ],
};

describe('rooms', () => {
  test.each(Object.entries(ALLOWED))('%s imports only what is below it', (name, allowed) => {
    const wrong = inRoom(name).filter(
      ({ to, local }) => local && room(to) !== name && !(to.startsWith('src/') && allowed.includes(room(to))),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  test('every folder under src has its rule', () => {
    const rooms = new Set(
      files.filter((file) => file.split('/').length > 2 && file.startsWith('src/')).map(room),
    );
    expect([...rooms].filter((name) => !(name in ALLOWED))).toEqual([]);
  });

  test('workers import only the ground rooms', () => {
    const wrong = inRoom('workers').filter(
      ({ to, local }) => local && !to.startsWith('workers/') && !GROUND.includes(room(to)),
    );
    expect(wrong.map(show)).toEqual([]);
  });
});

/** What opens the database, or writes a report. */
const DATABASE = /better-sqlite3|src\/(store|report)\//;

describe('doors', () => {
  test.each([
    ['better-sqlite3', /^src\/store\//],
    ['piscina', /^src\/engine\/agent-pool\.ts$/],
    ['yargs', /^src\/(cli\/|bin\.ts)/],
    ['esbuild', /^src\/typescript\/(compiler|imports)\.ts$/],
    ['log-update', /^src\/progress\//],
    ['simple-statistics', /^src\/analysis\//],
    ['mdast-util-to-markdown', /^src\/report\//],
    ['@octokit/core', /^src\/github\/api\.ts$/],
    ['hono', /^src\/dashboard\//],
    ['@hono/node-server', /^src\/dashboard\/server\.ts$/],
  ])('%s has one', (name, door) => {
    const users = imports.filter(({ to }) => to === name || to.startsWith(`${name}/`));
    expect(users.length).toBeGreaterThan(0);
    expect(users.filter(({ from }) => !door.test(from)).map(show)).toEqual([]);
  });

  test('the channel to the parent has one', () => {
    const users = files.filter((file) => /\bprocess\.send\?\./.test(textOf.get(file) ?? ''));
    expect(users).toEqual(['src/os/parent-channel.ts']);
  });

  const reachedFrom = (...entries: string[]): Set<string> => {
    const reached = new Set(entries);
    for (const file of reached)
      for (const { from, to, typeOnly } of imports) if (from === file && !typeOnly) reached.add(to);
    return reached;
  };

  test('nothing that a worker thread loads opens the database', () => {
    const reached = reachedFrom(
      'workers/thread-agent.ts',
      'workers/process-agent.ts',
      'workers/command-host.ts',
    );
    expect(reached.has('workers/execute.ts')).toBe(true);
    expect([...reached].filter((file) => DATABASE.test(file))).toEqual([]);
    // Each would cost every thread its time to load and its memory; pino is loaded when a module logs.
    expect([...reached].filter((file) => /^(zod|yargs|esbuild)$/.test(file))).toEqual([]);
  });

  test('nothing that a thread with TypeScript loads besides opens it either', () => {
    const reached = reachedFrom('workers/modules/typescript.ts');
    expect(reached.has('src/typescript/compiler.ts')).toBe(true);
    expect([...reached].filter((file) => DATABASE.test(file))).toEqual([]);
  });
});

test('there is no import cycle', () => {
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const { to, local } of imports.filter(({ from }) => from === file))
      if (local) visit(to, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

describe('depth', () => {
  test('no folder has more files than a reader can take in', () => {
    const counts = new Map<string, number>();
    for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 28)).toEqual([]);
  });

  /** Files of fewer than 40 lines with one importer. What has no reason to be a file of its own belongs to its importer. */
  const SHALLOW: Record<string, string> = {
    'src/app/version-details.ts': 'joins rooms: the command line does not import the engine',
    'src/cli/actions/worker.ts': 'an action, loaded when it is called',
    'src/cli/commands.ts': 'table: each command and the module that carries it out',
    'src/cli/github.ts': 'port: the environment of GitHub Actions',
    'src/cli/tuning-chart.ts': 'pure: the result of a tuning as text',
    'src/engine/by-isolation.ts': 'the one engine that a run sees',
    'src/github/issue-query.ts': 'pure: the issues that words of a search mean',
    'src/report/csv.ts': 'pure: the table of results as CSV',
    'src/os/run-with-timeout.ts': 'port: the one use of node:vm',
    'src/store/schema/migrations/all.ts': 'table: migrations in order',
    'src/unwatched.ts': 'entry',
    'src/web/app.tsx': 'the page of one run, beside that of the dashboard',
    'src/web/read-document.ts': 'port: the document in the page',
    'src/watch/is-watched.ts': 'loaded before anything else: must import nothing',
    'workers/modules/import-module.ts': 'a file of its own in the build',
    'workers/runners/command.ts': 'a runner, one file for each kind of step',
    'workers/runners/step.ts': 'table: the runner of each kind of step',
    'workers/tools/registry.ts': 'table: the adapter of each tool, loaded when it is needed',
  };

  test('a file of fewer than 40 lines with one importer has a reason', () => {
    const shallow = files.filter(
      (file) =>
        importers.get(file)?.size === 1 &&
        (textOf.get(file) ?? '').split('\n').length <= 40 &&
        !/\/migrations\/\d/.test(file),
    );
    expect(shallow.filter((file) => !(file in SHALLOW))).toEqual([]);
    expect(Object.keys(SHALLOW).filter((file) => !files.includes(file))).toEqual([]);
  });
});

describe('what is done for each workstream', () => {
  /** The code after a docstring that says so, up to the end of its block. */
  const WRITTEN_OUT = /^( *)\/\*\*(?:(?!\*\/)[^])*?Written out(?:(?!\*\/)[^])*?\*\/\n[^]*?\n\1\}/gm;
  const written = [...textOf].flatMap(([file, text]) =>
    [...text.matchAll(WRITTEN_OUT)].map(([code]) => ({ file, code })),
  );

  test('is marked where objects are made of it', () => {
    expect(written.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['src/run/attempt/attempt-runner.ts', 'src/run/attempt/result.ts']),
    );
  });

  // Decision 0005: V8 gives an object that was made by spreading a class of its own.
  test('makes no object by spreading others', () => {
    const spreading = written.filter(({ code }) => /^\s*\.\.\.|\{ \.\.\./m.test(code));
    expect(spreading.map(({ file, code }) => `${file}: ${code.slice(0, 200)}`)).toEqual([]);
  });
});

describe('names', () => {
  const TYPE = /^(export )?(?:declare )?(?:abstract )?(?:interface|type|class|enum) (\w+)/gm;

  test('no exported type shares its name with another type', () => {
    const declared = [...textOf].flatMap(([file, text]) =>
      [...text.matchAll(TYPE)].map((match) => ({ file, name: match[2] ?? '', isExported: !!match[1] })),
    );
    const shared = declared.filter(
      ({ file, name, isExported }) =>
        isExported && declared.some((other) => other.name === name && other.file !== file),
    );
    expect(shared.map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
  });
});

describe('documents', () => {
  const documents = globSync(['*.md', 'docs/**/*.md', '!CHANGELOG.md'], { cwd: root }).toSorted();

  test.each(documents)('%s names files that exist', (document) => {
    const text = readFileSync(join(root, document), 'utf8');
    const named = [...text.matchAll(/`((?:src|workers|test|docs)\/[\w./-]+)`/g)].map(([, path = '']) => path);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('docs/decisions/README.md lists every decision', () => {
    const index = readFileSync(join(root, 'docs/decisions/README.md'), 'utf8');
    const pages = documents
      .filter((document) => /decisions\/\d/.test(document))
      .map((page) => basename(page));
    expect(pages.filter((page) => !index.includes(`](${page})`))).toEqual([]);
  });

  test('ARCHITECTURE.md names types that exist', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const named = [...text.matchAll(/`([A-Z][a-z]+[A-Z]\w+|[A-Z][a-z]+)`/g)].map(([, name = '']) => name);
    const source = [...textOf.values()].join('\n');
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !new RegExp(`(?:interface|type|class) ${name}\\b`).test(source))).toEqual(
      [],
    );
  });
});

/** What did not change is taken over: seen through the command alone. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const sweep = (values: number[], fields: object = {}) => ({
  id: 'ws-burn',
  matrix: { n: values },
  steps: [{ module: '../tasks/burn.ts', input: { n: '${{ matrix.n }}' } }],
  outputs: ['out/${{ matrix.n }}.txt'],
  cache: { inputs: ['data/*.csv'], env: ['SEED'] },
  ...fields,
});

/** A sweep over a TypeScript module with an import and a package, and what adds its outputs up. */
function makeSweep(values: number[]): string {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'data/in.csv': '1',
    'node_modules/left/package.json': '{ "version": "1.0.0", "main": "left.cjs" }',
    'node_modules/left/left.cjs': 'module.exports = (n) => n + 1;',
    'tasks/lib.ts': 'export const twice = (n: number): number => 2 * n;',
    'tasks/burn.ts': `
      import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
      import left from 'left';
      import { twice } from './lib.js';
      export default ({ n }: { n: number }) => {
        mkdirSync('out', { recursive: true });
        writeFileSync('out/' + n + '.txt', 'of ' + n);
        return { output: twice(left(n)) + Number(readFileSync('data/in.csv')) };
      };`,
    'workstreams/burn.json': sweep(values),
    'workstreams/sum.json': {
      id: 'ws-sum',
      depends_on: ['ws-burn'],
      steps: [{ module: '../tasks/sum.mjs' }],
      cache: true,
    },
    'tasks/sum.mjs':
      'export default (_, { dependencies }) => ({ output: Object.values(dependencies).reduce((a, b) => a + b) });',
  });
  return folder;
}

interface LogLine {
  event: string;
  workstream_id?: string;
  from_run?: string;
  taken_over?: number;
  saved_seconds?: number;
}

/** What a run executed, what it took over, and the output of the sum. */
async function run(folder: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await millrace(folder, ['run', ...args], { SEED: '1', ...env });
  expect([code, stderr]).toEqual([0, '']);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line): LogLine => JSON.parse(line));
  const idsOf = (event: string, taken: boolean): string[] =>
    lines
      .filter((line) => line.event === event && (line.from_run !== undefined) === taken)
      .map((line) => line.workstream_id ?? '')
      .toSorted();
  const [sum] = query<{ output: number }>(
    folder,
    "SELECT metadata ->> '$.output' AS output FROM agent_results WHERE workstream_id = 'ws-sum' ORDER BY id DESC LIMIT 1",
  );
  return {
    executed: idsOf('workstream-started', false),
    taken: idsOf('workstream-finished', true),
    ended: lines.at(-1),
    sum: sum?.output,
  };
}

test('of a sweep that grows only new members run, and of one that did not change none', async () => {
  const folder = makeSweep([1, 2]);
  const first = await run(folder);
  expect(first).toMatchObject({ taken: [], sum: 12, ended: { taken_over: 0, saved_seconds: 0 } });
  expect(first.executed).toHaveLength(3);
  const second = await run(folder);
  expect(second).toMatchObject({ executed: [], taken: first.executed, sum: 12, ended: { taken_over: 3 } });
  expect(second.ended?.saved_seconds).toBeGreaterThan(0);
  writeFiles(folder, { 'workstreams/burn.json': sweep([1, 2, 3]) });
  const third = await run(folder);
  expect(third.taken).toEqual(first.executed.filter((id) => id !== 'ws-sum'));
  expect(third.executed).toHaveLength(2);
  expect(third.sum).toBe(21);
});

test('of a sweep of 200 to which a value is added only that one runs, and files are put back', async () => {
  const values = Array.from({ length: 200 }, (_, n) => n);
  const folder = makeSweep(values);
  await run(folder);
  const read = (n: number): string => readFileSync(join(folder, `out/${n}.txt`), 'utf8');
  rmSync(join(folder, 'out/7.txt'));
  writeFileSync(join(folder, 'out/8.txt'), 'by hand');
  writeFiles(folder, { 'workstreams/burn.json': sweep([...values, 200]) });
  const { executed, taken } = await run(folder);
  expect([executed.length, taken.length]).toEqual([2, 200]);
  expect([read(7), read(8), read(200)]).toEqual(['of 7', 'of 8', 'of 200']);
  const restored = query<{ files: string }>(
    folder,
    "SELECT files_modified AS files FROM agent_results WHERE from_run IS NOT NULL AND files_modified <> '[]' ORDER BY files",
  );
  expect(restored.map(({ files }) => files)).toEqual(['["out/7.txt"]', '["out/8.txt"]']);
});

test('why says what has changed, and where the result is from; lists and reports count it', async () => {
  const folder = makeSweep([1]);
  const { executed } = await run(folder);
  const id = executed[0] ?? '';
  await run(folder);
  const [{ from_run: from } = { from_run: '' }] = query<{ from_run: string }>(
    folder,
    'SELECT from_run FROM agent_results WHERE from_run IS NOT NULL LIMIT 1',
  );
  const textOf = async (...args: string[]): Promise<string> => (await millrace(folder, args)).stdout;
  expect(await textOf('why', id)).toContain(`its result of ${from} was taken over, as nothing had changed.`);
  expect(await textOf('runs')).toMatch(/completed {2}taken over/);
  expect(await textOf('show', 'latest')).toMatch(/2 completed \(2 taken over, .* saved\)/);
  expect(await textOf('report', 'latest', '--format', 'md')).toContain(
    'all results were taken over from earlier runs.',
  );
  writeFileSync(join(folder, 'tasks/lib.ts'), 'export const twice = (n: number): number => n + n;');
  await run(folder, [], { SEED: '2' });
  expect(await textOf('why', id)).toContain(
    'It was executed because of what has changed: env SEED differs, module tasks/lib.ts changed.',
  );
});

test('--no-cache executes everything, and what it computed is taken over by the next run', async () => {
  const folder = makeSweep([1]);
  await run(folder);
  expect(await run(folder, ['--no-cache'])).toMatchObject({ taken: [], executed: { length: 2 } });
  const newest = query<{ run_id: string }>(
    folder,
    'SELECT run_id FROM consolidated_runs ORDER BY rowid DESC LIMIT 1',
  );
  await run(folder);
  expect(
    query(folder, 'SELECT DISTINCT from_run AS run_id FROM agent_results WHERE from_run IS NOT NULL'),
  ).toEqual(newest);
});

test('after the state folder was removed everything is executed, and after the database was, nothing', async () => {
  const folder = makeSweep([1]);
  await run(folder);
  for (const end of ['', '-wal', '-shm'])
    rmSync(join(folder, `.state/multi_agent_consolidated.db${end}`), { force: true });
  expect(await run(folder)).toMatchObject({ executed: [], taken: { length: 2 } });
  rmSync(join(folder, '.state'), { recursive: true });
  expect(await run(folder)).toMatchObject({ taken: [], executed: { length: 2 } });
});

test('what a run that was killed had computed is taken over when it is resumed', async () => {
  const folder = temporaryFolder();
  const step = (line: string): object[] => [{ run: line }];
  writeFiles(folder, {
    'workstreams/a.json': { id: 'ws-a', steps: step('echo a'), cache: true },
    'workstreams/b.json': {
      id: 'ws-b',
      depends_on: ['ws-a'],
      steps: step('test -e go || sleep 600'),
      cache: true,
    },
  });
  const started = startMillrace(folder, ['run']);
  await started.line(
    (line) => line.includes('"workstream_id":"ws-b"') && line.includes('workstream-started'),
  );
  started.killAll();
  await started.finished;
  writeFileSync(join(folder, 'go'), '');
  expect((await millrace(folder, ['run', '--resume'])).code).toBe(0);
  expect((await millrace(folder, ['run'])).code).toBe(0);
  const rows = query(
    folder,
    'SELECT workstream_id, from_run IS NOT NULL AS taken FROM agent_results ORDER BY id',
  );
  expect(rows).toEqual([
    { workstream_id: 'ws-a', taken: 0 },
    { workstream_id: 'ws-b', taken: 0 },
    { workstream_id: 'ws-a', taken: 1 },
    { workstream_id: 'ws-b', taken: 1 },
  ]);
});

test('prune removes what no run has used', async () => {
  const folder = makeSweep([1]);
  await run(folder);
  const { stdout } = await millrace(folder, ['prune', '--older-than', '0s', '--json'], {
    TMPDIR: temporaryFolder(),
  });
  const { removed } = JSON.parse(stdout) as { removed: { kind: string; count: number }[] };
  expect(removed).toContainEqual(expect.objectContaining({ kind: 'results', count: 2 }));
  expect(await run(folder)).toMatchObject({ taken: [] });
});

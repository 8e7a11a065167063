/** The main job from the outside: a folder in; logs, a database, a report and an exit code out. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bin, millrace, parseLines, startMillrace, writeFiles } from '../kit/command.ts';
import { onlyReport, reportText } from '../kit/reports.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const behaviours = fileURLToPath(new URL('../fixtures/modules/behaviours.mjs', import.meta.url));

const good = [
  { id: 'ws-a', title: 'First', steps: [{ module: behaviours, input: { n: 1 } }] },
  { id: 'ws-b', steps: [{ run: 'echo b' }], depends_on: ['ws-a'] },
  { id: 'ws-c', steps: [{ command: ['printf', 'c'] }], acceptance_tests: ['true', 'Read it once more'] },
];

const byId =
  'SELECT workstream_id AS id, status, reason, agent_id AS agent FROM agent_results ORDER BY workstream_id';

test('good workstreams complete, and the log names the database and the report', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/good.json': good });
  const { code, stdout, stderr } = await millrace(folder, []);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = parseLines(stdout);
  const events = lines.map(({ event }) => event);
  expect(events.filter((event) => event === 'workstream-finished')).toHaveLength(3);
  expect(stdout).toContain('.state/multi_agent_consolidated.db');
  expect(stdout).toContain(onlyReport(join(folder, 'reports')));
  expect(stdout).toContain(onlyReport(join(folder, 'reports'), 'html'));
  expect(reportText(join(folder, 'reports'))).toContain('All 3 workstreams completed.');
  expect(query(folder, byId).map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
});

test('one bad file, one failing and one hanging workstream cost only themselves', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/good.json': good,
    'workstreams/bad.json': '{ "id": "ws-bad", ',
    'workstreams/more.json': [
      { id: 'ws-fails', steps: [{ run: 'echo the reason >&2; exit 7' }] },
      { id: 'ws-hangs', steps: [{ module: behaviours, export: 'neverEnds' }], timeout_seconds: 0.3 },
      { id: 'ws-needs', steps: [{ run: 'true' }], depends_on: ['ws-fails'] },
      { id: 'ws-after', steps: [{ run: 'true' }], depends_on: [{ id: 'ws-fails', when: 'finished' }] },
    ],
  });
  const { code, stdout } = await millrace(folder, ['run', '--grace', '0.1']);
  expect(code).toBe(1);
  expect(parseLines(stdout).length).toBeGreaterThan(8);
  expect(query(folder, byId)).toEqual([
    { id: 'bad', status: 'failed', reason: 'invalid-workstream', agent: 'coordinator' },
    { id: 'ws-a', status: 'completed', reason: null, agent: expect.stringMatching(/^agent-/) },
    { id: 'ws-after', status: 'completed', reason: null, agent: expect.stringMatching(/^agent-/) },
    { id: 'ws-b', status: 'completed', reason: null, agent: expect.stringMatching(/^agent-/) },
    { id: 'ws-c', status: 'completed', reason: null, agent: expect.stringMatching(/^agent-/) },
    { id: 'ws-fails', status: 'failed', reason: 'exit-non-zero', agent: expect.stringMatching(/^agent-/) },
    { id: 'ws-hangs', status: 'failed', reason: 'timed-out', agent: expect.stringMatching(/^agent-/) },
    { id: 'ws-needs', status: 'skipped', reason: 'dependency-failed', agent: 'coordinator' },
  ]);
  const [run] = query(folder, 'SELECT * FROM consolidated_runs');
  expect(run).toMatchObject({
    total_workstreams: 8,
    completed_count: 4,
    failed_count: 3,
    skipped_count: 1,
    total_errors: 3,
    state: 'ended',
  });
  const [error] = query(folder, "SELECT * FROM consolidated_errors WHERE workstream_id = 'ws-fails'");
  expect(error).toMatchObject({ error_type: 'exit-non-zero', tail: 'the reason\n' });
});

test('every kind of definition that can not run has its row and its reason', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-twice', steps: [{ run: 'true' }] },
      { id: 'ws-twice', steps: [{ run: 'true' }] },
      { id: 'ws-x', steps: [{ run: 'true' }], depends_on: ['ws-y'] },
      { id: 'ws-y', steps: [{ run: 'true' }], depends_on: ['ws-x'] },
      { id: 'ws-lost', steps: [{ run: 'true' }], depends_on: ['ws-twic'] },
      { id: 'ws-nothing' },
      { id: 'ws-module', steps: [{ module: './missing.mjs' }] },
      { id: 'ws-tool', tool: 'aider', tasks: ['Do it'] },
      { id: 'ws-fine', steps: [{ run: 'true' }] },
    ],
  });
  const { code } = await millrace(folder, []);
  expect(code).toBe(1);
  expect(query(folder, byId).map(({ id, reason }) => [id, reason])).toEqual([
    ['ws-fine', null],
    ['ws-lost', 'missing-dependency'],
    ['ws-module', 'module-not-found'],
    ['ws-nothing', 'invalid-workstream'],
    ['ws-tool', 'tool-not-found'],
    ['ws-twice', 'duplicate-id'],
    ['ws-x', 'cycle'],
    ['ws-y', 'cycle'],
  ]);
});

test('outputs reach dependents, and a matrix is expanded and gathered', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/square.mjs': 'export default ({ n }) => ({ output: n * n });',
    'workstreams/sum.mjs':
      'export default (_, { dependencies }) => ({ output: Object.values(dependencies).reduce((a, b) => a + b, 0) });',
    'workstreams/all.json': [
      {
        id: 'ws-square',
        matrix: { n: [1, 2, 3] },
        title: 'Square of ${{ matrix.n }}',
        steps: [
          { run: 'test "$MATRIX_N" -gt 0' },
          { module: './square.mjs', input: { n: '${{ matrix.n }}' } },
        ],
      },
      { id: 'ws-sum', depends_on: ['ws-square'], steps: [{ module: './sum.mjs' }] },
    ],
  });
  const { code } = await millrace(folder, []);
  expect(code).toBe(0);
  const rows = query(
    folder,
    "SELECT workstream_id AS id, json_extract(metadata, '$.output') AS output FROM agent_results ORDER BY 1",
  );
  expect(rows).toEqual([
    { id: 'ws-square-n-1', output: 1 },
    { id: 'ws-square-n-2', output: 4 },
    { id: 'ws-square-n-3', output: 9 },
    { id: 'ws-sum', output: 14 },
  ]);
});

test('round-robin pins the n-th workstream to agent n modulo N', async () => {
  const folder = temporaryFolder();
  const ids = Array.from({ length: 7 }, (_, index) => `ws-${index + 1}`);
  writeFiles(folder, { 'workstreams/all.json': ids.map((id) => ({ id, steps: [{ run: 'true' }] })) });
  const { code } = await millrace(folder, ['run', '-j', '3', '--distribution', 'round-robin']);
  expect(code).toBe(0);
  const rows = query(folder, 'SELECT agent_id AS agent FROM agent_results ORDER BY workstream_id');
  expect(rows.map(({ agent }) => agent)).toEqual(
    ['1', '2', '3', '1', '2', '3', '1'].map((number) => `agent-${number}`),
  );
});

test('members of a conflict group and workstreams that run alone never overlap', async () => {
  const folder = temporaryFolder();
  // Each fails if the folder it makes is there already: mkdir is atomic.
  const exclusive = (lock: string) => ({ run: `mkdir ${lock} && sleep 0.05 && rmdir ${lock}` });
  const group = Array.from({ length: 4 }, (_, index) => ({
    id: `ws-group-${index}`,
    conflict_group: 'database',
    steps: [exclusive('group')],
  }));
  const scope = ['src/**', 'src/a/b.ts', './src'].map((path, index) => ({
    id: `ws-scope-${index}`,
    files_scope: [path],
    steps: [exclusive('scope')],
  }));
  const alone = {
    id: 'ws-alone',
    parallel_ok: false,
    steps: [{ run: 'test ! -d group && test ! -d scope' }],
  };
  writeFiles(folder, { 'workstreams/all.json': [...group, alone, ...scope] });
  const { code, stdout } = await millrace(folder, ['run', '-j', '4']);
  expect(stdout).not.toContain('exit-non-zero');
  expect(code).toBe(0);
});

test('a dry run prints the plan, runs nothing and writes nothing', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/good.json': good });
  const { code, stdout } = await millrace(folder, ['run', '--dry-run']);
  expect(code).toBe(0);
  expect(stdout).toContain('3 workstreams in 2 waves');
  expect(readdirSync(folder)).toEqual(['workstreams']);
});

test('--json gives one document, and the log goes to standard error', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/good.json': good });
  const { code, stdout, stderr } = await millrace(folder, ['run', '--json']);
  expect(code).toBe(0);
  const document = JSON.parse(stdout) as Record<string, unknown>;
  const promised = ['version', 'run', 'agents', 'workstreams', 'errors', 'recommendations'];
  expect(promised.filter((name) => !(name in document))).toEqual([]);
  expect(document['version']).toBe(1);
  expect(document['workstreams']).toHaveLength(3);
  expect(parseLines(stderr).length).toBeGreaterThan(3);
});

test('--junit and --log-file write files beside', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/good.json': good });
  const { code, stdout } = await millrace(folder, [
    'run',
    '--junit',
    'results.xml',
    '--log-file',
    'run.ndjson',
  ]);
  expect(code).toBe(0);
  expect(readFileSync(join(folder, 'results.xml'), 'utf8')).toContain('<testsuite');
  expect(parseLines(readFileSync(join(folder, 'run.ndjson'), 'utf8'))).toEqual(parseLines(stdout));
});

test('one workstream can be run alone, with what it needs or after what it needed completed', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/good.json': good });
  expect((await millrace(folder, ['run', 'ws-b'])).code).toBe(1);
  expect(query(folder, byId)).toMatchObject([{ id: 'ws-b', status: 'skipped', reason: 'dependency-failed' }]);
  expect((await millrace(folder, ['run', 'ws-b', '--with-dependencies'])).code).toBe(0);
  expect((await millrace(folder, ['run', 'ws-b'])).code).toBe(0);
});

test('a reader that goes away does not keep the run from ending', async () => {
  const folder = temporaryFolder();
  const steps = [{ run: 'true' }];
  const many = Array.from({ length: 50 }, (_, index) => ({ id: `ws-${index}`, steps }));
  writeFiles(folder, { 'workstreams/all.json': many });
  const { spawnSync } = await import('node:child_process');
  const { cleanEnvironment } = await import('../kit/command.ts');
  spawnSync('sh', ['-c', `"${process.execPath}" "${bin}" run | head -1`], {
    cwd: folder,
    env: cleanEnvironment(),
  });
  expect(query(folder, "SELECT COUNT(*) AS n FROM agent_results WHERE status = 'completed'")).toEqual([
    { n: 50 },
  ]);
  expect(existsSync(join(folder, 'reports'))).toBe(true);
});

test('the exit code does not depend on a reader: a failed run is a failed run', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': { id: 'ws-bad', steps: [{ run: 'exit 3' }] } });
  const run = startMillrace(folder, ['run', '--json']);
  run.child.stdout?.destroy();
  expect((await run.finished).code).toBe(1);
});

test('a report that can not be written does not take the results with it', async () => {
  const folder = temporaryFolder();
  const occupies = { id: 'ws-file', steps: [{ run: 'echo a file where the folder should be > reports' }] };
  writeFiles(folder, { 'workstreams/good.json': good, 'workstreams/occupies.json': occupies });
  const { code, stdout } = await millrace(folder, []);
  expect(code).toBe(3);
  expect(parseLines(stdout).at(-1)).toMatchObject({ level: 50, event: 'notice' });
  expect(query(folder, byId).map(({ status }) => status)).toEqual([
    'completed',
    'completed',
    'completed',
    'completed',
  ]);
});

test('a workstream may run Millrace, and its children know the inner run', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'inner/workstreams/all.json': { id: 'ws-inner', steps: [{ run: 'echo "$MILLRACE_WORKSTREAM_ID"' }] },
    'workstreams/all.json': {
      id: 'ws-outer',
      steps: [{ command: [process.execPath, bin, 'run'], cwd: 'inner' }],
    },
  });
  expect((await millrace(folder, [])).code).toBe(0);
  const [row] = query(join(folder, 'inner'), 'SELECT log_file AS log FROM agent_results');
  expect(readFileSync(String(row?.['log']), 'utf8')).toBe('ws-inner\n');
});

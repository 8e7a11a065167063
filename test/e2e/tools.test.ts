/** What a run does with its tools: gives one workstream to several, stops using one that is broken, counts what they cost. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const scripted = fileURLToPath(new URL('../fixtures/tools/scripted.mjs', import.meta.url));

const TOOLS = {
  good: { command: ['node', scripted] },
  claude: { command: ['node', scripted, '--claude'] },
  lazy: { command: ['true'] },
  missing: { command: ['no-such-program-anywhere'] },
};

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();

/** A folder with these workstreams; a repository unless said otherwise. */
function project(workstreams: unknown[], { config = {}, isRepository = true } = {}): string {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'millrace.config.json': { tools: TOOLS, ...config },
    'workstreams/all.json': workstreams,
    '.gitignore': 'reports/\n',
  });
  if (!isRepository) return folder;
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'add', '-A');
  git(folder, '-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '-m', 'Begin');
  return folder;
}

const outcomes = (folder: string) =>
  query(folder, 'SELECT workstream_id AS id, status, reason FROM agent_results ORDER BY id');

const write = (id: string, tool: string, more: object = {}) => ({
  id,
  tool,
  tasks: [`write ${id}.txt hello`],
  files_scope: [`${id}.txt`],
  ...more,
});

test('one workstream is given to several tools, and the best result counts', async () => {
  const folder = project([
    write('ws-a', 'good', { acceptance_tests: ['grep hello ws-a.txt'] }),
    { id: 'ws-b', steps: [{ run: 'true' }], depends_on: ['ws-a'] },
  ]);
  const { code } = await millrace(folder, ['run', '--best-of', 'lazy,claude,good']);
  expect(code).toBe(0);
  const [row] = query<{ tool: string; attempts: number; metadata: string; branch: string }>(
    folder,
    "SELECT tool, attempts, metadata, branch FROM agent_results WHERE workstream_id = 'ws-a'",
  );
  // A cost that is known is less than one that is not.
  expect(row).toMatchObject({ tool: 'claude', attempts: 3 });
  const { candidates, merge } = JSON.parse(row?.metadata ?? '');
  expect(candidates).toMatchObject([
    { tool: 'lazy', chosen: false, completed: false, reason: 'no-changes' },
    { tool: 'claude', chosen: true, accepted: true, testsPassed: 1, costUsd: 0.25, changedLines: 1 },
    { tool: 'good', chosen: false, accepted: true, testsPassed: 1, costUsd: null },
  ]);
  expect(git(folder, 'rev-parse', row?.branch ?? '')).toBe(candidates[1].commit);
  expect(git(folder, 'show', `${candidates[2].commit}:ws-a.txt`)).toBe('hello');
  expect(merge.status).toBe('merged');
  const attempts = query(folder, 'SELECT attempt, tool, reason FROM workstream_attempts ORDER BY attempt');
  expect(attempts).toEqual([
    { attempt: 1, tool: 'lazy', reason: 'no-changes' },
    { attempt: 2, tool: 'claude', reason: null },
    { attempt: 3, tool: 'good', reason: null },
  ]);
});

test('where no candidate is accepted the branch is that of the one that counts', async () => {
  const folder = project([write('ws-a', 'good', { acceptance_tests: ['test "$MILLRACE_ATTEMPT" = 9'] })]);
  await millrace(folder, ['run', '--best-of', 'claude,good']);
  const [row] = query<{ metadata: string; branch: string }>(folder, 'SELECT * FROM agent_results');
  const { candidates } = JSON.parse(row?.metadata ?? '');
  expect(candidates).toMatchObject([
    { tool: 'claude', chosen: true },
    { tool: 'good', chosen: false },
  ]);
  expect(git(folder, 'rev-parse', row?.branch ?? '')).toBe(candidates[0].commit);
});

test('candidates share the money of their workstream, and each has a log of its own', async () => {
  const folder = project([write('ws-a', 'good', { max_cost_usd: 0.4 })]);
  await millrace(folder, ['run', '--best-of', 'claude,claude,good']);
  const [row] = query<{ metadata: string; warnings: string }>(folder, 'SELECT * FROM agent_results');
  const { candidates } = JSON.parse(row?.metadata ?? '');
  expect(candidates).toMatchObject([{ tool: 'claude' }, { tool: 'claude' }]);
  expect(new Set(candidates.map(({ logFile }: { logFile: string }) => logFile)).size).toBe(2);
  expect(row?.warnings).toContain('It was not given to good');
});

test('inside the session of a coding agent, a tool that stays after its result is ended, and its work is merged', async () => {
  const claude = { ...TOOLS.claude, exit_grace_seconds: 0.1 };
  const folder = project([{ ...write('ws-a', 'claude'), tasks: ['write ws-a.txt hello', 'stay'] }], {
    config: { tools: { claude } },
  });
  const { code } = await millrace(folder, ['run'], { CLAUDECODE: '1', CLAUDE_CODE_ENTRYPOINT: 'cli' });
  expect(code).toBe(0);
  const [row] = query<{ warnings: string; cost_usd: number; run_id: string }>(
    folder,
    'SELECT * FROM agent_results',
  );
  expect(JSON.parse(row?.warnings ?? '')).toEqual([
    expect.stringContaining('claude had reported its result and did not exit within 0.1 s'),
  ]);
  expect(row?.cost_usd).toBe(0.25);
  expect(git(folder, 'show', `millrace/${row?.run_id}/_merged:ws-a.txt`)).toBe('hello');
});

test('a tool that fails the same way again and again is not used any more, and all else goes on', async () => {
  const ids = ['ws-1', 'ws-2', 'ws-3', 'ws-4'];
  const folder = project([
    ...ids.map((id) => write(id, 'missing')),
    write('ws-5', 'good'),
    { id: 'ws-6', steps: [{ run: 'true' }] },
  ]);
  const { code } = await millrace(folder, ['run', '-j', '1', '--tool-circuit', '2']);
  expect(code).toBe(1);
  expect(outcomes(folder)).toEqual([
    { id: 'ws-1', status: 'failed', reason: 'tool-not-found' },
    { id: 'ws-2', status: 'failed', reason: 'tool-not-found' },
    { id: 'ws-3', status: 'skipped', reason: 'circuit-open' },
    { id: 'ws-4', status: 'skipped', reason: 'circuit-open' },
    { id: 'ws-5', status: 'completed', reason: null },
    { id: 'ws-6', status: 'completed', reason: null },
  ]);
});

test('once the money is spent no tool is started, and what can not be counted is said', async () => {
  const folder = project([
    write('ws-1', 'good'),
    write('ws-2', 'claude'),
    write('ws-3', 'claude'),
    write('ws-4', 'claude'),
    { id: 'ws-5', steps: [{ run: 'true' }] },
  ]);
  await millrace(folder, ['run', '-j', '1', '--max-cost-usd', '0.4']);
  expect(outcomes(folder)).toEqual([
    { id: 'ws-1', status: 'completed', reason: null },
    { id: 'ws-2', status: 'completed', reason: null },
    { id: 'ws-3', status: 'completed', reason: null },
    { id: 'ws-4', status: 'skipped', reason: 'budget-exceeded' },
    { id: 'ws-5', status: 'completed', reason: null },
  ]);
  const [row] = query<{ warnings: string }>(
    folder,
    "SELECT warnings FROM agent_results WHERE workstream_id = 'ws-1'",
  );
  expect(JSON.parse(row?.warnings ?? '')).toContain('What good cost is not known and does not count.');
});

test('without git a tool works in the folder itself, and a look at the scope tells what changed', async () => {
  const folder = project([write('ws-1', 'good'), write('ws-2', 'lazy')], { isRepository: false });
  await millrace(folder, ['run']);
  expect(outcomes(folder)).toEqual([
    { id: 'ws-1', status: 'completed', reason: null },
    { id: 'ws-2', status: 'failed', reason: 'no-changes' },
  ]);
  const [row] = query<{ files: string; metadata: string }>(
    folder,
    "SELECT files_modified AS files, metadata FROM agent_results WHERE workstream_id = 'ws-1'",
  );
  expect(JSON.parse(row?.files ?? '')).toEqual(['ws-1.txt']);
  expect(JSON.parse(row?.metadata ?? '').changes).toMatchObject({ source: 'scope-look', branch: null });
});

test('named agents use their tools and take their tracks', async () => {
  const agents = [
    { name: 'anna', tool: 'claude', tracks: ['core'] },
    { name: 'ben', tool: 'good', tracks: ['web'] },
  ];
  const tasks = ['ws-core-1', 'ws-core-2', 'ws-web-1'].map((id) => write(id, 'whatever'));
  const folder = project(tasks, { config: { agents, tracks: { core: ['ws-core-*'], web: ['ws-web-*'] } } });
  await millrace(folder, ['run']);
  const sql = 'SELECT workstream_id AS id, agent_id AS agent, tool FROM agent_results ORDER BY workstream_id';
  expect(query(folder, sql)).toEqual([
    { id: 'ws-core-1', agent: 'anna', tool: 'claude' },
    { id: 'ws-core-2', agent: 'anna', tool: 'claude' },
    { id: 'ws-web-1', agent: 'ben', tool: 'good' },
  ]);
});

test('an agent whose tool is broken does not take the work of those whose tools are not', async () => {
  const agents = [
    { name: 'anna', tool: 'missing' },
    { name: 'ben', tool: 'good' },
    { name: 'cleo', tool: 'missing', tracks: ['core'] },
  ];
  const ids = ['ws-1', 'ws-2', 'ws-3', 'ws-4', 'ws-5', 'ws-6', 'ws-7', 'ws-8'];
  const tasks = [
    ...ids.map((id) => write(id, 'x')),
    write('ws-core', 'x', { track: 'core', priority: 'low' }),
  ];
  const only = { agents: [agents[2], { ...agents[1], tracks: ['web'] }] };
  const folder = project(tasks, { config: { agents } });
  await millrace(folder, ['run', '--tool-circuit', '1', '-j', '2']);
  const found = outcomes(folder).filter(({ status }) => status !== 'completed');
  expect(found).toEqual([{ id: expect.any(String), status: 'failed', reason: 'tool-not-found' }]);

  const tracked = project(tasks, { config: only });
  await millrace(tracked, ['run', '--tool-circuit', '1']);
  const left = outcomes(tracked).filter(({ status }) => status !== 'completed');
  expect(left).toEqual([
    { id: expect.any(String), status: 'failed', reason: 'tool-not-found' },
    { id: 'ws-core', status: 'skipped', reason: 'circuit-open' },
  ]);
});

test('what a tool was denied is made good by acceptance of work that it did, and by nothing else', async () => {
  const denied = (id: string, more: object) => ({ ...write(id, 'claude'), ...more });
  const tasks = (id: string) => [`write ${id}.txt hello`, 'deny /etc/hosts'];
  const folder = project([
    denied('ws-accepted', {
      tasks: tasks('ws-accepted'),
      acceptance_tests: ['grep hello ws-accepted.txt'],
    }),
    denied('ws-refused', { tasks: tasks('ws-refused'), acceptance_tests: ['grep bye ws-refused.txt'] }),
    denied('ws-untested', { tasks: tasks('ws-untested'), acceptance_tests: ['It reads well'] }),
    denied('ws-idle', { tasks: ['deny ws-idle.txt'], files_scope: undefined, acceptance_tests: ['true'] }),
  ]);
  expect((await millrace(folder, ['run', '-j', '1'])).code).toBe(1);
  expect(outcomes(folder)).toEqual([
    { id: 'ws-accepted', status: 'completed', reason: null },
    { id: 'ws-idle', status: 'failed', reason: 'permission-denied' },
    { id: 'ws-refused', status: 'failed', reason: 'permission-denied' },
    { id: 'ws-untested', status: 'failed', reason: 'permission-denied' },
  ]);
  const [row] = query<{ warnings: string; merge_status: string }>(
    folder,
    "SELECT warnings, merge_status FROM agent_results WHERE workstream_id = 'ws-accepted'",
  );
  expect(row?.merge_status).toBe('merged');
  expect(row?.warnings).toContain('was not permitted to do this: Write /etc/hosts. Its work was accepted');
});

test('the plan knows where workstreams will work, and a configuration that no run can use is found first', async () => {
  const shared = { files_scope: ['src/**'] };
  const folder = project([write('ws-a', 'good', shared), write('ws-b', 'good', shared)]);
  const conflicts = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await millrace(folder, ['plan', '--format', 'json', ...args])).stdout).conflicts;
  expect(await conflicts()).toEqual([]);
  expect(await conflicts('--workspace', 'shared')).toMatchObject([{ kind: 'scope' }]);
  const broken = { good: { command: ['true'], success: { output_excludes: '(' } } };
  writeFiles(folder, { 'millrace.config.json': { tools: broken } });
  for (const command of [['validate'], ['plan'], ['run', '-n'], ['run']]) {
    const { code, stderr } = await millrace(folder, command);
    expect(code).toBe(2);
    expect(stderr).toContain('tools.good.success.output_excludes');
  }
});

test('with --merge none conflicts are found all the same, and nothing is merged', async () => {
  const both = (id: string) => ({ id, tool: 'good', tasks: [`write both.txt ${id}`] });
  const folder = project([both('ws-a'), both('ws-b'), write('ws-c', 'good')]);
  const { code } = await millrace(folder, ['run', '-j', '1', '--merge', 'none']);
  expect(code).toBe(0);
  const rows = query(folder, 'SELECT workstream_id AS id, merge_status FROM agent_results ORDER BY id');
  expect(rows).toEqual([
    { id: 'ws-a', merge_status: 'mergeable' },
    { id: 'ws-b', merge_status: 'conflict' },
    { id: 'ws-c', merge_status: 'mergeable' },
  ]);
  expect(git(folder, 'branch', '--list', '*_merged')).toBe('');
  const { stdout } = await millrace(folder, ['report', 'latest', '--format', 'md']);
  expect(stdout).toContain('Nothing was to be merged');
  expect(stdout).toMatch(/`ws-b` +\| conflict +\| `ws-a` +\| `both\.txt`/);
});

test("a hook's own index and repository are not those of a worktree", async () => {
  const adds = { adds: { command: ['sh', '-c', 'echo x > added.txt && git add added.txt'] } };
  const folder = project([{ id: 'ws-a', tool: 'adds', tasks: ['add'], files_scope: ['added.txt'] }], {
    config: { tools: adds },
  });
  const env = { GIT_DIR: join(folder, '.git'), GIT_INDEX_FILE: join(folder, '.git/index') };
  const { code } = await millrace(folder, ['run'], env);
  expect(code).toBe(0);
  expect(git(folder, 'ls-files', 'added.txt')).toBe('');
});

test('compensation that hangs or fails is said, and keeps nothing else from being undone', async () => {
  const folder = project([
    {
      id: 'ws-a',
      steps: [{ run: 'exit 1' }],
      timeout_seconds: 2,
      compensation_actions: ['echo undone > undone.txt', 'sleep 600', 'exit 3'],
    },
  ]);
  expect((await millrace(folder, ['run', '--grace', '0.2'])).code).toBe(1);
  expect(readFileSync(join(folder, 'undone.txt'), 'utf8')).toBe('undone\n');
  const [row] = query<{ warnings: string; metadata: string }>(folder, 'SELECT * FROM agent_results');
  expect(
    JSON.parse(row?.metadata ?? '').compensation.map(({ status }: { status: string }) => status),
  ).toEqual(['failed', 'failed', 'completed']);
  expect(row?.warnings).toContain('Its compensation-3 failed: `exit 3` ended with exit code 3.');
  expect(row?.warnings).toContain(
    'Its compensation-2 failed: Step compensation-2 was still running after 2 s',
  );
});

test('without git a tool without a scope says that it worked in the shared folder', async () => {
  const folder = project([{ id: 'ws-a', tool: 'good', tasks: ['write a.txt a'] }], { isRepository: false });
  expect((await millrace(folder, ['run'])).code).toBe(0);
  const [row] = query<{ warnings: string }>(folder, 'SELECT warnings FROM agent_results');
  expect(row?.warnings).toContain('It could not work in a worktree');
  expect(row?.warnings).toContain('It names no files_scope, so what it changed is not known.');
});

/** Ends only when as many as these have begun together. */
const MEETS = `case "$*" in *--version*) ;; *)
  touch "$MEETING/$$"
  until [ "$(ls "$MEETING" | wc -l)" -ge "$TOGETHER" ]; do sleep 0.05; done ;;
esac
exec node "$SCRIPTED" --claude "$@"`;

test.each([
  { who: 'agents', agents: 3, options: [] },
  { who: 'agents and candidates', agents: 4, options: ['--best-of', 'claude,second'] },
])(
  '$who that had begun together when the money was spent are all that a run costs beyond it',
  async ({ agents, options }) => {
    const meeting = temporaryFolder();
    const env = { MEETING: meeting, TOGETHER: `${agents}`, SCRIPTED: scripted };
    const claude = { command: ['sh', '-c', MEETS, 'claude'], env };
    const folder = project(
      [1, 2, 3, 4, 5, 6].map((number) => write(`ws-${number}`, 'claude')),
      { config: { tools: { claude, second: { ...claude, adapter: 'claude' } } } },
    );
    // What one execution costs.
    const { code } = await millrace(folder, ['run', '-j', `${agents}`, '--max-cost-usd', '0.25', ...options]);
    expect(code).toBe(1);
    expect(readdirSync(meeting)).toHaveLength(agents);
    const [total] = query<{ usd: number }>(folder, 'SELECT SUM(cost_usd) AS usd FROM agent_results');
    expect(total?.usd).toBe(agents * 0.25);
    const refused = query(folder, "SELECT 1 FROM agent_results WHERE reason = 'budget-exceeded'");
    expect(refused.length).toBeGreaterThan(0);
  },
);

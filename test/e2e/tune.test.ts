import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const MODULE = `
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
export default (input, { workspace, workstream }) => {
  appendFileSync(join(workspace, 'ran'), workstream.id + '\\n');
  return { output: 1 };
};
export const fails = () => { throw new Error('no'); };
export const waits = (input, { workspace }) => {
  writeFileSync(join(workspace, 'here'), '');
  return new Promise(() => setInterval(() => {}, 1e6));
};`;

const AUTHOR = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
};

const quick = (count: number, fields: object = {}) =>
  Array.from({ length: count }, (_, index) => ({
    id: `ws-${index + 1}`,
    steps: [{ module: './work.mjs' }],
    ...fields,
  }));

/** A folder, and one of its own for what is temporary. */
function folderOf(workstreams: object[], files: Record<string, unknown> = {}) {
  const folder = temporaryFolder();
  const temporary = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': workstreams, 'workstreams/work.mjs': MODULE, ...files });
  const env = { TMPDIR: temporary, MILLRACE_MACHINE: 'this one' };
  const tune = (...args: string[]) => millrace(folder, ['tune', ...args], env);
  return { folder, temporary, env, tune };
}

/** One commit, without which nothing can have a worktree. */
function makeRepository(folder: string): void {
  const git = (...args: string[]): unknown =>
    execFileSync('git', args, { cwd: folder, env: { ...process.env, ...AUTHOR } });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'start');
}

interface Document {
  workstreams: number;
  sample: number;
  leftOut: { id: string; why: string }[];
  trials: {
    agents: number;
    runs: object[];
    throughput: number;
    memoryBytes: number | null;
    efficiency: number;
  }[];
  advice: { agents: number } | null;
  failures: number;
  saved: string | null;
}

test('tries each number as often as is said, and leaves no history', async () => {
  const { folder, temporary, tune } = folderOf(quick(12));
  const { code, stdout, stderr } = await tune('--counts', '4,1,4', '--repeat', '2', '--json');
  expect([code, stderr]).toEqual([0, expect.stringContaining('round 2 of 2, 4 agents')]);
  const document: Document = JSON.parse(stdout);
  expect(document).toMatchObject({ workstreams: 12, sample: 12, leftOut: [], failures: 0, saved: null });
  expect(document.trials.map(({ agents, runs }) => [agents, runs.length])).toEqual([
    [1, 2],
    [4, 2],
  ]);
  for (const { throughput, efficiency } of document.trials) {
    expect(throughput).toBeGreaterThan(0);
    expect(efficiency).toBeGreaterThan(0);
  }
  if (process.platform === 'linux') expect(document.trials[0]?.memoryBytes).toBeGreaterThan(1e7);
  expect([1, 4]).toContain(document.advice?.agents);
  const ran = readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n');
  expect(ran.filter((id) => id === 'ws-12').length).toBeGreaterThanOrEqual(4);
  expect(existsSync(join(folder, '.state'))).toBe(false);
  expect(existsSync(join(folder, 'reports'))).toBe(false);
  expect(readdirSync(temporary)).toEqual([]);
});

test('a part of the folder is tried with what it depends on, and numbers that it is too small for are not', async () => {
  const { folder, tune } = folderOf([
    ...quick(5),
    { id: 'ws-x', steps: [{ module: './work.mjs' }], depends_on: ['ws-2'] },
  ]);
  const { code, stdout, stderr } = await tune('ws-x', '--counts', '2,9', '--repeat', '1', '--json');
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining('9 left out: there are only 2 workstreams to try'),
  ]);
  const document: Document = JSON.parse(stdout);
  expect(document.trials.map(({ agents }) => agents)).toEqual([2]);
  const ran = readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n');
  expect([...new Set(ran)].toSorted()).toEqual(['ws-2', 'ws-x']);
});

test('where no numbers are given, those that reserved processors leave no room for are not tried', async () => {
  const { tune } = folderOf(quick(12, { cpus: 2 }));
  const { code, stdout } = await tune('--cpus', '4', '--repeat', '1', '--json');
  expect(code).toBe(0);
  const document: Document = JSON.parse(stdout);
  expect(document.trials.map(({ agents }) => agents)).toEqual([1, 2]);
});

test('--save keeps the number for this machine, and a run takes it from there', async () => {
  const { folder, env, tune } = folderOf(quick(9), {
    'millrace.config.json': '{\n  // ours\n  "agents": 2\n}\n',
  });
  const { code, stdout } = await tune('--counts', '5', '--repeat', '1', '--save');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^5 agents on this one: /m);
  expect(readFileSync(join(folder, 'millrace.config.json'), 'utf8')).toBe(
    '{\n  // ours\n  "agents": 2,\n  "machines": {\n    "this one": {\n      "agents": 5\n    }\n  }\n}\n',
  );
  const agents = async (machine: string, ...args: string[]): Promise<unknown> => {
    await millrace(folder, ['run', '--state', `${machine}/.state`, ...args], {
      ...env,
      MILLRACE_MACHINE: machine,
    });
    return query(
      join(folder, machine),
      'SELECT agents_count AS n FROM consolidated_runs ORDER BY run_id',
    )[0]?.['n'];
  };
  expect(await agents('this one')).toBe(5);
  expect(await agents('another')).toBe(2);
  expect(await agents('this one/again', '-j', '3')).toBe(3);
});

test('what costs money or leaves commits is left out, with what needs it, and that is said', async () => {
  const { folder, tune } = folderOf([
    ...quick(3),
    { id: 'ws-tool', tool: 'claude', tasks: ['x'] },
    { id: 'ws-tree', steps: [{ module: './work.mjs' }], workspace: 'worktree' },
    { id: 'ws-after', steps: [{ module: './work.mjs' }], depends_on: ['ws-tool'] },
  ]);
  makeRepository(folder);
  const { code, stdout, stderr } = await tune('--counts', '1', '--repeat', '1', '--json');
  expect(code).toBe(0);
  expect(stderr).toMatch(/left out: .*costs money.*leave commits.*need one of those/);
  const document: Document = JSON.parse(stdout);
  expect(document.sample).toBe(3);
  expect(document.leftOut.map(({ id }) => id).toSorted()).toEqual(['ws-after', 'ws-tool', 'ws-tree']);
  expect(readFileSync(join(folder, 'ran'), 'utf8')).not.toContain('ws-after');
});

test('what the configuration gives worktrees is not run in the shared folder', async () => {
  const { folder, tune } = folderOf(quick(2), { 'millrace.config.json': { workspace: 'worktree' } });
  makeRepository(folder);
  expect(await tune()).toMatchObject({ code: 4, stderr: expect.stringContaining('would make worktrees') });
  expect(existsSync(join(folder, 'ran'))).toBe(false);
});

test('what would fail for want of a repository is said to be that', async () => {
  const { folder, tune } = folderOf(quick(2, { workspace: 'worktree' }));
  const { code, stderr } = await tune();
  expect([code, existsSync(join(folder, 'ran'))]).toEqual([4, false]);
  expect(stderr).toContain(
    "2 workstreams can't run as defined (`millrace validate` and `millrace plan` say why)",
  );
  expect((await millrace(folder, ['plan'])).stdout).toContain('worktree');
});

test('what was measured is shown although it can not be saved', async () => {
  const { folder, tune } = folderOf(quick(3), { ['x'.repeat(250)]: '{}' });
  symlinkSync('x'.repeat(250), join(folder, 'millrace.config.json'));
  const { code, stdout, stderr } = await tune('--counts', '1', '--repeat', '1', '--save', '--json');
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ workstreams: 3, saved: null });
  expect(stderr).toMatch(/^millrace: millrace\.config\.json: it can't be written: ENAMETOOLONG/m);
});

describe('nothing is recommended or saved', () => {
  test('where nothing can be tried', async () => {
    const { tune } = folderOf([{ id: 'ws-tool', tool: 'claude', tasks: ['x'] }]);
    const { code, stderr } = await tune();
    expect(code).toBe(4);
    expect(stderr).toMatch(/nothing to try: 1 workstream would give work to a tool/);
  });

  test('where workstreams fail', async () => {
    const { folder, tune } = folderOf(quick(3, { steps: [{ module: './work.mjs', export: 'fails' }] }));
    const { code, stdout } = await tune('--counts', '1,2', '--repeat', '1', '--save');
    expect(code).toBe(1);
    expect(stdout).toContain('4 results did not complete');
    expect(stdout).toContain('Nothing completed');
    expect(existsSync(join(folder, 'millrace.config.json'))).toBe(false);
  });

  test.each([
    [['--counts', '1,two'], '--counts takes whole numbers from 1 to 1024'],
    [['--counts', '0'], '--counts takes'],
    [['--repeat', '0'], '--repeat takes whole numbers from 1 to 100'],
    [['--seconds', '0'], '--seconds must be more than 0'],
  ])('where options are wrong: %j', async (args, message) => {
    const { code, stderr } = await folderOf(quick(1)).tune(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test('where there are fewer workstreams than agents to try', async () => {
    const { code, stderr } = await folderOf(quick(2)).tune('--counts', '3,4');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--counts: there are only 2 workstreams to try'),
    ]);
  });

  test('where agents are named', async () => {
    const { tune } = folderOf(quick(1), { 'millrace.config.json': { agents: [{ name: 'anna' }] } });
    expect(await tune('--save')).toMatchObject({ code: 2, stderr: expect.stringContaining('named') });
  });
});

test('a signal ends the run that is under way, and nothing stays behind', async () => {
  const { folder, temporary, env } = folderOf(
    quick(1, { steps: [{ module: './work.mjs', export: 'waits' }] }),
    {
      'millrace.config.json': { grace: 0.1 },
    },
  );
  const { child, finished } = startMillrace(folder, ['tune', '--save'], env);
  await vi.waitFor(() => expect(existsSync(join(folder, 'here'))).toBe(true), { timeout: 30_000 });
  child.kill('SIGINT');
  expect(await finished).toMatchObject({ code: 130, stdout: '' });
  expect(readdirSync(temporary)).toEqual([]);
  expect(readdirSync(folder).toSorted()).toEqual(['here', 'millrace.config.json', 'workstreams']);
  expect(readFileSync(join(folder, 'millrace.config.json'), 'utf8')).not.toContain('machines');
});

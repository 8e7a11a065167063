/** A backlog given to two coding agents on a real repository: some succeed, some fail, some lie, one hangs, two conflict. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, millrace, writeFiles } from '../kit/command.ts';
import { reportText } from '../kit/reports.ts';
import { query } from '../kit/rows.ts';

const scripted = fileURLToPath(new URL('../fixtures/tools/scripted.mjs', import.meta.url));

const CONFIG = {
  tools: {
    careful: { command: ['node', scripted] },
    claude: { command: ['node', scripted, '--claude'] },
  },
};

const BACKLOG = [
  {
    id: 'ws-api',
    tool: 'careful',
    tasks: ['write src/api.txt one', 'write notes.txt beside the scope'],
    files_scope: ['src/**'],
    acceptance_tests: ['test -s src/api.txt'],
    priority: 'high',
  },
  {
    id: 'ws-cli',
    tool: 'claude',
    tasks: ['append src/api.txt two', 'write src/cli.txt three'],
    files_scope: ['src/**'],
    depends_on: ['ws-api'],
    acceptance_tests: ['grep one src/api.txt && grep two src/api.txt'],
  },
  {
    id: 'ws-docs',
    tool: 'careful',
    tasks: ['write docs/guide.md words'],
    files_create: ['docs/guide.md'],
    depends_on: ['ws-cli'],
    acceptance_tests: ['test -f src/cli.txt', 'The guide reads well'],
  },
  {
    id: 'ws-fails',
    tool: 'careful',
    tasks: ['write src/half.txt half', 'fail'],
    compensation_actions: ['echo undone > undone.txt'],
  },
  { id: 'ws-needs-fails', tool: 'careful', tasks: ['write x y'], depends_on: ['ws-fails'] },
  { id: 'ws-lies', tool: 'careful', tasks: ['say I wrote everything'], files_scope: ['src/lie.txt'] },
  { id: 'ws-denied', tool: 'claude', tasks: ['deny src/secret.txt'], files_scope: ['src/secret.txt'] },
  { id: 'ws-hangs', tool: 'careful', tasks: ['write src/hung.txt kept', 'hang'], timeout_seconds: 5 },
  { id: 'ws-left', tool: 'careful', tasks: ['write shared.txt left'], files_scope: ['shared.txt'] },
  { id: 'ws-right', tool: 'claude', tasks: ['write shared.txt right'], files_scope: ['shared.txt'] },
  { id: 'ws-both', tool: 'careful', tasks: ['write both.txt x'], depends_on: ['ws-left', 'ws-right'] },
  {
    id: 'ws-retries',
    tool: 'claude',
    tasks: ['write-from-second src/retry.txt right'],
    files_scope: ['src/retry.txt'],
    acceptance_tests: ['grep right src/retry.txt'],
    circuit_breaker: { max_attempts: 2 },
  },
];

interface Row {
  id: string;
  status: string;
  reason: string | null;
  files: string;
  commits: string;
  branch: string | null;
  merge: string | null;
  cost: number | null;
  attempts: number;
  warnings: string;
  metadata: string;
}

let folder: string;
let end: Finished;
let rows: Map<string, Row>;
let run: string;

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-')));
  writeFiles(folder, {
    'README.md': 'A project.',
    'shared.txt': 'neither\n',
    '.gitignore': '.state/\nreports/\n',
    'millrace.config.json': CONFIG,
    'workstreams/backlog.json': BACKLOG,
  });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '-m', 'Begin');
  end = await millrace(folder, ['run', '-j', '4', '--grace', '0.2']);
  const sql = `SELECT workstream_id AS id, status, reason, files_modified AS files, commits_created AS commits, branch,
    merge_status AS "merge", cost_usd AS cost, attempts, warnings, metadata, run_id AS run FROM agent_results`;
  const found = query<Row & { run: string }>(folder, sql);
  rows = new Map(found.map((row) => [row.id, row]));
  run = found[0]?.run ?? '';
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const row = (id: string): Row => {
  const found = rows.get(id);
  if (found === undefined) throw new Error(`there is no row of ${id}`);
  return found;
};

test('the run ends with exit code 1 and every workstream has its row', () => {
  expect(end.code).toBe(1);
  expect(Object.fromEntries([...rows].map(([id, { status, reason }]) => [id, [status, reason]]))).toEqual({
    'ws-api': ['completed', null],
    'ws-both': ['failed', 'merge-conflict'],
    'ws-cli': ['completed', null],
    'ws-denied': ['failed', 'permission-denied'],
    'ws-docs': ['completed', null],
    'ws-fails': ['failed', 'tool-error'],
    'ws-hangs': ['failed', 'timed-out'],
    'ws-left': ['completed', null],
    'ws-lies': ['failed', 'no-changes'],
    'ws-needs-fails': ['skipped', 'dependency-failed'],
    'ws-retries': ['completed', null],
    'ws-right': ['completed', null],
  });
});

describe('attribution', () => {
  test('files and commits are those that git has', () => {
    expect(JSON.parse(row('ws-api').files)).toEqual(['notes.txt', 'src/api.txt']);
    expect(JSON.parse(row('ws-cli').files)).toEqual(['src/api.txt', 'src/cli.txt']);
    const [commit] = JSON.parse(row('ws-cli').commits);
    expect(git('show', '--format=', '--name-status', commit)).toBe('M\tsrc/api.txt\nA\tsrc/cli.txt');
    const trailers = git('log', '-1', '--format=%(trailers)', row('ws-cli').branch ?? '');
    expect(trailers).toContain(`Millrace-Run: ${run}`);
    expect(trailers).toContain('Millrace-Workstream: ws-cli');
  });

  test('what went wrong is kept as well', () => {
    expect(git('show', `millrace/${run}/ws-fails:src/half.txt`)).toBe('half');
    expect(git('show', `millrace/${run}/ws-hangs:src/hung.txt`)).toBe('kept');
    expect(JSON.parse(row('ws-fails').metadata).compensation).toMatchObject([{ status: 'completed' }]);
  });

  test('work outside the scope is a warning', () => {
    expect(JSON.parse(row('ws-api').warnings)).toContain(
      'It changed files outside its files_scope: notes.txt.',
    );
  });
});

describe('merging', () => {
  test('accepted work is in the branch of the run, and the later of two that conflict is not', () => {
    const merged = git('ls-tree', '-r', '--name-only', `millrace/${run}/_merged`).split('\n');
    expect(merged).toEqual(
      expect.arrayContaining(['docs/guide.md', 'notes.txt', 'src/api.txt', 'src/cli.txt', 'src/retry.txt']),
    );
    expect(merged).not.toContain('src/half.txt');
    const outcomes = new Set([row('ws-left').merge, row('ws-right').merge]);
    expect(outcomes).toEqual(new Set(['conflict', 'merged']));
    expect(['left', 'right']).toContain(git('show', `millrace/${run}/_merged:shared.txt`));
  });

  test("the user's branch, index and files are as they were", () => {
    expect(git('status', '--porcelain')).toBe('');
    expect(git('log', '--format=%s', 'main')).toBe('Begin');
    expect(git('branch', '--show-current')).toBe('main');
    expect(git('worktree', 'list').split('\n')).toHaveLength(1);
  });

  test('the command of the report takes the work over', () => {
    git('merge', '-q', `millrace/${run}/_merged`);
    expect(readFileSync(join(folder, 'src/retry.txt'), 'utf8')).toBe('right\n');
    git('reset', '-q', '--hard', 'main@{1}');
  });
});

test('attempts and cost are counted', () => {
  expect(row('ws-retries')).toMatchObject({ attempts: 2, cost: 0.5 });
  expect(row('ws-api')).toMatchObject({ attempts: 1, cost: null });
  const attempts = query(
    folder,
    "SELECT attempt, reason FROM workstream_attempts WHERE workstream_id = 'ws-retries' ORDER BY attempt",
  );
  expect(attempts).toEqual([
    { attempt: 1, reason: 'acceptance-failed' },
    { attempt: 2, reason: null },
  ]);
});

test('the report says where everything is and what to do next', () => {
  const report = reportText(join(folder, 'reports'));
  expect(report).toContain('## Coding agents');
  expect(report).toMatch(/\| claude +\| opus +\| +4 \| +5 \|/);
  expect(report).toContain(`git merge millrace/${run}/_merged`);
  expect(report).toContain('Tried more than once (');
  expect(report).toContain('The guide reads well');
  expect(report).toMatch(/`ws-(left|right)` conflicts with `ws-(left|right)` in `shared.txt`/);
  expect(report).toContain('permission-denied');
});

test('the agents command compares the tools', async () => {
  const { stdout } = await millrace(folder, ['agents', 'latest']);
  expect(stdout).toMatch(/claude +opus +4 +5/);
});

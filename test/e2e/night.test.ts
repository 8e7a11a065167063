/** A night that needs nobody: fifteen workstreams, two coding agents and all that usually ends such a night early. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { millrace } from '../kit/command.ts';
import { reportText } from '../kit/reports.ts';
import { makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/tools/${name}`, import.meta.url));

/** The tests of the project: each module is complete, and two of them can't be there together. */
const CHECK = `
for module in src/*.txt; do grep -q . "$module" || exit 1; done
test ! -e src/old-format.txt || test ! -e src/new-format.txt
`;
const TESTS = 'sh check.sh';

const writes = (id: string, tool: string, fields: object = {}): Record<string, unknown> & { id: string } => ({
  id,
  tool,
  tasks: [`write src/${id.slice('ws-'.length)}.txt words`],
  files_scope: ['src/**'],
  acceptance_tests: [TESTS],
  ...fields,
});

const LIAR = 'ws-liar';
const shared = (id: string, tool: string, task: string): Record<string, unknown> & { id: string } =>
  writes(id, tool, { tasks: [task], files_scope: ['shared.txt'] });

/** The first of `limited` meets the limit of its account. */
const BACKLOG = [
  ...['ws-a', 'ws-b', 'ws-c', 'ws-d'].map((id) => writes(id, 'limited')),
  ...['ws-e', 'ws-f', 'ws-g'].map((id) => writes(id, 'claude')),
  writes('ws-on-a', 'claude', { depends_on: ['ws-a'], acceptance_tests: [TESTS, 'test -s src/a.txt'] }),
  shared('ws-left', 'claude', 'write shared.txt left'),
  shared('ws-right', 'claude', 'write shared.txt right'),
  writes('ws-new-format', 'claude'),
  writes('ws-old-format', 'claude'),
  writes(LIAR, 'claude', { tasks: ['say I wrote everything'] }),
  writes('ws-on-liar', 'claude', { depends_on: [LIAR] }),
  writes('ws-stays', 'claude', { tasks: ['write src/stays.txt words', 'stay'] }),
];

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();

function project(account: string): string {
  writeFileSync(join(account, 'open'), '');
  const claude = { command: ['node', fixture('scripted.mjs'), '--claude'], exit_grace_seconds: 1 };
  const limited = {
    adapter: 'claude',
    command: ['node', fixture('limited.mjs'), account, '--refuses', '1', '--for', '20'],
  };
  return makeRepository({
    '.gitignore': '.state/\nreports/\n',
    'check.sh': CHECK,
    'shared.txt': 'neither\n',
    'src/first.txt': 'words\n',
    'millrace.config.json': JSON.stringify({ tools: { claude, limited }, merge_tests: [TESTS] }),
    'workstreams/backlog.json': JSON.stringify(BACKLOG),
  });
}

interface Row {
  id: string;
  status: string;
  reason: string | null;
  merge: string | null;
}

/** Of the latest run, by id. */
function rowsOf(folder: string): { run: string; rows: Record<string, (string | null)[]> } {
  const latest = '(SELECT run_id FROM consolidated_runs ORDER BY rowid DESC LIMIT 1)';
  const found = query<Row & { run: string }>(
    folder,
    `SELECT run_id AS run, workstream_id AS id, status, reason, merge_status AS "merge" FROM agent_results
     WHERE run_id = ${latest} ORDER BY workstream_id`,
  );
  const rows = found.map(({ id, status, reason, merge }) => [id, [status, reason, merge]]);
  return { run: found[0]?.run ?? '', rows: Object.fromEntries(rows) };
}

/** Checks a branch out in a worktree of its own and runs the tests of the project there. @throws where they fail */
function testBranch(folder: string, branch: string): void {
  const tree = join(temporaryFolder(), 'tree');
  git(folder, 'worktree', 'add', '-q', '--detach', tree, branch);
  execFileSync('sh', ['check.sh'], { cwd: tree });
  git(folder, 'worktree', 'remove', '--force', tree);
}

const done = ['completed', null, 'merged'];

test('a backlog of fifteen ends by itself, its merged work is green, and a second run takes it from there', async () => {
  const account = temporaryFolder();
  const folder = project(account);
  const remote = join(temporaryFolder(), 'remote.git');
  git(folder, 'clone', '-q', '--bare', '.', remote);
  git(folder, 'remote', 'add', 'origin', remote);
  const night = await millrace(folder, ['run', '-j', '4', '--grace', '0.2']);
  const { run, rows } = rowsOf(folder);
  expect(rows).toEqual({
    ...Object.fromEntries(BACKLOG.map(({ id }) => [id, done])),
    [LIAR]: ['failed', 'no-changes', null],
    'ws-on-liar': ['skipped', 'dependency-failed', null],
    'ws-old-format': ['completed', null, 'breaks-tests'],
    'ws-right': ['completed', null, 'conflict'],
  });
  expect(night.code).toBe(1);
  testBranch(folder, `millrace/${run}/_merged`);
  expect(git(folder, 'status', '--porcelain')).toBe('');
  expect(query(folder, 'SELECT * FROM parked_tools WHERE resumed_at IS NULL')).toEqual([]);
  const calls = readFileSync(join(account, 'calls'), 'utf8').trim().split('\n');
  const asked = calls.map((line) => JSON.parse(line) as { workstream: string; at: number });
  const [refused, retried] = asked.filter(({ workstream }) => workstream === asked[0]?.workstream);
  expect((retried?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(19_000);

  const [screen = ''] = reportText(`${folder}/reports`).split('\n## ');
  for (const id of [LIAR, 'ws-old-format', 'ws-right']) expect(screen).toContain(id);

  // A person looks at what is left, and changes those.
  const anew = new Map([
    [LIAR, writes(LIAR, 'claude')],
    ['ws-old-format', writes('ws-old-format', 'claude', { tasks: ['write src/both-formats.txt words'] })],
    ['ws-right', shared('ws-right', 'claude', 'append shared.txt right')],
  ]);
  const changed = BACKLOG.map((workstream) => anew.get(workstream.id) ?? workstream);
  writeFileSync(join(folder, 'workstreams/backlog.json'), JSON.stringify(changed));
  const second = await millrace(folder, ['run', '--retry-failed', '--grace', '0.2']);
  const after = rowsOf(folder);
  const again = [...anew.keys(), 'ws-on-liar'];
  expect(after.rows).toEqual(Object.fromEntries(again.map((id) => [id, done])));
  expect(second.code).toBe(0);
  testBranch(folder, `millrace/${after.run}/_merged`);
  expect(git(folder, 'show', `millrace/${after.run}/_merged:shared.txt`)).toBe('left\nright');
  git(folder, 'merge', '-q', `millrace/${after.run}/_merged`);
  git(folder, 'push', '-q', 'origin', 'main');
  const cloned = join(temporaryFolder(), 'clone');
  git(folder, 'clone', '-q', remote, cloned);
  testBranch(cloned, 'main');
  const { workstreams } = JSON.parse((await millrace(folder, ['backlog', '--json'])).stdout);
  expect(workstreams).toHaveLength(BACKLOG.length);
  expect(workstreams.filter(({ next }: { next: string | null }) => next !== null)).toEqual([]);
}, 180_000);

/** `millrace prune`: what old runs left goes, what is in no other place stays. */
import { existsSync, mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { spillPrefix } from '../../src/store/spill/spill-places.ts';
import { millrace, writeFiles } from '../kit/command.ts';
import { abandon, git, makeRepository, opened, RUN, workspacesIn } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

interface Document {
  dryRun: boolean;
  runs: string[];
  removed: { kind: string; count: number; bytes: number | null }[];
  kept: { what: string; why: string }[];
  problems: string[];
}

/** What other tests leave in the folder for temporary files, as processes that they kill, is not found. */
const pruneCommand = (folder: string, ...args: string[]) =>
  millrace(folder, ['prune', ...args], { TMPDIR: temporaryFolder() });

const prune = async (folder: string, ...args: string[]): Promise<Document & { code: number | null }> => {
  const { code, stdout } = await pruneCommand(folder, '--json', ...args);
  return { ...(JSON.parse(stdout) as Document), code };
};

const counts = ({ removed }: Document): Record<string, number> =>
  Object.fromEntries(removed.map(({ kind, count }) => [kind, count]));

const refs = (repo: string): string[] =>
  git(repo, 'for-each-ref', '--format=%(refname)', 'refs/heads/millrace', 'refs/millrace')
    .split('\n')
    .filter((line) => line !== '');

/** Makes all runs look as if they had ended then; the newest stays first. */
function age(folder: string, days: number): void {
  const database = new Database(join(folder, '.state/multi_agent_consolidated.db'));
  const at = new Date(Date.now() - days * 86_400_000).toISOString();
  database
    .prepare('UPDATE consolidated_runs SET created_at = ?, timestamp = ?, ended_at = ?')
    .run(at, at, at);
  database.close();
}

const WORKSTREAMS = [
  { id: 'ws-tool', tool: 'good', tasks: ['x'], files_scope: ['work.txt'] },
  { id: 'ws-out', steps: [{ module: './out.mjs' }] },
  { id: 'ws-ts', steps: [{ module: './typed.ts' }] },
  { id: 'ws-log', steps: [{ run: 'echo hello' }] },
];

function project(workstreams: unknown[] = WORKSTREAMS): string {
  const repo = makeRepository({
    'millrace.config.json': JSON.stringify({
      tools: { good: { command: ['sh', '-c', 'cat > /dev/null; echo $MILLRACE_RUN_ID > work.txt'] } },
    }),
    'workstreams/a.json': JSON.stringify(workstreams),
    'workstreams/out.mjs': "export default () => ({ output: 'x'.repeat(50_000) });\n",
    'workstreams/typed.ts': 'export default (): object => ({ output: 1 });\n',
    '.gitignore': '.state/\nreports/\n',
  });
  return repo;
}

/** Three runs that completed; the oldest first. */
async function threeRuns(): Promise<{ repo: string; ids: string[] }> {
  const repo = project();
  for (let run = 0; run < 3; run += 1) expect((await millrace(repo, ['run'])).code).toBe(0);
  const sql = 'SELECT run_id AS id FROM consolidated_runs ORDER BY rowid';
  return { repo, ids: query<{ id: string }>(repo, sql).map(({ id }) => id) };
}

test('copies of the database that a killed process did not finish go; what may be needed is named', async () => {
  const repo = project([{ id: 'ws-log', steps: [{ run: 'true' }] }]);
  expect((await millrace(repo, ['run'])).code).toBe(0);
  const database = join(repo, '.state/multi_agent_consolidated.db');
  const [run] = query<{ id: string }>(repo, 'SELECT run_id AS id FROM consolidated_runs');
  const id = run?.id ?? '';
  const part = (runId: string): string => `.state/${spillPrefix(database)}${runId}-0123abcd.db.part`;
  const other = 'ma-run-20200101-000000';
  const aside = '.state/multi_agent_consolidated.db.replaced-20260101000000';
  writeFiles(repo, { [part(id)]: 'half', [part(other)]: 'half', [aside]: 'text' });
  const { removed, kept, problems } = await prune(repo);
  expect([removed, problems]).toEqual([[{ kind: 'temporary', count: 1, bytes: expect.any(Number) }], []]);
  expect(kept).toEqual([
    { what: join(repo, part(other)), why: expect.stringContaining(other) },
    { what: join(repo, aside), why: expect.stringContaining('remove it yourself') },
  ]);
  expect([part(id), part(other), aside].map((path) => existsSync(join(repo, path)))).toEqual([
    false,
    true,
    true,
  ]);
});

describe('of three runs', () => {
  test('runs that are young, and a dry run, remove nothing', async () => {
    const { repo, ids } = await threeRuns();
    const before = refs(repo);
    expect(await prune(repo)).toMatchObject({ code: 0, runs: [], removed: [] });
    const dry = await prune(repo, '--keep', '1', '--dry-run');
    expect(dry).toMatchObject({ dryRun: true, runs: [ids[1], ids[0]], problems: [] });
    expect(counts(dry)).toEqual({ refs: 6, logs: 2, outputs: expect.any(Number) });
    expect(dry.removed.find(({ kind }) => kind === 'outputs')?.bytes).toBeGreaterThan(100_000);
    expect(refs(repo)).toEqual(before);
    expect(readdirSync(join(repo, '.state/logs'))).toHaveLength(3);
    const text = await pruneCommand(repo, '--keep', '1', '-n');
    expect(text.stdout).toMatch(
      /^would be removed +number +size\nbranches and refs +6 +–\nlogs of runs +2 +0\.0 MB$/m,
    );
    expect(text.stdout).toContain(`  millrace/${ids[0]}/_merged: its work is in no branch of yours`);
  });

  test('old ones lose logs, refs and outputs; unmerged work, rows and the newest stay', async () => {
    const { repo, ids } = await threeRuns();
    git(repo, 'merge', '-q', '--no-edit', `millrace/${ids[1]}/_merged`);
    const result = await prune(repo, '--keep', '1');
    expect(result).toMatchObject({ code: 0, problems: [] });
    expect(result.kept).toEqual([
      {
        what: `millrace/${ids[0]}/_merged`,
        why: expect.stringContaining('no commit there has all of its files'),
      },
    ]);
    expect(refs(repo)).toEqual([
      `refs/heads/millrace/${ids[0]}/_merged`,
      `refs/heads/millrace/${ids[2]}/_merged`,
      `refs/heads/millrace/${ids[2]}/ws-tool`,
      `refs/millrace/${ids[2]}/_base`,
      `refs/millrace/${ids[2]}/ws-tool/1`,
    ]);
    expect(git(repo, 'show', `millrace/${ids[0]}/_merged:work.txt`)).toBe(`${ids[0]}\n`);
    expect(readdirSync(join(repo, '.state/logs'))).toEqual([ids[2]]);
    expect(query(repo, 'SELECT COUNT(*) AS n FROM agent_results')).toEqual([{ n: 12 }]);
    // Of the run in which it completed last it may be needed.
    expect(
      query(
        repo,
        "SELECT run_id AS id FROM agent_results WHERE workstream_id = 'ws-out' AND length(metadata) > 50000",
      ),
    ).toEqual([{ id: ids[2] }]);
    expect((await millrace(repo, ['show', ids[0] ?? ''])).code).toBe(0);
    expect(await prune(repo, '--keep', '1')).toMatchObject({ removed: [], kept: result.kept });
  });

  test('by age, with their rows, and cached modules that no run that stays has begun before', async () => {
    const { repo } = await threeRuns();
    age(repo, 40);
    const old = new Date(Date.now() - 35 * 86_400_000);
    for (const name of readdirSync(join(repo, '.state/cache')))
      utimesSync(join(repo, '.state/cache', name), old, old);
    expect(await prune(repo, '--older-than', '6w')).toMatchObject({ runs: [] });
    const result = await prune(repo, '--older-than', '30d', '--runs');
    expect(counts(result)).toMatchObject({ runs: 3, cache: 1, logs: 3 });
    expect(query(repo, 'SELECT run_id FROM consolidated_runs')).toEqual([]);
    expect(query(repo, 'SELECT run_id FROM agent_results')).toEqual([]);
    // What is in no branch of the user's outlives the rows.
    expect(refs(repo).map((name) => name.split('/').at(-1))).toEqual(['_merged', '_merged', '_merged']);
    expect((await millrace(repo, ['run'])).code).toBe(0);
  });
});

test('a run that can be resumed or is under way keeps all it has', async () => {
  const repo = project([{ id: 'ws-a', tool: 'good', tasks: ['x'] }]);
  const database = (state: string, pid: number | null): void => {
    const connection = new Database(join(repo, '.state/multi_agent_consolidated.db'));
    connection.prepare('UPDATE consolidated_runs SET state = ?, pid = ?, pid_started = NULL').run(state, pid);
    connection.close();
  };
  expect((await millrace(repo, ['run'])).code).toBe(0);
  const before = refs(repo);
  database('interrupted', null);
  const kept = await prune(repo, '--keep', '0');
  expect(kept).toMatchObject({ runs: [], kept: [{ why: expect.stringContaining('can be resumed') }] });
  database('running', process.pid);
  expect(await prune(repo, '--keep', '0', '--runs')).toMatchObject({ runs: [], removed: [], kept: [] });
  expect(refs(repo)).toEqual(before);
  database('interrupted', null);
  expect(await prune(repo, '--keep', '0', '--runs')).toMatchObject({
    runs: [expect.any(String)],
    problems: [],
  });
});

test('worktrees of dead processes go, with what they held kept, and a branch that is checked out stays', async () => {
  const repo = makeRepository();
  const { folder } = await opened(await workspacesIn(repo), 'ws-a');
  writeFiles(folder, { 'work.txt': 'work\n' });
  await abandon(repo, folder);
  const dry = await prune(repo, '-n');
  expect(counts(dry)).toEqual({ worktrees: 1 });
  expect(existsSync(folder)).toBe(true);
  expect(counts(await prune(repo))).toEqual({ worktrees: 1 });
  expect(existsSync(folder)).toBe(false);
  expect(git(repo, 'show', `millrace/${RUN}/ws-a:work.txt`)).toBe('work\n');
});

test('without a repository or a run there is nothing to do, and what is no duration or number is refused', async () => {
  const folder = temporaryFolder();
  expect((await pruneCommand(folder)).stdout).toBe('Nothing to remove.\n');
  for (const args of [
    ['--older-than', 'soon'],
    ['--keep', '-1'],
    ['--keep', 'x'],
  ])
    expect((await pruneCommand(folder, ...args)).code).toBe(2);
  mkdirSync(join(folder, '.git'));
  const refused = await pruneCommand(folder);
  expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('not a git repository')]);
});

/** `millrace worktrees`: what runs left in a repository, and clearing it away. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { abandon, contentIn, git, makeRepository, opened, RUN, workspacesIn } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A worktree with work in it whose process has ended. */
async function leftOver(repo: string): Promise<string> {
  const { folder } = await opened(await workspacesIn(repo), 'ws-a');
  writeFiles(folder, { 'work.txt': 'work\n' });
  await abandon(repo, folder);
  return folder;
}

const TOOL = { tools: { good: { command: ['touch', 'done.txt'] } } };

describe('a workstream that is to work in a worktree where there can be none', () => {
  test.each([
    ['asks for it outside of any repository', '"workspace": "worktree"', false],
    ['has a tool step in a repository without a commit', '"title": "x"', true],
  ])('%s: nothing of it starts, and plan, validate and run agree', async (_name, field, isRepository) => {
    const folder = temporaryFolder();
    if (isRepository) git(folder, 'init', '-q');
    writeFiles(folder, {
      'millrace.config.json': TOOL,
      'workstreams/a.json': `[{"id":"ws-a","tool":"good","tasks":["x"],${field}},
        {"id":"ws-b","depends_on":["ws-a"],"steps":[{"run":"true"}]},
        {"id":"ws-c","tool":"good","tasks":["x"],"workspace":"shared"}]`,
    });
    const validated = await millrace(folder, ['validate']);
    expect([validated.code, validated.stdout]).toEqual([1, expect.stringContaining('"workspace": "shared"')]);
    expect((await millrace(folder, ['plan'])).code).toBe(1);
    expect((await millrace(folder, ['run'])).code).toBe(1);
    expect(query(folder, 'SELECT workstream_id AS id, status, reason FROM agent_results ORDER BY 1')).toEqual(
      [
        { id: 'ws-a', status: 'failed', reason: 'workspace-error' },
        { id: 'ws-b', status: 'skipped', reason: 'dependency-failed' },
        { id: 'ws-c', status: 'completed', reason: null },
      ],
    );
  });
});

describe('a filter of git that hangs', () => {
  test('ends with the limit of its workstream, and the others run', async () => {
    const repo = makeRepository({
      'millrace.config.json': JSON.stringify(TOOL),
      'workstreams/a.json': JSON.stringify([
        { id: 'ws-a', tool: 'good', tasks: ['x'], timeout_seconds: 1 },
        { id: 'ws-b', depends_on: [{ id: 'ws-a', when: 'finished' }], steps: [{ run: 'true' }] },
      ]),
      '.gitattributes': '*.bin filter=slow\n',
      'a.bin': 'data\n',
    });
    git(repo, 'config', 'filter.slow.smudge', 'sleep 1000');
    expect((await millrace(repo, ['run'])).code).toBe(1);
    expect(
      query(repo, 'SELECT workstream_id AS id, status, explanation FROM agent_results ORDER BY 1'),
    ).toEqual([
      { id: 'ws-a', status: 'failed', explanation: expect.stringContaining('did not end within 1 s') },
      { id: 'ws-b', status: 'completed', explanation: null },
    ]);
    expect(git(repo, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  });

  test('ends with the run when that is interrupted', async () => {
    const repo = makeRepository({
      'millrace.config.json': JSON.stringify(TOOL),
      'workstreams/a.json': JSON.stringify([{ id: 'ws-a', tool: 'good', tasks: ['x'] }]),
      '.gitattributes': '*.bin filter=slow\n',
      'a.bin': 'data\n',
    });
    git(repo, 'config', 'filter.slow.smudge', 'touch begun; sleep 1000');
    const run = startMillrace(repo, ['run']);
    const begun = (): boolean =>
      existsSync(join(repo, '.state/worktrees')) &&
      readdirSync(join(repo, '.state/worktrees'), { recursive: true }).some((name) =>
        String(name).endsWith('begun'),
      );
    await expect.poll(begun, { timeout: 30_000 }).toBe(true);
    run.child.kill('SIGINT');
    expect((await run.finished).code).toBe(130);
    expect(query(repo, 'SELECT reason FROM agent_results')).toEqual([{ reason: 'interrupted' }]);
  });
});

describe('millrace worktrees', () => {
  test('lists them with whose they are, their size, and whether they hold work that is in no commit', async () => {
    const repo = makeRepository();
    const folder = await leftOver(repo);
    const own = await opened(await workspacesIn(repo), 'ws-b', { attempt: 2 });
    const { code, stdout } = await millrace(repo, ['worktrees', '--json']);
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ version: 1, branches: [], kept: [] });
    expect(document.worktrees).toEqual([
      expect.objectContaining({ folder, runId: RUN, workstreamId: 'ws-a', uncommitted: true, alive: false }),
      expect.objectContaining({
        folder: own.folder,
        workstreamId: 'ws-b',
        attempt: 2,
        agentId: 'agent-1',
        pid: process.pid,
        uncommitted: false,
        alive: true,
      }),
    ]);
    expect(document.worktrees[0].sizeBytes).toBeGreaterThan(5);
    const text = await millrace(repo, ['worktrees']);
    expect(text.stdout).toMatch(new RegExp(`^${RUN} +ws-a +1 +0\\.0 MB +yes +no +\\.state/worktrees/`, 'm'));
    expect(text.stdout).toMatch(new RegExp(`^${RUN} +ws-b +2 +0\\.0 MB +no +yes +`, 'm'));
  });

  test('prune keeps what is in those of dead processes, removes them, and leaves the living alone', async () => {
    const repo = makeRepository();
    const folder = await leftOver(repo);
    const own = await opened(await workspacesIn(repo), 'ws-b');
    const { code, stdout } = await millrace(repo, ['worktrees', 'prune']);
    expect(stdout).toContain(`(${RUN}, ws-a, attempt 1). What it held is kept as `);
    expect(code).toBe(0);
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(own.folder)).toBe(true);
    expect(contentIn(repo, `millrace/${RUN}/ws-a`, 'work.txt')).toBe('work\n');
    const list = await millrace(repo, ['worktrees', 'list']);
    expect(list.stdout).toContain(`millrace/${RUN}/ws-a`);
    expect(list.stdout).toContain('1 ref below refs/millrace/ keeps what attempts left.');
    const again = await millrace(repo, ['worktrees', 'prune', '--json']);
    expect(JSON.parse(again.stdout)).toEqual({ version: 1, pruned: [] });
  });

  test('one that can not be removed without loss stays, and the exit code says so', async () => {
    const repo = makeRepository();
    const folder = await leftOver(repo);
    writeFiles(folder, { 'inner/file.txt': 'inner\n' });
    git(join(folder, 'inner'), 'init', '-q');
    const { code, stdout } = await millrace(repo, ['worktrees', 'prune']);
    expect(code).toBe(1);
    expect(stdout).toContain('inner/ is a repository of its own');
    expect(existsSync(join(folder, 'inner/file.txt'))).toBe(true);
  });

  test('outside a repository there are none', async () => {
    const { code, stderr } = await millrace(temporaryFolder(), ['worktrees']);
    expect(code).toBe(4);
    expect(stderr).toContain('There are no worktrees here');
    expect((await millrace(makeRepository(), ['worktrees'])).stdout).toBe('No worktrees.\n\nNo branches.\n');
    expect((await millrace(makeRepository(), ['worktrees', 'delete'])).code).toBe(2);
  });
});

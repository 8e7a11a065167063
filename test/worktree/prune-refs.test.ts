import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planRefs, removeRefs } from '../../src/worktree/prune-refs.ts';
import { findRepository, type Repository } from '../../src/worktree/repository.ts';
import { writeFiles } from '../kit/command.ts';
import { commitAll, git, makeRepository, merge, RUN, worked, workspacesIn } from '../kit/repository.ts';

async function repositoryOf(repo: string): Promise<Repository> {
  const found = await findRepository(repo);
  if ('why' in found) throw new Error(found.why);
  return found;
}

/** Two workstreams that were merged, an attempt that failed before, and one that conflicts. */
async function withRun(): Promise<string> {
  const repo = makeRepository();
  const workspaces = await workspacesIn(repo);
  const take = async (id: string, files: Record<string, string>, attempt = 1): Promise<void> => {
    const { workspace, changes } = await worked(workspaces, id, files, { attempt });
    await merge(workspaces, changes);
    await workspaces.close(workspace);
  };
  const failed = await worked(workspaces, 'ws-a', { failed: '' }, { attempt: 1 });
  await workspaces.close(failed.workspace);
  await take('ws-a', { 'a.txt': 'a2\n' }, 2);
  await take('ws-b', { new: '' });
  await take('ws-c', { 'a.txt': 'conflict\n' });
  return repo;
}

const names = (refs: readonly { name: string }[]): string[] =>
  refs.map(({ name }) => name.replace(`millrace/${RUN}/`, '')).toSorted();

describe('refs of old runs', () => {
  test('that hold the same work as another go; of those the one that a person would look at stays', async () => {
    const plan = await planRefs(await repositoryOf(await withRun()), [RUN]);
    expect(plan.remove.map(({ refs }) => names(refs))).toEqual([
      ['refs/_base', 'refs/heads/ws-a', 'refs/heads/ws-b', 'refs/ws-a/2', 'refs/ws-b/1', 'refs/ws-c/1'],
    ]);
    expect(plan.keep.map(({ ref }) => ref).toSorted()).toEqual([
      `millrace/${RUN}/_merged`,
      `millrace/${RUN}/ws-c`,
      `refs/millrace/${RUN}/ws-a/1`,
    ]);
  });

  test('that the user has merged go all, and removing them leaves every commit in a ref', async () => {
    const repo = await withRun();
    const commits = (): string[] => git(repo, 'rev-list', '--all').trim().split('\n').toSorted();
    const before = commits();
    git(repo, 'merge', '-q', '--no-edit', `millrace/${RUN}/_merged`);
    const repository = await repositoryOf(repo);
    const plan = await planRefs(repository, [RUN]);
    for (const one of plan.remove) await removeRefs(repository, one);
    expect(commits()).toEqual(expect.arrayContaining(before));
    expect(plan.keep.map(({ ref }) => ref).toSorted()).toEqual([
      `millrace/${RUN}/ws-c`,
      `refs/millrace/${RUN}/ws-a/1`,
    ]);
    expect((await planRefs(repository, [RUN])).remove).toEqual([]);
  });

  describe('that the user has squashed', () => {
    const squash = (repo: string): void => {
      git(repo, 'merge', '-q', '--squash', `millrace/${RUN}/_merged`);
      git(repo, 'commit', '-qm', 'all of it');
    };
    const kept = async (repo: string): Promise<string[]> =>
      (await planRefs(await repositoryOf(repo), [RUN])).keep.map(({ ref }) => ref).toSorted();
    const CONFLICT = [`millrace/${RUN}/ws-c`, `refs/millrace/${RUN}/ws-a/1`];

    test('go too, also when the user has changed the same files since', async () => {
      const repo = await withRun();
      squash(repo);
      expect(await kept(repo)).toEqual(CONFLICT);
      writeFiles(repo, { 'a.txt': 'mine\n' });
      commitAll(repo, 'mine');
      expect(await kept(repo)).toEqual(CONFLICT);
    });

    test.each<[string, (repo: string) => void]>([
      ['has changed what was squashed', (repo) => writeFiles(repo, { 'a.txt': 'a3\n' })],
      ['has taken a part of it', (repo) => git(repo, 'rm', '-qf', 'new')],
      ['has another mode of a file', (repo) => chmodSync(join(repo, 'new'), 0o755)],
    ])('stay where the commit %s', async (_, change) => {
      const repo = await withRun();
      git(repo, 'merge', '-q', '--squash', `millrace/${RUN}/_merged`);
      change(repo);
      git(repo, 'commit', '-qam', 'not all of it');
      expect(await kept(repo)).toContain(`millrace/${RUN}/_merged`);
    });

    test('stay where a version between is in no branch, and where nothing but a removal is not taken', async () => {
      const repo = makeRepository({ 'old.txt': 'old\n', 'a.txt': 'a\n' });
      git(repo, 'checkout', '-qb', `millrace/${RUN}/ws-steps`);
      writeFiles(repo, { 'a.txt': 'between\n' });
      commitAll(repo, 'between');
      writeFiles(repo, { 'a.txt': 'end\n' });
      commitAll(repo, 'end');
      git(repo, 'checkout', '-qb', `millrace/${RUN}/ws-removal`, 'main');
      git(repo, 'rm', '-q', 'old.txt');
      commitAll(repo, 'removal');
      git(repo, 'checkout', '-q', 'main');
      git(repo, 'merge', '-q', '--squash', `millrace/${RUN}/ws-steps`);
      git(repo, 'commit', '-qm', 'squashed');
      expect(await kept(repo)).toEqual([`millrace/${RUN}/ws-removal`, `millrace/${RUN}/ws-steps`]);
    });
  });

  test('that are checked out, of other runs, or moved since, stay', async () => {
    const repo = await withRun();
    git(repo, 'checkout', '-q', `millrace/${RUN}/ws-b`);
    const repository = await repositoryOf(repo);
    const plan = await planRefs(repository, [RUN, 'ma-run-20000101-000000']);
    expect(plan.keep).toContainEqual({
      ref: `millrace/${RUN}/ws-b`,
      why: expect.stringContaining('checked out'),
    });
    expect((await planRefs(repository, ['ma-run-20000101-000000'])).keep).toEqual([]);
    const [one] = plan.remove;
    if (one === undefined) throw new Error('nothing to remove');
    git(repo, 'checkout', '-q', `millrace/${RUN}/ws-a`);
    writeFiles(repo, { mine: '' });
    commitAll(repo, 'mine');
    await expect(removeRefs(repository, one)).rejects.toThrow();
    expect(git(repo, 'show', '--format=%s', '--no-patch', `millrace/${RUN}/ws-a`)).toBe('mine\n');
  });
});

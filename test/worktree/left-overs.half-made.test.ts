import { existsSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listWorktrees } from '../../src/worktree/left-overs.ts';
import { findRepository } from '../../src/worktree/repository.ts';
import { prune } from '../../src/worktree/rescue.ts';
import { lockReason, parseLockReason } from '../../src/worktree/worktree.ts';
import { writeFiles } from '../kit/command.ts';
import { git, makeRepository, opened, RUN, workspacesIn } from '../kit/repository.ts';

const owner = (start: string) => ({
  runId: RUN,
  workstreamId: 'ws-a',
  attempt: 1,
  agentId: 'agent-1',
  start,
  // Started at a time at which no process of this machine did.
  process: { pid: process.pid, started: '1', hostname: hostname() },
});

test('a lock reason says whose worktree it is, and others are nobody’s', () => {
  const one = owner('a'.repeat(40));
  expect(parseLockReason(lockReason(one))).toEqual(one);
  const unknown = { ...one, process: { ...one.process, started: null, hostname: 'a host with spaces' } };
  expect(parseLockReason(lockReason(unknown))).toEqual(unknown);
  expect(parseLockReason('on a portable device')).toBeNull();
});

test.each([[['HEAD', 'commondir', 'index']], [['commondir', 'index']], [['index']]])(
  'without %s it is removed, and nothing is made of it',
  async (missing) => {
    const repo = makeRepository();
    const { folder } = await opened(await workspacesIn(repo), 'ws-a');
    const admin = join(repo, '.git/worktrees/ws-a-1');
    writeFiles(admin, { locked: lockReason(owner(git(repo, 'rev-parse', 'HEAD').trim())) });
    for (const name of missing) rmSync(join(admin, name));
    rmSync(join(folder, 'a.txt'));
    const found = await findRepository(repo);
    if ('why' in found) throw new Error(found.why);
    expect(await prune(found)).toMatchObject([{ workstreamId: 'ws-a', removed: true, why: null }]);
    expect(existsSync(admin)).toBe(false);
    expect(git(repo, 'for-each-ref', 'refs/heads/millrace')).toBe('');
  },
);

test('one that git does not know yet is unlocked, so that git tidies it up', async () => {
  const repo = makeRepository();
  const admin = join(repo, '.git/worktrees/ws-a-1');
  writeFiles(admin, { locked: lockReason(owner('a'.repeat(40))) });
  writeFiles(join(repo, '.git/worktrees/users'), { locked: 'mine' });
  const found = await findRepository(repo);
  if ('why' in found) throw new Error(found.why);
  expect(await listWorktrees(found)).toEqual([]);
  expect(await prune(found)).toEqual([]);
  expect(existsSync(join(admin, 'locked'))).toBe(false);
  expect(readFileSync(join(repo, '.git/worktrees/users/locked'), 'utf8')).toBe('mine');
});

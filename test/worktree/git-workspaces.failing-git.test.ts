/** What becomes of work when git fails, is killed or hangs in the middle. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Workspace } from '../../src/domain/workspaces.ts';
import { whyNoWorktrees } from '../../src/worktree/can-isolate.ts';
import { git as runGit, withinLimits } from '../../src/worktree/git.ts';
import type { GitWorkspaces } from '../../src/worktree/git-workspaces.ts';
import { findRepository, gitRead, gitWrite } from '../../src/worktree/repository.ts';
import { prune } from '../../src/worktree/rescue.ts';
import { writeFiles } from '../kit/command.ts';
import {
  abandon,
  contentIn,
  git,
  makeRepository,
  merge,
  opened,
  RUN,
  request,
  worked,
  workspacesIn,
} from '../kit/repository.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const REAL_PATH = process.env['PATH'] ?? '';
const REAL_GIT = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();

/** A git whose calls of one command do something else while there is a file of this name; it counts them. */
const FAILING_GIT = `#!/bin/sh
verb=
for word in "$@"; do case "$word" in
  -c|*=*) ;; -*) ;; *) verb=$word; break ;;
esac; done
if [ -e "$TRAP/$verb" ]; then printf x >> "$TRAP/calls"; . "$TRAP/$verb"; fi
exec "$REAL_GIT" "$@"
`;

let trap = '';

beforeEach(() => {
  trap = temporaryFolder();
  writeFiles(trap, { 'bin/git': FAILING_GIT });
  chmodSync(join(trap, 'bin/git'), 0o755);
  Object.assign(process.env, { PATH: `${trap}/bin:${REAL_PATH}`, TRAP: trap, REAL_GIT });
});

afterEach(() => {
  process.env['PATH'] = REAL_PATH;
  delete process.env['TRAP'];
  delete process.env['REAL_GIT'];
});

/** From now on calls of a command of git do this, a few lines of shell. */
const sabotage = (command: string, shell: string): void => writeFiles(trap, { [command]: shell });

const FAILS = 'echo "fatal: no space left on device" >&2; exit 128';
const DIES = 'kill -9 $$';

/** A worktree with work in it that is in no commit. */
async function withWork(limits = request('x').limits): Promise<[string, GitWorkspaces, Workspace]> {
  const repo = makeRepository();
  const workspaces = await workspacesIn(repo);
  const workspace = await opened(workspaces, 'ws-a', { limits });
  writeFiles(workspace.folder, { 'work.txt': 'work\n' });
  return [repo, workspaces, workspace];
}

describe('work that git can not capture', () => {
  test.each(
    [
      'add',
      'status',
      'ls-files',
      'write-tree',
      'commit-tree',
      'update-ref',
      'for-each-ref',
      'diff-tree',
      'rev-list',
      'rev-parse',
      'merge-base',
    ].flatMap((command) => [
      [command, 'fails', FAILS],
      [command, 'is killed', DIES],
    ]),
  )('because git %s %s is not taken for none, and stays in its worktree', async (command, _how, shell) => {
    const [repo, workspaces, workspace] = await withWork();
    sabotage(command, shell);
    const changes = await workspaces.harvest(workspace);
    if (existsSync(join(trap, 'calls'))) {
      expect(changes.head).toBeNull();
      expect(changes.notes.at(-1)).toContain(
        `The worktree stays, and everything is in it: ${workspace.folder}.`,
      );
    } else expect(changes.head).not.toBeNull();
    await workspaces.close(workspace);
    if (changes.head !== null) return;
    expect(readFileSync(join(workspace.folder, 'work.txt'), 'utf8')).toBe('work\n');
    expect(workspaces.staying()).toHaveLength(1);
    process.env['PATH'] = REAL_PATH;
    await abandon(repo, workspace.folder);
    const repository = await findRepository(repo);
    if ('why' in repository) throw new Error(repository.why);
    expect(await prune(repository)).toMatchObject([{ removed: true }]);
    expect(git(repo, 'log', '--all', '--format=%s', '--', 'work.txt')).not.toBe('');
  });

  test('is built on by nobody', async () => {
    const [, workspaces, workspace] = await withWork();
    sabotage('add', FAILS);
    await workspaces.harvest(workspace);
    await workspaces.close(workspace);
    process.env['PATH'] = REAL_PATH;
    const next = await opened(workspaces, 'ws-b', { parents: ['ws-a'] });
    expect(existsSync(join(next.folder, 'work.txt'))).toBe(false);
  });

  test('because its folder is gone, and nothing was committed, is not taken for none', async () => {
    const [repo, workspaces, workspace] = await withWork();
    rmSync(workspace.folder, { recursive: true });
    const changes = await workspaces.harvest(workspace);
    expect(changes).toMatchObject({ head: null, files: [], commits: [] });
    expect(changes.notes.at(-1)).toContain('its folder was gone');
    expect(await workspaces.close(workspace)).toEqual([]);
    expect(workspaces.staying()).toEqual([]);
    expect(git(repo, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  });

  test('because it is in a repository of its own is not taken for all', async () => {
    const [, workspaces, workspace] = await withWork();
    writeFiles(workspace.folder, { 'inner/file.txt': 'inner\n' });
    git(join(workspace.folder, 'inner'), 'init', '-q');
    const changes = await workspaces.harvest(workspace);
    expect(changes).toMatchObject({ head: null, files: [{ path: 'work.txt' }] });
    expect(changes.notes.at(-1)).toContain('inner/ is a repository of its own');
  });
});

describe('accepted work that git does not merge', () => {
  test('is merged when git does it the second time', async () => {
    const [, workspaces, workspace] = await withWork();
    const changes = await workspaces.harvest(workspace);
    sabotage('merge-tree', `[ "$(wc -c < "$TRAP/calls")" -gt 1 ] || { ${DIES}; }`);
    expect((await merge(workspaces, changes)).status).toBe('merged');
  });

  test.each([['merge-tree'], ['commit-tree'], ['update-ref']])(
    'because %s fails every time is refused',
    async (command) => {
      const [, workspaces, workspace] = await withWork();
      const changes = await workspaces.harvest(workspace);
      sabotage(command, FAILS);
      const { status, detail } = await merge(workspaces, changes);
      expect(status).toBe('failed');
      expect(detail).toContain('its work is kept, and could not be merged');
    },
  );
});

describe('of several candidates the chosen one counts', () => {
  test('as it was judged, with its branch, whatever git says after that', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const first = await worked(workspaces, 'ws-a', { x: 'first\n' }, { attempt: 1 });
    const second = await worked(workspaces, 'ws-a', { x: 'second\n' }, { attempt: 2 });
    await workspaces.close(second.workspace);
    writeFiles(first.workspace.folder, { x: 'too late\n' });
    sabotage('write-tree', FAILS);
    const chosen = await workspaces.choose(first.workspace);
    expect(chosen).toEqual(first.changes);
    expect(contentIn(repo, `millrace/${RUN}/ws-a`, 'x')).toBe('first\n');
    expect((await merge(workspaces, chosen)).status).toBe('merged');
    expect(contentIn(repo, `millrace/${RUN}/_merged`, 'x')).toBe('first\n');
  });

  test('also where its branch can not be set', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    const first = await worked(workspaces, 'ws-a', { x: 'first\n' }, { attempt: 1 });
    await worked(workspaces, 'ws-a', { x: 'second\n' }, { attempt: 2 });
    sabotage('for-each-ref', FAILS);
    const chosen = await workspaces.choose(first.workspace);
    expect(chosen).toMatchObject({ head: first.changes.head, branch: `refs/millrace/${RUN}/ws-a/1` });
    expect(chosen.notes.join()).toContain('could not be set');
  });
});

describe('a git that does not end', () => {
  const WAITS = 'sleep 1000 & echo $! > "$TRAP/pid"; mv "$TRAP/pid" "$TRAP/waiting"; wait';

  /** Whether what git started to wait for is still there. */
  const isWaiting = (): boolean => {
    const pid = readFileSync(join(trap, 'waiting'), 'utf8').trim();
    return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  };

  /** What comes of it with a limit that leaves the time to get as far as the git that does not end, and that limit. */
  async function untilWaiting<T>(attempt: (seconds: number) => T | Promise<T>): Promise<[T, number]> {
    for (let seconds = 0.5; ; seconds *= 2) {
      const found = await attempt(seconds);
      if (existsSync(join(trap, 'waiting'))) return [found, seconds];
    }
  }

  test('while a worktree is prepared: the limit holds, nothing of it stays', async () => {
    const repo = makeRepository();
    const workspaces = await workspacesIn(repo);
    sabotage('reset', WAITS);
    const [failure, seconds] = await untilWaiting((limit) => {
      const limits = { seconds: limit, signal: new AbortController().signal };
      return workspaces.open(request(`ws-${limit * 2}`, { limits }));
    });
    expect(failure).toMatchObject({
      reason: 'workspace-error',
      detail: expect.stringContaining(`git reset did not end within ${seconds} s`),
    });
    await expect.poll(isWaiting).toBe(false);
    expect(git(repo, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  });

  test('to say whether there can be worktrees: is ended with what it started, and named', async () => {
    const repo = makeRepository();
    sabotage('rev-parse', WAITS);
    const [found, seconds] = await untilWaiting((limit) => whyNoWorktrees(repo, limit));
    expect(found).toMatchObject({
      inside: true,
      why: expect.stringContaining(`git rev-parse did not end within ${seconds} s`),
    });
    await expect.poll(isWaiting).toBe(false);
  });

  test('is named as what took the time, not the call that there was none left for', async () => {
    const repository = await findRepository(makeRepository());
    if ('why' in repository) throw new Error(repository.why);
    sabotage('status', WAITS);
    const calls = withinLimits({ runId: RUN, seconds: 0.5 }, async () => {
      await gitRead(repository, ['status']);
      return gitRead(repository, ['for-each-ref']);
    });
    expect((await calls).stderr).toMatch(/^git status did not end within 0\.5 s/);
  });

  test('leaves nothing that ignores the signal and holds none of its output', async () => {
    const stubborn = `trap "" TERM; echo $$ > "$TRAP/pid"; mv "$TRAP/pid" "$TRAP/waiting"; while :; do sleep 0.1; done`;
    sabotage('version', `sh -c '${stubborn}' > /dev/null 2>&1 & wait`);
    const [result, seconds] = await untilWaiting((limit) =>
      runGit(['version'], { cwd: trap, seconds: limit }),
    );
    expect(result.stderr).toContain(`did not end within ${seconds} s`);
    await expect.poll(isWaiting).toBe(false);
  });

  test('while it is prepared, and the run is interrupted', async () => {
    const workspaces = await workspacesIn(makeRepository());
    const abort = new AbortController();
    sabotage('reset', `touch "$TRAP/begun"; ${WAITS}`);
    const limits = { seconds: 1000, signal: abort.signal };
    const opening = workspaces.open(request('ws-a', { limits }));
    await expect.poll(() => existsSync(join(trap, 'waiting')), { timeout: 20_000 }).toBe(true);
    abort.abort();
    expect(await opening).toMatchObject({ reason: 'workspace-error' });
    await expect.poll(isWaiting).toBe(false);
  });

  test('keeps others waiting no longer than their own limits', async () => {
    const workspaces = await workspacesIn(makeRepository());
    const first = await opened(workspaces, 'ws-a');
    sabotage('update-ref', WAITS);
    const slow = withinLimits({ runId: RUN, seconds: 20 }, () => workspaces.harvest(first)).catch(() => null);
    await expect.poll(() => existsSync(join(trap, 'waiting')), { timeout: 20_000 }).toBe(true);
    const limits = { seconds: 0.2, signal: new AbortController().signal };
    await expect(workspaces.open(request('ws-b', { limits }))).resolves.toMatchObject({
      reason: 'workspace-error',
    });
    execFileSync('kill', [readFileSync(join(trap, 'waiting'), 'utf8').trim()]);
    await slow;
  });

  test('although it has ended itself: what it started holds its output no longer than two seconds', async () => {
    sabotage('version', 'sleep 1000 & echo $! > "$TRAP/waiting"; echo git version 2.99; exit 0');
    const result = await runGit(['version'], { cwd: trap });
    expect(result).toEqual({ exitCode: 0, stdout: 'git version 2.99\n', stderr: '' });
    await expect.poll(isWaiting).toBe(false);
  });

  test('never asks: no terminal, no askpass, no editor, no pager, nothing to read', async () => {
    sabotage('version', 'env; tty; read line && echo "read $line"; exit 0');
    process.env['GIT_ASKPASS'] = '/bin/ask';
    process.env['SSH_ASKPASS'] = '/bin/ask';
    process.env['GIT_EDITOR'] = 'vi';
    try {
      const { stdout } = await runGit(['version'], { cwd: trap });
      expect(stdout).toContain('GIT_TERMINAL_PROMPT=0\n');
      expect(stdout).toContain('\nGIT_ASKPASS=\n');
      expect(stdout).toContain('\nGIT_EDITOR=false\n');
      expect(stdout).toContain('not a tty');
      expect(stdout).not.toContain('/bin/ask');
      expect(stdout).not.toContain('read ');
    } finally {
      for (const name of ['GIT_ASKPASS', 'SSH_ASKPASS', 'GIT_EDITOR']) delete process.env[name];
    }
  });
});

describe('a lock that a git left which was killed', () => {
  test('is removed where it is on a ref of this run', async () => {
    const [repo, workspaces, workspace] = await withWork();
    const lock = join(repo, `.git/refs/millrace/${RUN}/ws-a/1.lock`);
    const branch = join(repo, `.git/refs/heads/millrace/${RUN}/ws-a.lock`);
    writeFiles('/', { [lock]: '', [branch]: '' });
    const changes = await workspaces.harvest(workspace);
    expect(changes).toMatchObject({ branch: `millrace/${RUN}/ws-a`, notes: [] });
    expect([existsSync(lock), existsSync(branch)]).toEqual([false, false]);
  });

  test('of anybody else is waited for, then named, and left alone', { timeout: 60_000 }, async () => {
    const repo = makeRepository();
    const repository = await findRepository(repo);
    if ('why' in repository) throw new Error(repository.why);
    const other = `refs/millrace/${RUN}-2/ws-a/1`;
    const lock = join(repo, `.git/${other}.lock`);
    writeFiles('/', { [lock]: '' });
    const input = `create ${other} ${repository.head}\n`;
    const result = await withinLimits({ runId: RUN, seconds: 60 }, () =>
      gitWrite(repository, ['update-ref', '--stdin'], { input }),
    );
    expect(result.exitCode).not.toBe(0);
    expect(existsSync(lock)).toBe(true);
  });
});

test('a git that is not installed is said to be that', async () => {
  process.env['PATH'] = join(trap, 'nowhere');
  expect(whyNoWorktrees(trap)).toEqual({ inside: false, why: 'git was not found on PATH' });
  expect((await runGit(['status'], { cwd: trap })).stderr).toBe('git was not found on PATH');
});

test('names a folder that no longer exists', async () => {
  const result = await runGit(['status'], { cwd: join(trap, 'gone') });
  expect(result).toEqual({
    exitCode: 127,
    stdout: '',
    stderr: `the folder ${join(trap, 'gone')} no longer exists`,
  });
});

/** What became of the remote while a run went on, with real repositories: nothing that is there is lost, and each row says why. */
import { chmodSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { type GitHubServer, startGitHub } from '../kit/github-server.ts';
import { commitAll, git, makeRepository } from '../kit/repository.ts';

/** Writes a file of its own, and does to the remote meanwhile what a test says. */
const AGENT = `#!/bin/sh
cat > /dev/null
echo "$MILLRACE_WORKSTREAM_ID" > "$MILLRACE_WORKSTREAM_ID.txt"
sh -ec "$MEANWHILE"
`;

interface Scene {
  repo: string;
  remote: string;
  /** A clone of somebody else. */
  theirs: string;
  github: GitHubServer;
}

/** A repository of one workstream, its remote, and a clone in which somebody has committed something. */
async function scene(): Promise<Scene> {
  const repo = makeRepository({
    'millrace.config.json': JSON.stringify({ tools: { writer: { command: ['./agent.sh'] } } }),
    'workstreams/a.json': JSON.stringify([{ id: 'ws-a', tool: 'writer', tasks: ['write'] }]),
    'agent.sh': AGENT,
  });
  chmodSync(join(repo, 'agent.sh'), 0o755);
  commitAll(repo, 'agent');
  const remote = join(dirname(repo), 'remote.git');
  git(dirname(repo), 'init', '-q', '--bare', '-b', 'main', remote);
  git(repo, 'remote', 'add', 'origin', remote);
  git(repo, 'push', '-q', '-u', 'origin', 'main');
  const theirs = join(dirname(repo), 'theirs');
  git(dirname(repo), 'clone', '-q', remote, theirs);
  writeFiles(theirs, { 'theirs.txt': 'theirs\n' });
  commitAll(theirs, 'theirs');
  const github = await startGitHub();
  github.repository = remote;
  return { repo, remote, theirs, github };
}

const tip = (folder: string, ref: string): string => git(folder, 'rev-parse', ref).trim();

/** Runs the workstream, while this shell line is run in the clone. */
async function runWhile({ repo, theirs, github }: Scene, line: string): Promise<void> {
  const MEANWHILE = line === '' ? 'true' : `cd '${theirs}' && ${line}`;
  expect((await millrace(repo, ['run'], { ...github.env, MEANWHILE })).code).toBe(0);
}

const openPulls = ({ repo, github }: Scene) => millrace(repo, ['pr'], github.env);

/** Makes the remote refuse every push, with this text. */
function refusePushes({ remote }: Scene, text: string): void {
  writeFiles(remote, { 'hooks/pre-receive': `#!/bin/sh\necho '${text}' >&2\nexit 1\n` });
  git(remote, 'config', 'core.hooksPath', join(remote, 'hooks'));
  chmodSync(join(remote, 'hooks/pre-receive'), 0o755);
}

describe('the base branch at the remote', () => {
  test.each([
    ['moved on', 'git push -q origin main'],
    [
      'was replaced by a history that has nothing of the run',
      'git checkout -q --orphan other && git commit -q -m other && git push -q -f origin other:main',
    ],
  ])(
    '%s: the work is proposed from where the run started, and the branch stays as it is',
    async (_, line) => {
      const all = await scene();
      const start = tip(all.repo, 'main');
      await runWhile(all, line);
      const base = tip(all.remote, 'main');
      expect(base).not.toBe(start);
      expect(await openPulls(all)).toMatchObject({ code: 0, stdout: expect.stringContaining('1 created') });
      expect(tip(all.remote, 'main')).toBe(base);
      expect(tip(all.repo, 'main')).toBe(start);
      expect(tip(all.remote, 'millrace-pr/ws-a^')).toBe(start);
      expect(git(all.remote, 'diff', '--name-only', start, 'millrace-pr/ws-a').trim()).toBe('ws-a.txt');
    },
  );

  test('and the local one have diverged: both stay as they are, and the work is proposed', async () => {
    const all = await scene();
    writeFiles(all.repo, { 'ours.txt': 'ours\n' });
    const ours = commitAll(all.repo, 'ours');
    await runWhile(all, 'git push -q origin main');
    expect((await openPulls(all)).code).toBe(0);
    expect([tip(all.repo, 'main'), tip(all.remote, 'main')]).toEqual([ours, tip(all.theirs, 'main')]);
    expect(tip(all.remote, 'millrace-pr/ws-a^')).toBe(ours);
  });

  test('is gone: the work is proposed for the default branch', async () => {
    const all = await scene();
    git(all.repo, 'checkout', '-q', '-b', 'topic');
    git(all.repo, 'push', '-q', 'origin', 'topic');
    await runWhile(all, 'git push -q origin --delete topic');
    expect(await openPulls(all)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('into main: 1 created'),
    });
  });
});

describe('a pull request whose branch', () => {
  test('was force-pushed while the run went on is left as it is, and the work stays here', async () => {
    const all = await scene();
    await runWhile(all, '');
    await openPulls(all);
    await runWhile(all, 'git push -q -f origin main:millrace-pr/ws-a');
    const pushed = await openPulls(all);
    expect([pushed.code, pushed.stdout]).toEqual([
      1,
      expect.stringContaining('Somebody else pushed to millrace-pr/ws-a of origin'),
    ]);
    expect(tip(all.remote, 'millrace-pr/ws-a')).toBe(tip(all.theirs, 'main'));
    const kept = git(all.repo, 'branch', '--list', 'millrace/*/ws-a').trim().split('\n');
    expect(kept).toHaveLength(2);
  });

  test('a hook of the remote refuses is not opened, says so, and is pushed by the next call', async () => {
    const all = await scene();
    await runWhile(all, '');
    refusePushes(all, 'No pushes on Sundays.');
    const refused = await openPulls(all);
    expect([refused.code, refused.stdout]).toEqual([
      1,
      expect.stringMatching(/1 failed.*pre-receive hook declined\): No pushes on Sundays/s),
    ]);
    expect(all.github.pulls.size).toBe(0);
    expect(git(all.remote, 'branch', '--list', 'millrace-pr/*')).toBe('');
    rmSync(join(all.remote, 'hooks/pre-receive'));
    expect(await openPulls(all)).toMatchObject({ code: 0, stdout: expect.stringContaining('1 created') });
  });
});

test('a sync that a hook of the remote refuses says so, and the next one pushes the same branch', async () => {
  const all = await scene();
  refusePushes(all, 'No pushes on Sundays.');
  const refused = await millrace(all.repo, ['sync'], all.github.env);
  expect([refused.code, refused.stdout]).toEqual([
    1,
    expect.stringMatching(/not pushed.*pre-receive hook declined\): No pushes on Sundays/s),
  ]);
  const made = git(all.repo, 'branch', '--list', '--format=%(objectname)', 'feature/ws-sync-*');
  rmSync(join(all.remote, 'hooks/pre-receive'));
  expect((await millrace(all.repo, ['sync'], all.github.env)).code).toBe(0);
  expect(git(all.remote, 'branch', '--list', '--format=%(objectname)', 'feature/ws-sync-*')).toBe(made);
});

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { writeFiles } from '../kit/command.ts';
import { git, makeRepository, merge, opened, RUN, worked, workspacesIn } from '../kit/repository.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const FILES = 3_000;
const TOGETHER = 20;

// It writes 60,000 files, which takes a busy machine longer than a test usually has.
test(`${TOGETHER} workstreams at once on ${FILES} files`, { timeout: 900_000 }, async () => {
  const files = Array.from({ length: FILES }, (_, index): [string, string] => [
    `src/folder-${index % 100}/file-${index}.txt`,
    `${index}\n`.repeat(20),
  ]);
  const repo = makeRepository(Object.fromEntries(files));
  const workspaces = await workspacesIn(repo);
  const ids = Array.from({ length: TOGETHER }, (_, index) => `ws-${index}`);
  const done = await Promise.all(
    ids.map(async (id, index) => {
      const made = await worked(workspaces, id, {
        [`src/folder-${index}/file-${index}.txt`]: id,
        [`new/${id}.txt`]: id,
      });
      await workspaces.close(made.workspace);
      return made;
    }),
  );
  expect(done.map(({ changes }) => changes.files.length)).toEqual(ids.map(() => 2));
  for (const { changes } of done) expect((await merge(workspaces, changes)).status).toBe('merged');
  expect(done.map(({ workspace }) => existsSync(workspace.folder))).toEqual(ids.map(() => false));
  expect(workspaces.staying()).toEqual([]);
  expect(git(repo, 'worktree', 'list', '--porcelain').match(/^worktree /gm)).toHaveLength(1);
  expect(git(repo, 'status', '--porcelain')).toBe('');
});

test('another process that holds the lock of a ref for a moment is waited for', async () => {
  const repo = makeRepository();
  const workspaces = await workspacesIn(repo);
  const workspace = await opened(workspaces, 'ws-a');
  const folder = join(repo, '.git/refs/millrace', RUN, 'ws-a');
  writeFiles(folder, { '1.lock': '' });
  // A git that lets go of the lock after it has failed once.
  const tools = temporaryFolder();
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const script = `#!/bin/sh
"${real}" "$@"; code=$?
case "$*" in *update-ref*) [ $code -ne 0 ] && echo "$code" >> "${tools}/failed" && rm -f "${folder}/1.lock";; esac
exit $code
`;
  writeFiles(tools, { git: script });
  chmodSync(join(tools, 'git'), 0o755);
  vi.stubEnv('PATH', `${tools}:${process.env['PATH'] ?? ''}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const changes = await workspaces.harvest(workspace);
  expect(readFileSync(join(tools, 'failed'), 'utf8').trim()).toMatch(/^\d+$/);
  expect(changes.head).toBe(changes.base);
});

test('the last worktree of a run goes while another one is made', async () => {
  const workspaces = await workspacesIn(makeRepository());
  // Each ends its last worktree while the others begin their next.
  const chain = async (name: string): Promise<void> => {
    for (let round = 0; round < 12; round += 1) {
      await workspaces.close(await opened(workspaces, `${name}-${round}`));
    }
  };
  await Promise.all([chain('ws-a'), chain('ws-b'), chain('ws-c')]);
  expect(workspaces.staying()).toEqual([]);
});

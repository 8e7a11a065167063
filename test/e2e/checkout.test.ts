/** What was checked out is kept with the run, whatever git does. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { git, makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const STORED =
  'SELECT git_commit AS "commit", git_branch AS branch, git_dirty AS dirty FROM consolidated_runs';

const workstreams = JSON.stringify({ id: 'ws-a', steps: [{ run: 'true' }] });

test('a run in a repository shows its commit, its branch, and whether files differed', async () => {
  const folder = makeRepository({
    'a.txt': 'a\n',
    'workstreams/a.json': workstreams,
    '.gitignore': '.state/\nreports/\n',
  });
  writeFileSync(join(folder, 'a.txt'), 'changed');
  const commit = git(folder, 'rev-parse', 'HEAD').trim();
  expect((await millrace(folder, ['run'])).code).toBe(0);
  expect(query(folder, STORED)).toEqual([{ commit, branch: 'main', dirty: 1 }]);
  const short = commit.slice(0, 10);
  expect((await millrace(folder, ['runs'])).stdout).toContain(`${short}+`);
  expect((await millrace(folder, ['show', 'latest'])).stdout).toContain(`at ${short} on main, with changes`);
  expect((await millrace(folder, ['report', 'latest', '--format', 'md'])).stdout).toContain(
    `\`${short} on main, with changes\``,
  );
  expect(JSON.parse((await millrace(folder, ['show', 'latest', '--json'])).stdout)).toMatchObject({
    run: { checkout: { commit, branch: 'main', isDirty: true } },
  });
});

test('a run outside of repositories says nothing of them', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/a.json': workstreams });
  expect((await millrace(folder, ['run'])).code).toBe(0);
  expect(query(folder, STORED)).toEqual([{ commit: null, branch: null, dirty: null }]);
  expect((await millrace(folder, ['runs'])).stdout).not.toContain('commit');
});

test('a run does not wait for a git that never answers, and loses only what that would have said', async () => {
  const folder = makeRepository({ 'workstreams/a.json': workstreams });
  const bin = temporaryFolder();
  // The question for the commit is answered, that for changes is not.
  const script = `#!/bin/sh\ncase " $* " in *" status "*) exec tail -f /dev/null ;; esac\nPATH=\${PATH#*:} exec git "$@"\n`;
  writeFileSync(join(bin, 'git'), script);
  chmodSync(join(bin, 'git'), 0o755);
  const { code } = await millrace(folder, ['run'], { PATH: `${bin}:${process.env['PATH']}` });
  expect(code).toBe(0);
  expect(query(folder, STORED)).toEqual([
    { commit: git(folder, 'rev-parse', 'HEAD').trim(), branch: 'main', dirty: null },
  ]);
});

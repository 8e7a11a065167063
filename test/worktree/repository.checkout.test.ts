/** Real repositories, in every state in which a run may be started in them. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCheckout } from '../../src/worktree/repository.ts';
import { commitAll, git, makeRepository } from '../kit/repository.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const never = new AbortController().signal;
const headOf = (folder: string): string => git(folder, 'rev-parse', 'HEAD').trim();

describe('a checkout has', () => {
  test('the commit and the branch, from anywhere in the work tree', async () => {
    const folder = makeRepository();
    mkdirSync(join(folder, 'below'));
    const checkout = { commit: headOf(folder), branch: 'main', isDirty: false };
    expect(await readCheckout(folder, never)).toEqual(checkout);
    expect(await readCheckout(join(folder, 'below'), never)).toEqual(checkout);
  });

  test('changes where a tracked file differs, staged or not, and not for files that git does not know', async () => {
    const folder = makeRepository();
    writeFileSync(join(folder, 'new.txt'), 'new');
    expect(await readCheckout(folder, never)).toMatchObject({ isDirty: false });
    git(folder, 'add', 'new.txt');
    expect(await readCheckout(folder, never)).toMatchObject({ isDirty: true });
    commitAll(folder);
    rmSync(join(folder, 'a.txt'));
    expect(await readCheckout(folder, never)).toMatchObject({ isDirty: true });
  });

  test('no branch where a commit is checked out by itself', async () => {
    const folder = makeRepository();
    git(folder, 'checkout', '-q', '--detach');
    expect(await readCheckout(folder, never)).toEqual({
      commit: headOf(folder),
      branch: null,
      isDirty: false,
    });
  });

  test('the commit of a shallow clone', async () => {
    const origin = makeRepository();
    commitAll(origin, 'second');
    const folder = join(temporaryFolder(), 'clone');
    git(origin, 'clone', '-q', '--depth', '1', `file://${origin}`, folder);
    expect(await readCheckout(folder, never)).toEqual({
      commit: headOf(origin),
      branch: 'main',
      isDirty: false,
    });
  });

  test('the commit of a bare repository, which has no files that could differ', async () => {
    const origin = makeRepository();
    const folder = join(temporaryFolder(), 'bare.git');
    git(origin, 'clone', '-q', '--bare', origin, folder);
    expect(await readCheckout(folder, never)).toEqual({
      commit: headOf(origin),
      branch: 'main',
      isDirty: null,
    });
  });

  test('what was known when it was enough', async () => {
    const enough = new AbortController();
    enough.abort('was no longer waited for');
    expect(await readCheckout(makeRepository(), enough.signal)).toBeNull();
  });
});

describe('there is none', () => {
  test('outside of repositories', async () => {
    expect(await readCheckout(temporaryFolder(), never)).toBeNull();
  });

  test('before the first commit', async () => {
    const folder = temporaryFolder();
    git(folder, 'init', '-q');
    expect(await readCheckout(folder, never)).toBeNull();
  });

  test('where git is missing, or refuses', async () => {
    const folder = makeRepository();
    const { PATH } = process.env;
    process.env['PATH'] = temporaryFolder();
    try {
      expect(await readCheckout(folder, never)).toBeNull();
    } finally {
      process.env['PATH'] = PATH;
    }
    writeFileSync(join(folder, '.git/config'), 'not a configuration');
    expect(await readCheckout(folder, never)).toBeNull();
  });
});

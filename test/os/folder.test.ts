import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderProblem, makeFolder } from '../../src/os/folder.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

test('folders that are missing are made with the mode, and the first of them is told', () => {
  const folder = temporaryFolder();
  expect(makeFolder(join(folder, 'a', 'b'), 0o700)).toBe(join(folder, 'a'));
  expect(statSync(join(folder, 'a', 'b')).mode & 0o777).toBe(0o700);
  expect(makeFolder(join(folder, 'a', 'b'))).toBeUndefined();
  expect(makeFolder(join(folder, 'a', 'b', 'c'))).toBe(join(folder, 'a', 'b', 'c'));
});

test('a link to a folder is one, and what is no folder is told', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  makeFolder(join(folder, 'link', 'a'));
  expect(existsSync(join(folder, 'real', 'a'))).toBe(true);
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'nothing'));
  expect(() => makeFolder(join(folder, 'file'))).toThrow('EEXIST');
  expect(() => makeFolder(join(folder, 'file', 'a'))).toThrow(/ENOTDIR|EEXIST/);
  expect(() => makeFolder(join(folder, 'nothing', 'a'))).toThrow('EEXIST');
});

/** In a process that can be ended: what turns for ever would take the tests with it. */
test.runIf(process.platform === 'linux')(
  'what the system has no place for is an error, and not for ever',
  () => {
    const entry = new URL('../../dist/src/os/folder.js', import.meta.url).href;
    const program = `import { makeFolder } from '${entry}';
    try { makeFolder('/proc/millrace/a'); } catch (error) { process.stdout.write(error.code); }`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    expect(stdout).toBe('ENOENT');
  },
);

test('why nothing can be written into a folder is known before it is tried', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'nothing'));
  symlinkSync('loop', join(folder, 'loop'));
  const problemOf = (...names: string[]): string | null => folderProblem(join(folder, ...names));
  expect(problemOf()).toBeNull();
  expect(problemOf('a', 'b')).toBeNull();
  expect(problemOf('file')).toBe(`${join(folder, 'file')} is a file, not a folder`);
  expect(problemOf('file', 'a', 'b')).toBe(`${join(folder, 'file')} is a file, not a folder`);
  expect(problemOf('nothing', 'a')).toBe(`${join(folder, 'nothing')} is a link to nothing`);
  expect(problemOf('loop', 'a')).toContain('ELOOP');
  expect(existsSync(join(folder, 'a'))).toBe(false);
});

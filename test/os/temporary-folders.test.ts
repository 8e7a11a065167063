import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { abandonedFolders, makeTemporaryFolder } from '../../src/os/temporary-folders.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const before = process.env['TMPDIR'];
let folder = '';

beforeEach(() => {
  folder = temporaryFolder();
  process.env['TMPDIR'] = folder;
});

afterEach(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
});

test('folders of processes that have gone are found, those of the living and of others are not', () => {
  const own = makeTemporaryFolder('fork');
  expect(existsSync(own)).toBe(true);
  const { pid } = spawnSync('true');
  const dead = basename(own).replace(`-${process.pid}-`, `-${pid}-`);
  const foreign = dead.replace(/^millrace-fork-\d+-/, 'millrace-fork-1-');
  for (const name of [dead, foreign, 'millrace-other', `${dead}-more`, 'millrace-tune-x'])
    mkdirSync(join(folder, name));
  expect(abandonedFolders()).toEqual([join(folder, dead)]);
  rmSync(own, { recursive: true });
});

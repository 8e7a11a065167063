import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { abandonedTemporaries, replaceFile } from '../../src/os/replace-file.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

test('a new file, and one in place of another, leave nothing beside them', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'settings.json');
  replaceFile(path, 'a long first text');
  replaceFile(path, Buffer.from('second'), { durable: false });
  expect(readFileSync(path, 'utf8')).toBe('second');
  expect(readdirSync(folder)).toEqual(['settings.json']);
});

test('the mode is the one that was asked for, whatever the mask of the process says', () => {
  const path = join(temporaryFolder(), 'settings.json');
  replaceFile(path, 'text', { mode: 0o666 });
  expect(statSync(path).mode & 0o777).toBe(0o666);
});

test('a link is replaced, and what it leads to stays as it is', () => {
  const folder = temporaryFolder();
  const [target, link] = [join(folder, 'target'), join(folder, 'link')];
  writeFileSync(target, 'as it was');
  symlinkSync(target, link);
  replaceFile(link, 'new');
  expect(readFileSync(target, 'utf8')).toBe('as it was');
  expect(readFileSync(link, 'utf8')).toBe('new');
});

test('what can not be replaced is as it was, and no temporary file stays', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'settings.json');
  mkdirSync(join(path, 'inside'), { recursive: true });
  expect(() => replaceFile(path, 'text')).toThrow();
  expect(readdirSync(folder)).toEqual(['settings.json']);
  expect(readdirSync(path)).toEqual(['inside']);
});

test('a temporary file counts as abandoned once its process is gone, on this host and for these files only', () => {
  const folder = temporaryFolder();
  const { pid } = spawnSync('true');
  const left = `.a.1.json.${pid}.${hostname()}.tmp`;
  const others = [
    `.a.1.json.${process.ppid}.${hostname()}.tmp`,
    `.a.1.json.${pid}.another-machine.tmp`,
    `.a.1.md.${pid}.${hostname()}.tmp`,
    '.notes.tmp',
  ];
  for (const name of [left, ...others]) writeFileSync(join(folder, name), 'half');
  expect(abandonedTemporaries(folder, /a\..*\.json/)).toEqual([join(folder, left)]);
});

test('a folder that is not there has none', () => {
  expect(abandonedTemporaries(join(temporaryFolder(), 'missing'), /.*/)).toEqual([]);
});

/** What a workstream may put in the place of a later one's log. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder, makeStateFolder } from '../../src/app/paths.ts';
import { openLog, openLogToRead } from '../../src/os/log-file.ts';
import { readRegular, writeRegular } from '../../src/os/regular-file.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const VICTIM = 'as it was';
const TRICKS: Record<string, (path: string, victim: string) => void> = {
  'a symbolic link': (path, victim) => symlinkSync(victim, path),
  'a hard link': (path, victim) => linkSync(victim, path),
  'a link to nothing': (path, victim) => symlinkSync(`${victim}-new`, path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a link to a device': (path) => symlinkSync('/dev/zero', path),
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'an empty folder': (path) => mkdirSync(path),
};

test.each(Object.entries(TRICKS))('%s is taken away, and what it led to stays', (_, put) => {
  const folder = temporaryFolder();
  const [victim, logs] = [join(folder, 'victim'), join(folder, 'logs')];
  writeFileSync(victim, VICTIM);
  mkdirSync(logs);
  const path = join(logs, 'a.log');
  put(path, victim);
  expect(openLogToRead(path)).toBeNull();
  const descriptor = openLog(path);
  writeSync(descriptor, 'new');
  closeSync(descriptor);
  expect([readFileSync(path, 'utf8'), readFileSync(victim, 'utf8')]).toEqual(['new', VICTIM]);
  expect(readdirSync(folder).toSorted()).toEqual(['logs', 'victim']);
});

test.each([0, 1])('a link in the place of the folder of logs, or the one above, leads nowhere', (level) => {
  const folder = temporaryFolder();
  const [victim, path] = [join(folder, 'victim'), join(folder, 'logs', 'run', 'a.log')];
  mkdirSync(victim);
  if (level === 0) mkdirSync(join(folder, 'logs'));
  symlinkSync(victim, level === 0 ? join(folder, 'logs', 'run') : join(folder, 'logs'));
  closeSync(openLog(path));
  expect(readdirSync(victim)).toEqual([]);
  expect(lstatSync(path).isFile()).toBe(true);
});

test('a folder with files in the place of a log is said', () => {
  const path = join(temporaryFolder(), 'a.log');
  mkdirSync(path);
  writeFileSync(join(path, 'file'), '');
  expect(() => openLog(path)).toThrow('a folder that is not empty is in the place of');
});

test('pipes and devices are neither read nor written, and nothing waits for them', () => {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  for (const place of [path, '/dev/zero', '/dev/full']) {
    expect(() => readRegular(place, 100)).toThrow('it is a pipe, socket or device, not a file');
    expect(() => writeRegular(place, 'x')).toThrow('it is a pipe, socket or device, not a file');
  }
  expect(() => readRegular('/', 100)).toThrow('it is a folder');
});

test.each([0o000, 0o022, 0o077])('under umask %o what is made is for its owner only', (umask) => {
  const before = process.umask(umask);
  onTestFinished(() => {
    process.umask(before);
  });
  const state = join(temporaryFolder(), 'state');
  makeStateFolder(state);
  makeFolder(join(state, 'logs', 'run'));
  closeSync(openLog(join(state, 'logs', 'run', 'a.log')));
  const modeOf = (path: string): number => statSync(join(state, path)).mode & 0o777;
  expect(['.', 'logs', 'logs/run'].map(modeOf)).toEqual([0o700, 0o700, 0o700]);
  expect(modeOf('logs/run/a.log')).toBe(0o600);
});

test("a state folder of an earlier version is closed, and a user's stays as it is", () => {
  const folder = temporaryFolder();
  const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
  for (const path of [ours, theirs]) mkdirSync(path, { mode: 0o755 });
  writeFileSync(join(ours, '.gitignore'), '*\n');
  makeStateFolder(ours);
  makeStateFolder(theirs);
  expect([ours, theirs].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o755]);
});

import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type MadeFiles, OutputFiles } from '../../workers/output-files.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

let workspace = '';
beforeEach(() => {
  workspace = temporaryFolder();
});

const write = (path: string, text: string): void => {
  mkdirSync(join(workspace, path, '..'), { recursive: true });
  writeFileSync(join(workspace, path), text);
};

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What became of these outputs when a workstream did this. */
async function made(outputs: string[], work: () => void): Promise<MadeFiles> {
  const files = await OutputFiles.before(outputs, workspace);
  work();
  return files.after(() => false);
}

const pathsOf = ({ files }: MadeFiles): string[] => files.map(({ path }) => path);

test('a file is listed with its size and hash', async () => {
  const { files, changed, missing } = await made(['out/a.csv'], () => write('out/a.csv', 'x,y\n'));
  expect(files).toEqual([{ path: 'out/a.csv', bytes: 4, sha256: hashOf('x,y\n'), problem: null }]);
  expect({ changed, missing }).toEqual({ changed: ['out/a.csv'], missing: [] });
});

test('a file that was there before and was not written counts as made, and not as changed', async () => {
  write('a.txt', 'a');
  write('b.txt', 'b');
  // A file system whose clock is coarse may give two writes, one after the other, the same time.
  utimesSync(join(workspace, 'b.txt'), 1, 1);
  const found = await made(['*.txt'], () => write('b.txt', 'B'));
  expect(pathsOf(found)).toEqual(['a.txt', 'b.txt']);
  expect(found.changed).toEqual(['b.txt']);
});

test('a path without a file is missing, and a glob without one is a warning', async () => {
  const { missing, warnings } = await made(['no.txt', './none/*.x', 'a\\*.txt'], () => undefined);
  expect(missing).toEqual(['no.txt', 'a*.txt']);
  expect(warnings).toEqual(['No file matches its output ./none/*.x.']);
});

test('a folder means everything in it, but for what is left out', async () => {
  const found = await made(['out', '!out/tmp/**'], () => {
    for (const path of ['out/a', 'out/deep/.b', 'out/tmp/c', 'other']) write(path, 'x');
  });
  expect(pathsOf(found)).toEqual(['out/a', 'out/deep/.b']);
});

test('a name that is written like a glob without escapes is also the file or folder of that name', async () => {
  const found = await made(['run (1)/a{b}.txt', 'set (2)', '!set (2)/no (3).txt'], () => {
    for (const path of ['run (1)/a{b}.txt', 'set (2)/x', 'set (2)/no (3).txt']) write(path, 'x');
  });
  expect(pathsOf(found)).toEqual(['run (1)/a{b}.txt', 'set (2)/x']);
  expect(found.warnings).toEqual([]);
});

test('a name with the characters of a glob is the file of that name', async () => {
  const found = await made(['out/a\\*\\[1\\].txt'], () => {
    write('out/a*[1].txt', 'x');
    write('out/ab1.txt', 'y');
  });
  expect(pathsOf(found)).toEqual(['out/a*[1].txt']);
});

describe('a symbolic link', () => {
  test('to a file of the workspace is that file', async () => {
    const { files } = await made(['latest'], () => {
      write('a', 'x');
      symlinkSync('a', join(workspace, 'latest'));
    });
    expect(files).toEqual([{ path: 'latest', bytes: 1, sha256: hashOf('x'), problem: null }]);
  });

  test.each([
    ['to a file elsewhere', 'secret', 'link'],
    ['to a folder elsewhere', '.', 'link/secret'],
  ])('%s is not followed', async (_, target, output) => {
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, 'secret'), 'secret');
    const { files, changed } = await made([output], () =>
      symlinkSync(join(elsewhere, target), join(workspace, 'link')),
    );
    const problem = 'it is outside the workspace, behind a symbolic link';
    expect(files).toEqual([{ path: output, bytes: null, sha256: null, problem }]);
    expect(changed).toEqual([]);
  });

  test('that a glob meets is passed over', async () => {
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, 'secret'), 'secret');
    const found = await made(['**'], () => {
      write('a', 'x');
      symlinkSync(elsewhere, join(workspace, 'link'));
    });
    expect(pathsOf(found)).toEqual(['a']);
  });

  test('to nothing is listed with that', async () => {
    const { files } = await made(['link'], () => symlinkSync('nothing', join(workspace, 'link')));
    expect(files).toMatchObject([{ path: 'link', problem: 'it is a symbolic link to nothing' }]);
  });
});

test('a path that leads out of the workspace is none', async () => {
  writeFileSync(join(workspace, '..', 'beside.txt'), 'x');
  const { files } = await made(['../beside.txt', 'a/../../beside.txt'], () => undefined);
  expect(files).toEqual([]);
});

test('a file that may not be read is listed with why', async () => {
  if (process.getuid?.() === 0) return;
  const { files } = await made(['a'], () => {
    write('a', 'x');
    chmodSync(join(workspace, 'a'), 0);
  });
  expect(files).toMatchObject([
    { path: 'a', bytes: 1, sha256: null, problem: expect.stringMatching(/EACCES/) },
  ]);
});

test('nothing more is hashed once the workstream was stopped', async () => {
  const files = await OutputFiles.before(['a'], workspace);
  write('a', 'x');
  const after = await files.after(() => true);
  expect(after.files).toEqual([{ path: 'a', bytes: 1, sha256: null, problem: 'the workstream was stopped' }]);
});

test('of more than 1,000 files the first are listed, with a warning', async () => {
  const { files, warnings } = await made(['out'], () => {
    for (let n = 0; n < 1_001; n += 1) write(`out/${n}`, '');
  });
  expect(files).toHaveLength(1_000);
  expect(warnings).toEqual(['It has 1001 output files; only the first 1000 are listed.']);
});

import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { gathered } from '../../../src/engine/queue/bodies.ts';
import {
  listSnapshot,
  packSnapshot,
  SnapshotProblem,
  unpackSnapshot,
} from '../../../src/engine/queue/snapshot.ts';
import { writeFiles } from '../../kit/command.ts';
import { commitAll, git } from '../../kit/repository.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const packed = async (project: string, excluded: string[] = []) => {
  const content = await listSnapshot(project, excluded);
  const pieces: Buffer[] = [];
  const { hash } = await packSnapshot(project, content, async (piece) => void pieces.push(piece));
  return { ...content, hash, pieces };
};

async function* stream(pieces: readonly Uint8Array[]) {
  yield* pieces;
}

const pathsOf = async (project: string, excluded: string[] = []) =>
  (await listSnapshot(project, excluded)).files.map(({ path }) => path);

describe('what travels', () => {
  test('is what git tracks or would track, and not what it ignores', async () => {
    const project = temporaryFolder();
    git(project, 'init', '-q');
    writeFiles(project, {
      '.gitignore': 'secret.env\n',
      'kept.txt': 'a',
      'gone.txt': 'b',
      'secret.env': 'c',
    });
    commitAll(project);
    writeFiles(project, { 'new.txt': 'd', 'node_modules/left/index.js': '' });
    git(project, 'rm', '-q', '--cached', 'gone.txt');
    git(project, 'config', 'core.quotePath', 'true');
    writeFiles(project, { 'grüße "1"\n.txt': 'e' });
    expect(await pathsOf(project)).toEqual([
      '.gitignore',
      'gone.txt',
      'grüße "1"\n.txt',
      'kept.txt',
      'new.txt',
    ]);
  });

  test('is a folder of a repository alone where the project is that folder', async () => {
    const root = temporaryFolder();
    git(root, 'init', '-q');
    writeFiles(root, { 'outside.txt': '', 'project/inside.txt': '' });
    expect(await pathsOf(join(root, 'project'))).toEqual(['inside.txt']);
  });

  test('has nothing of a folder that has become a link since git knows it', async () => {
    const project = temporaryFolder();
    git(project, 'init', '-q');
    writeFiles(project, { 'old/a.txt': 'a', 'new/a.txt': 'a' });
    git(project, 'add', '.');
    rmSync(join(project, 'old'), { recursive: true });
    symlinkSync('new', join(project, 'old'));
    const { files } = await listSnapshot(project, []);
    expect(files.map(({ path }) => path)).toEqual(['new/a.txt', 'old']);
  });

  test('is everything in a folder without git but node_modules, state and reports', async () => {
    const project = temporaryFolder();
    writeFiles(project, {
      'a/b.txt': '',
      'a/node_modules/c.js': '',
      '.state/x.db': '',
      'reports/r.md': '',
      'reports.txt': '',
    });
    const excluded = ['.state', 'reports'].map((name) => join(project, name));
    expect(await pathsOf(project, excluded)).toEqual(['a/b.txt', 'reports.txt']);
  });

  test('names what can not: links that lead outside, and repositories within', async () => {
    const project = temporaryFolder();
    git(project, 'init', '-q');
    writeFiles(project, { 'a.txt': '', 'deep/b.txt': '', 'inner/c.txt': '' });
    git(join(project, 'inner'), 'init', '-q');
    commitAll(join(project, 'inner'));
    symlinkSync('/etc/passwd', join(project, 'absolute'));
    symlinkSync('../../x', join(project, 'deep/up'));
    symlinkSync('deep/../..', join(project, 'detour'));
    symlinkSync('../a.txt', join(project, 'deep/fine'));
    const { files, leftOut } = await listSnapshot(project, []);
    expect(files.map(({ path }) => path)).toEqual(['a.txt', 'deep/b.txt', 'deep/fine']);
    expect(leftOut.map(({ path }) => path)).toEqual(['absolute', 'deep/up', 'detour', 'inner/']);
  });
});

describe('a snapshot', () => {
  test('has the same hash for the same files, whenever and wherever they were made', async () => {
    const [one, other] = [temporaryFolder(), temporaryFolder()];
    for (const folder of [one, other]) writeFiles(folder, { 'b.txt': 'b', 'a/x.txt': 'x' });
    utimesSync(join(other, 'b.txt'), 1, 1);
    chmodSync(join(other, 'b.txt'), 0o600);
    expect((await packed(one)).hash).toBe((await packed(other)).hash);
    chmodSync(join(other, 'b.txt'), 0o700);
    expect((await packed(one)).hash).not.toBe((await packed(other)).hash);
  });

  test('unpacks to the same files, modes and links', async () => {
    const [project, folder] = [temporaryFolder(), temporaryFolder()];
    writeFiles(project, { 'run.sh': 'echo', 'deep/data.bin': 'x'.repeat(3_000_000), empty: '' });
    chmodSync(join(project, 'run.sh'), 0o755);
    symlinkSync('../run.sh', join(project, 'deep/link'));
    const long = `${'long-'.repeat(30)}/${'name-'.repeat(40)}.txt`;
    writeFiles(project, { [long]: 'long' });
    const { pieces, hash } = await packed(project);
    await unpackSnapshot(stream(pieces), folder, hash);
    expect(readFileSync(join(folder, 'deep/data.bin'), 'utf8')).toHaveLength(3_000_000);
    expect(lstatSync(join(folder, 'run.sh')).mode & 0o777).toBe(0o755);
    expect(readlinkSync(join(folder, 'deep/link'))).toBe('../run.sh');
    expect(readFileSync(join(folder, long), 'utf8')).toBe('long');
    expect(readFileSync(join(folder, 'empty'), 'utf8')).toBe('');
  });

  test('is refused where it is not the one that was asked for', async () => {
    const project = temporaryFolder();
    writeFiles(project, { 'a.txt': 'a' });
    const { pieces } = await packed(project);
    await expect(unpackSnapshot(stream(pieces), temporaryFolder(), '0'.repeat(64))).rejects.toThrow(
      SnapshotProblem,
    );
  });

  test('is refused in one sentence where it is too large, with the folders that have most', async () => {
    const project = temporaryFolder();
    mkdirSync(join(project, 'data'));
    for (const name of ['1', '2', '3', '4', '5'])
      writeFileSync(join(project, 'data', name), randomBytes(14_000_000));
    await expect(packed(project)).rejects.toThrow(/more than 64 MB.*data\/ \(70\.0 MB\)/);
  });

  test('is refused where a file changes meanwhile', async () => {
    const project = temporaryFolder();
    writeFiles(project, { 'a.txt': 'a' });
    const content = await listSnapshot(project, []);
    const grown = { ...content, files: content.files.map((file) => ({ ...file, bytes: 2 })) };
    await expect(packSnapshot(project, grown, async () => undefined)).rejects.toThrow(/a\.txt changed/);
  });
});

describe('an archive from outside', () => {
  const archive = async (...headers: (Partial<Header> & { name: string })[]) => {
    const made = pack();
    for (const header of headers) {
      if (header.size === 0) made.entry(header);
      else made.entry(header, 'text');
    }
    made.finalize();
    const bytes = await gathered(made as AsyncIterable<Uint8Array>);
    return { pieces: [gzipSync(bytes)], hash: createHash('sha256').update(bytes).digest('hex') };
  };

  test.each<[string, (Partial<Header> & { name: string })[]]>([
    ['a path upwards', [{ name: '../escaped' }]],
    ['a path upwards within another', [{ name: 'a/../../escaped' }]],
    ['an absolute path', [{ name: '/tmp/millrace-escaped' }]],
    ['an absolute link', [{ name: 'link', type: 'symlink', linkname: '/etc', size: 0 }]],
    ['a link upwards', [{ name: 'a/link', type: 'symlink', linkname: '../../x', size: 0 }]],
    ['a link by a detour', [{ name: 'link', type: 'symlink', linkname: 'a/../..', size: 0 }]],
    [
      'a link upwards below a link',
      [
        { name: 'x', type: 'symlink', linkname: '.', size: 0 },
        { name: 'x/y', type: 'symlink', linkname: '..', size: 0 },
      ],
    ],
    [
      'a link below a link that comes after it',
      [
        { name: 'x/y/z', type: 'symlink', linkname: '../..', size: 0 },
        { name: 'x', type: 'symlink', linkname: '.', size: 0 },
      ],
    ],
    ['a hard link', [{ name: 'hard', type: 'link', linkname: '/etc/passwd', size: 0 }]],
    ['a device', [{ name: 'null', type: 'character-device', size: 0 }]],
    ['a file twice', [{ name: 'a' }, { name: 'a' }]],
  ])('is refused with %s, and nothing outside is written', async (_name, headers) => {
    const outer = temporaryFolder();
    const folder = join(outer, 'inner');
    mkdirSync(folder);
    const { pieces, hash } = await archive(...headers);
    await expect(unpackSnapshot(stream(pieces), folder, hash)).rejects.toThrow();
    expect(readdirSync(outer)).toEqual(['inner']);
  });

  test('writes no file through a link, in whatever order they come', async () => {
    const [folder, outside] = [temporaryFolder(), temporaryFolder()];
    const { pieces, hash } = await archive(
      { name: 'a', type: 'symlink', linkname: 'b', size: 0 },
      { name: 'a/file' },
    );
    await expect(unpackSnapshot(stream(pieces), folder, hash)).rejects.toThrow();
    expect(existsSync(join(outside, 'file'))).toBe(false);
  });
});

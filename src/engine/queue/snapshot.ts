/**
 * The user's code on its way to a host: a tar archive of the project's folder whose name is the SHA-256 of its content.
 * Times, owners and order have no part in it, so that the same files make the same archive on every machine.
 *
 * In it are the files that git does not ignore, or all of a folder without git; never `node_modules`, the state folder,
 * the reports, or anything outside the project.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, readlink, symlink } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, type Header, pack } from 'tar-stream';

/** Most bytes of a compressed snapshot. */
const MOST_SNAPSHOT_BYTES = 64 * 1024 * 1024;
/** Most bytes that one may unpack to. */
const MOST_UNPACKED_BYTES = 4e9;
const MOST_LISTED_BYTES = 256 * 1024 * 1024;

/** A file of a snapshot. `path` is relative to the project, with `/` between its parts. */
interface SnapshotFile {
  path: string;
  bytes: number;
  isExecutable: boolean;
  /** Where a symbolic link leads; null for a file. */
  target: string | null;
}

export interface SnapshotContent {
  /** By path. */
  files: readonly SnapshotFile[];
  /** Sum of the files' sizes, in bytes, before they are compressed. */
  bytes: number;
  /** What is part of the project and can't travel. */
  leftOut: readonly { path: string; why: string }[];
}

/** What can't be packed or unpacked; the message is a sentence for a person. */
export class SnapshotProblem extends Error {
  override name = 'SnapshotProblem';
}

/**
 * Finds what would travel.
 * @param project absolute folder.
 * @param excluded absolute folders that never travel.
 */
export async function listSnapshot(project: string, excluded: readonly string[]): Promise<SnapshotContent> {
  const [found, leftOut]: [SnapshotFile[], { path: string; why: string }[]] = [[], []];
  const left = excluded.map((folder) => relative(project, folder).split(sep).join('/'));
  const paths = (await pathsOfGit(project)) ?? (await pathsBelow(project, '', left));
  for (const path of paths.toSorted()) {
    if (isLeft(path, left)) continue;
    const looked = await look(project, path);
    if (looked === null) continue;
    if ('why' in looked) leftOut.push(looked);
    else found.push(looked);
  }
  // Git knows files of a folder that has become a link; for git too they are gone.
  const links = new Set(found.filter(({ target }) => target !== null).map(({ path }) => path));
  const files = found.filter(({ path }) => !foldersOf(path).some((each) => links.has(each)));
  return { files, bytes: files.reduce((sum, file) => sum + file.bytes, 0), leftOut };
}

const isLeft = (path: string, left: readonly string[]): boolean =>
  path.split('/').some((part) => part === 'node_modules' || part === '.git') ||
  left.some((folder) => path === folder || path.startsWith(`${folder}/`));

const execFileAsync = promisify(execFile);

/** What git tracks, or would track, below the folder; null where that is in no repository of git. */
async function pathsOfGit(project: string): Promise<string[] | null> {
  const list = ['-c', 'core.fsmonitor=false', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  // Git calls hooks with variables that name another repository.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  try {
    const { stdout } = await execFileAsync('git', list, { cwd: project, env, maxBuffer: MOST_LISTED_BYTES });
    return [...new Set(stdout.split('\0').filter((path) => path !== ''))];
  } catch {
    // No git, or no repository.
    return null;
  }
}

async function pathsBelow(project: string, folder: string, left: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(project, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (isLeft(path, left)) continue;
    if (entry.isDirectory()) found.push(...(await pathsBelow(project, path, left)));
    else found.push(path);
  }
  return found;
}

const EXECUTABLE = 0o100;

/** Null for what git knows and is not there. */
async function look(
  project: string,
  path: string,
): Promise<SnapshotFile | { path: string; why: string } | null> {
  const absolute = join(project, path);
  const stats = await statsOf(absolute);
  if (stats === null) return null;
  if (stats.isDirectory()) return { path, why: 'it is a repository of its own' };
  if (stats.isSymbolicLink()) {
    const target = await readlink(absolute);
    if (!staysInside(path, target))
      return { path, why: 'it is a symbolic link to a place outside the project' };
    return { path, bytes: 0, isExecutable: false, target };
  }
  if (!stats.isFile()) return { path, why: 'it is no regular file' };
  return { path, bytes: stats.size, isExecutable: (stats.mode & EXECUTABLE) !== 0, target: null };
}

async function statsOf(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/**
 * Whether a link can lead to nothing outside the project, whatever the other links are, as long as it is not itself below
 * one of them: it goes up first, no further than to the project's folder, and then only down.
 */
function staysInside(path: string, target: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0')) return false;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const up = parts.findIndex((part) => part !== '..');
  const ups = up === -1 ? parts.length : up;
  return ups <= path.split('/').length - 1 && !parts.slice(ups).includes('..');
}

/** A file or link of an archive, whose content is read before the next one. */
type Entry = AsyncIterable<unknown> & { header: Header; resume(): unknown };

/** What was packed. */
export interface PackedSnapshot {
  /** SHA-256 of the archive before it was compressed, in hexadecimal. */
  hash: string;
  compressedBytes: number;
}

/**
 * Writes the archive, compressed, piece by piece. A file that changes meanwhile is an error, because its content would be
 * none that there ever was.
 * @throws SnapshotProblem for one that is too large, or changed; the system's error for one that can't be read.
 */
export async function packSnapshot(
  project: string,
  { files }: SnapshotContent,
  take: (piece: Buffer) => Promise<void>,
): Promise<PackedSnapshot> {
  const archive = pack();
  const hash = createHash('sha256');
  let compressedBytes = 0;
  const hashed = new Transform({
    transform(piece: Buffer, _encoding, done) {
      hash.update(piece);
      done(null, piece);
    },
  });
  const written = pipeline(archive, hashed, createGzip(), async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) {
      compressedBytes += piece.length;
      // Leaving the loop ends the streams with an error of their own.
      if (compressedBytes > MOST_SNAPSHOT_BYTES) return;
      await take(piece);
    }
  });
  const filled = fill(archive, project, files).catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  const failed = await written.then(
    () => null,
    (error: unknown) => ({ error }),
  );
  if (compressedBytes > MOST_SNAPSHOT_BYTES) throw tooLarge(files);
  if (failed !== null) throw failed.error;
  await filled;
  return { hash: hash.digest('hex'), compressedBytes };
}

const EPOCH = new Date(0);
const modeOf = ({ isExecutable }: SnapshotFile): number => (isExecutable ? 0o755 : 0o644);

async function fill(
  archive: ReturnType<typeof pack>,
  project: string,
  files: readonly SnapshotFile[],
): Promise<void> {
  for (const file of files) {
    const header = { name: file.path, mode: modeOf(file), mtime: EPOCH, uid: 0, gid: 0 };
    if (file.target !== null) {
      archive.entry({ ...header, type: 'symlink', linkname: file.target, size: 0 });
      continue;
    }
    const entry = archive.entry({ ...header, type: 'file', size: file.bytes });
    let bytes = 0;
    const counted = new Transform({
      transform(piece: Buffer, _encoding, done) {
        bytes += piece.length;
        done(bytes > file.bytes ? changed(file.path) : null, piece);
      },
      flush(done) {
        done(bytes < file.bytes ? changed(file.path) : null);
      },
    });
    await pipeline(createReadStream(join(project, file.path)), counted, entry);
  }
  archive.finalize();
}

const changed = (path: string): SnapshotProblem =>
  new SnapshotProblem(`${path} changed while the project was packed for the hosts; run again.`);

/** The sentence names the folders that have most. */
function tooLarge(files: readonly SnapshotFile[]): SnapshotProblem {
  const sizes = new Map<string, number>();
  for (const { path, bytes } of files) {
    const top = path.includes('/') ? `${path.slice(0, path.indexOf('/'))}/` : path;
    sizes.set(top, (sizes.get(top) ?? 0) + bytes);
  }
  const largest = [...sizes].toSorted(([, one], [, other]) => other - one).slice(0, 3);
  const named = largest.map(([name, bytes]) => `${name} (${(bytes / 1e6).toFixed(1)} MB)`).join(', ');
  return new SnapshotProblem(
    `The project has more than ${MOST_SNAPSHOT_BYTES / 1024 / 1024} MB after compression, most of it in ${named}. Let git ignore what hosts do not need, or use --source git:URL or --source shared.`,
  );
}

/**
 * Unpacks an archive into an empty folder. Everything in it stays below that folder: files are made first, each new,
 * then links, each of which leads to a place inside and is in real folders.
 * @param hash what the archive is called.
 * @throws SnapshotProblem for an archive that is not what it is called, or has anything but files and such links.
 */
export async function unpackSnapshot(
  compressed: AsyncIterable<Uint8Array>,
  folder: string,
  hash: string,
): Promise<void> {
  const found = createHash('sha256');
  let bytes = 0;
  const hashed = new Transform({
    transform(piece: Buffer, _encoding, done) {
      bytes += piece.length;
      found.update(piece);
      done(
        bytes > MOST_UNPACKED_BYTES ? new SnapshotProblem('A snapshot is too large to be unpacked.') : null,
        piece,
      );
    },
  });
  const archive = extract();
  const links: Header[] = [];
  const read = pipeline(Readable.from(compressed), createGunzip(), hashed, archive);
  const written = writeEntries(archive, folder, links);
  await Promise.all([read, written]);
  if (found.digest('hex') !== hash)
    throw new SnapshotProblem('A snapshot is not the one that was asked for.');
  const names = new Set(links.map(({ name }) => name));
  for (const { name, linkname } of links) {
    if (foldersOf(name).some((each) => names.has(each)))
      throw new SnapshotProblem(`A snapshot has a link below a link: ${JSON.stringify(name)}.`);
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await symlink(linkname ?? '', join(folder, name));
  }
}

async function writeEntries(archive: AsyncIterable<Entry>, folder: string, links: Header[]): Promise<void> {
  for await (const entry of archive) {
    const { name, type, linkname } = entry.header;
    if (!isInside(name))
      throw new SnapshotProblem(`A snapshot has a file outside its folder: ${JSON.stringify(name)}.`);
    if (type === 'symlink') {
      if (!staysInside(name, linkname ?? ''))
        throw new SnapshotProblem(
          `A snapshot has a link that leads out of its folder: ${JSON.stringify(name)}.`,
        );
      links.push(entry.header);
      entry.resume();
    } else if (type === 'file') await writeFile(entry, join(folder, name));
    else
      throw new SnapshotProblem(
        `A snapshot has something that is neither file nor link: ${JSON.stringify(name)}.`,
      );
  }
}

async function writeFile(entry: Entry, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx');
  try {
    for await (const piece of entry) if (piece instanceof Uint8Array) await file.writeFile(piece);
  } finally {
    await file.close();
  }
  await chmod(path, (entry.header.mode ?? 0) & EXECUTABLE ? 0o755 : 0o644);
}

/** The folders that a path is in: `a` and `a/b` of `a/b/c`. */
const foldersOf = (path: string): string[] =>
  path
    .split('/')
    .slice(0, -1)
    .map((_, index, parts) => parts.slice(0, index + 1).join('/'));

/** A path of one spelling, relative and without a way up. */
const isInside = (path: string): boolean =>
  path !== '' &&
  !path.includes('\0') &&
  !posix.isAbsolute(path) &&
  posix.normalize(path) === path &&
  path !== '.' &&
  !path.split('/').includes('..');

/** The files that a workstream declares as its outputs: looked for when it has run, and listed with size and hash. */
import { createHash } from 'node:crypto';
import { type BigIntStats, constants, createReadStream } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import type { MadeFile } from '../src/domain/outcome.ts';
import { withLiterals } from '../src/os/literal-patterns.ts';
import { openRegular } from '../src/os/regular-file.ts';
import { messageOf } from '../src/text/error-message.ts';
import { plural } from '../src/text/format.ts';

/** Most files that are listed. */
const MOST_FILES = 1_000;

/** A larger file is listed without a hash, in bytes. */
const LARGEST = 16_000_000_000;

/** What became of the declared outputs. */
export interface MadeFiles {
  /** By path. */
  files: MadeFile[];
  /** Paths of those that are not as they were before. */
  changed: string[];
  /** Declared paths at which there is nothing. Of globs without a file there is a warning. */
  missing: string[];
  warnings: string[];
}

export class OutputFiles {
  readonly #globs: readonly string[];
  readonly #workspace: string;
  readonly #before: ReadonlyMap<string, string>;

  private constructor(globs: readonly string[], workspace: string, before: ReadonlyMap<string, string>) {
    this.#globs = globs;
    this.#workspace = workspace;
    this.#before = before;
  }

  /** Records which of them are there before the work begins. */
  static async before(globs: readonly string[], workspace: string): Promise<OutputFiles> {
    const before = new Map<string, string>();
    for (const path of await find(globs, workspace)) {
      const stats = await statsOf(join(workspace, path));
      if (stats !== null) before.set(path, stamp(stats));
    }
    return new OutputFiles(globs, workspace, before);
  }

  /**
   * Looks at what is there now. Nothing outside the workspace is read, whatever links say; a glob passes over links.
   * @param isStopped whether to hash no more.
   */
  async after(isStopped: () => boolean): Promise<MadeFiles> {
    const found: MadeFiles = { files: [], changed: [], missing: [], warnings: [] };
    const paths = new Set<string>();
    for (const one of this.#globs.filter((each) => !isNegated(each))) {
      const own = await find([one, ...this.#globs.filter(isNegated)], this.#workspace);
      if (own.length === 0) noteMissing(one, found);
      for (const path of own) paths.add(path);
    }
    const listed = [...paths].toSorted().slice(0, MOST_FILES);
    if (paths.size > listed.length)
      found.warnings.push(
        `It has ${plural(paths.size, 'output file')}; only the first ${MOST_FILES} are listed.`,
      );
    const root = await realpath(this.#workspace);
    for (const path of listed) {
      const file = await this.#look(path, root, isStopped);
      if (file === null) continue;
      found.files.push(file.made);
      if (file.isChanged) found.changed.push(path);
    }
    return found;
  }

  /** Null for what has gone. */
  async #look(
    path: string,
    root: string,
    isStopped: () => boolean,
  ): Promise<{ made: MadeFile; isChanged: boolean } | null> {
    const absolute = join(this.#workspace, path);
    const found = await statsOf(absolute);
    if (found === null) return null;
    const unread = (problem: string) => ({
      made: { path, bytes: null, sha256: null, problem },
      isChanged: false,
    });
    const real = await realPathOf(absolute);
    if (real === null) return unread('it is a symbolic link to nothing');
    if (!isBelow(root, real)) return unread('it is outside the workspace, behind a symbolic link');
    const stats = found.isSymbolicLink() ? await statsOf(real) : found;
    if (stats?.isFile() !== true) return unread('it is no regular file');
    const isChanged = this.#before.get(path) !== stamp(found);
    return { made: await hashed(path, real, stats, isStopped), isChanged };
  }
}

function noteMissing(one: string, { missing, warnings }: MadeFiles): void {
  if (isDynamicPattern(one)) warnings.push(`No file matches its output ${one}.`);
  else missing.push(literal(one));
}

const isNegated = (one: string): boolean => one.startsWith('!') && one[1] !== '(';

/** A path without the escapes of a glob. */
const literal = (path: string): string => path.replaceAll(/\\(.)/g, '$1');

/** Paths relative to the workspace. A folder means everything in it. */
async function find(globs: readonly string[], workspace: string): Promise<string[]> {
  const wanted = globs.filter((each) => !isNegated(each)).map(normal);
  const named: string[] = [];
  for (const each of wanted) {
    // A name can be written like a glob.
    const path = isDynamicPattern(each) ? each : literal(each);
    const stats = await statsOf(join(workspace, path));
    if (stats !== null && !stats.isDirectory()) named.push(path);
  }
  const negated = globs.filter(isNegated).map((each) => normal(each.slice(1)));
  const ignored = withLiterals(negated, workspace);
  const modules = wanted.some((each) => each.includes('node_modules')) ? [] : ['**/node_modules/**'];
  const found = await glob(withLiterals(wanted, workspace), {
    cwd: workspace,
    dot: true,
    followSymbolicLinks: false,
    ignore: [...ignored, ...modules, '**/.git/**'],
  });
  // A link is what it is only where it is named.
  return [...new Set([...named, ...found])].filter((path) => !path.split('/').includes('..'));
}

const normal = (one: string): string => one.replace(/^(?:\.\/)+/, '');

/** Null for what is not there. */
async function statsOf(path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** Changes with the content of a file, as far as that can be seen without reading it. */
const stamp = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string =>
  `${size}/${mtimeNs}/${ctimeNs}/${ino}`;

const isBelow = (root: string, path: string): boolean =>
  path.startsWith(root.endsWith(sep) ? root : root + sep);

/** Null where there is nothing, or a folder on the way can't be read. */
async function realPathOf(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch {
    return null;
  }
}

async function hashed(
  path: string,
  absolute: string,
  stats: BigIntStats,
  isStopped: () => boolean,
): Promise<MadeFile> {
  const bytes = Number(stats.size);
  const unhashed = (problem: string): MadeFile => ({ path, bytes, sha256: null, problem });
  if (bytes > LARGEST) return unhashed(`it is larger than ${LARGEST / 1e9} GB`);
  const hash = createHash('sha256');
  try {
    const descriptor = openRegular(absolute, { flags: constants.O_RDONLY | constants.O_NOFOLLOW });
    const chunks: AsyncIterable<Buffer> = createReadStream('', { fd: descriptor });
    for await (const chunk of chunks) {
      if (isStopped()) return unhashed('the workstream was stopped');
      hash.update(chunk);
    }
  } catch (error) {
    return unhashed(messageOf(error));
  }
  return { path, bytes, sha256: hash.digest('hex'), problem: null };
}

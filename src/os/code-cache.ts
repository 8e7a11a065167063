/**
 * Loads bundles of the build with the code that V8 compiled for them at an earlier time, because compiling takes
 * longer than anything else at a start. That code is kept in a folder of the user. It is executed as it is, so it is used
 * only where no other user can have written it. Without it everything works the same and starts more slowly; so nothing
 * here is reported, and nothing here fails.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { threadId } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { isOwnCacheFile, makeUserCacheFolder, userCacheFolder } from './user-cache.ts';

/** What a module exports. As for `require`, the caller has to know what that is. */
type Exports = ReturnType<NodeJS.Require>;

/** A bundle: a function for each module that can be asked for, which evaluates it once and returns what it exports. */
type Bundle = Record<string, () => Exports>;

/** A file of the build that is a bundle. It requires others beside it. */
const BUNDLE = /^\.\/[\w-]+\.bundle\.cjs$/;

/** What Node puts around a CommonJS module. */
const BEFORE = Buffer.from('(function (exports, require, module, __filename, __dirname) {');
const AFTER = Buffer.from('\n})');

/** The bundles that this process or thread has loaded. */
export class Bundles {
  readonly #part: string;
  readonly #madeAt = performance.now();
  readonly #cache = cacheFolder();
  readonly #loaded = new Map<string, Bundle>();
  /** Those without code of an earlier time. */
  readonly #compiled: { script: Script; kept: KeptCode; tag: number }[] = [];

  /** @param part names what is executed of the bundles, where that is always a part: each has code of its own. */
  constructor(part: string) {
    this.#part = part;
  }

  /** Returns what a module of a bundle exports. @param file of the bundle, in which all characters are ASCII. */
  load(file: URL, module: string): Exports {
    const load = this.#load(fileURLToPath(file))[module];
    if (load === undefined) throw new Error(`${file.href} has no ${module}: build Millrace again`);
    return load();
  }

  /**
   * Keeps the code of the bundles for later starts, where none was used now. What was not executed yet is not in it, so
   * this is to be called at the end, and by what stays once it has started. With other options of V8 than it was loaded
   * with it would be refused, and is not kept. Another call does nothing.
   */
  keepCode(): void {
    const compiled = this.#compiled.splice(0);
    if (performance.now() - this.#madeAt > YOUNG_MS) return;
    for (const { script, kept, tag } of compiled) {
      const code = script.createCachedData();
      // Another thread may have changed the options meanwhile.
      if (tag === cachedDataVersionTag()) kept.replace(code);
    }
  }

  #load(file: string): Bundle {
    const known = this.#loaded.get(file);
    if (known !== undefined) return known;
    const bundle: Bundle =
      this.#cache === null ? createRequire(file)(file) : this.#execute(file, this.#cache);
    this.#loaded.set(file, bundle);
    return bundle;
  }

  #execute(file: string, cache: string): Bundle {
    const bytes = readFileSync(file);
    const prefix = `${basename(file, '.bundle.cjs')}-${this.#part}-`;
    // The code of a copy elsewhere would name that one's files in stack traces.
    const contents = hexadecimal(crc32(bytes, crc32(file)));
    const tag = cachedDataVersionTag();
    const kept = new KeptCode(cache, prefix, [contents, ...versions(tag)].join('-'));
    const code = kept.read();
    // Made in one piece: a text of megabytes that is put together is copied once more.
    const text = Buffer.concat([BEFORE, bytes, AFTER]).toString('latin1');
    const script = new Script(text, { filename: file, ...(code === null ? {} : { cachedData: code }) });
    if (code === null || script.cachedDataRejected === true) this.#compiled.push({ script, kept, tag });
    const folder = dirname(file);
    const requireFile = createRequire(file);
    const require = (name: string): unknown =>
      BUNDLE.test(name) ? this.#load(join(folder, name)) : requireFile(name);
    const module: { exports: Bundle } = { exports: {} };
    script.runInThisContext()(module.exports, require, module, file, folder);
    return module.exports;
  }
}

const hexadecimal = (value: number): string => value.toString(16).padStart(8, '0');

/** What V8 refuses code of another of; its tag stands for its own version, its flags and the processor. */
const versions = (tag: number): string[] => [process.version, process.arch, hexadecimal(tag)];

/**
 * Null where there is none, and where Node itself has to load the bundles: it counts coverage, and follows source maps,
 * only in what it loads.
 */
function cacheFolder(): string | null {
  const { NODE_DISABLE_COMPILE_CACHE, NODE_V8_COVERAGE } = process.env;
  return NODE_DISABLE_COMPILE_CACHE || NODE_V8_COVERAGE || process.sourceMapsEnabled
    ? null
    : userCacheFolder();
}

/** A checksum at the end of each file: V8 does not verify what it is given, and crashes where it was damaged. */
const CHECKSUM_BYTES = 4;

/** Files for one part of a bundle: of several versions and installations, and for several flags of V8. */
const MOST_FILES = 8;

/** After so long V8 has dropped code that ran at the start only, which is what matters. */
const YOUNG_MS = 60_000;

/** The file with the code of one bundle. */
class KeptCode {
  readonly #folder: string;
  readonly #prefix: string;
  readonly #path: string;

  /** @param prefix of the names of all files for this part of the bundle. */
  constructor(folder: string, prefix: string, version: string) {
    this.#folder = folder;
    this.#prefix = prefix;
    this.#path = join(folder, prefix + version);
  }

  /** Null where there is none that may be used. */
  read(): Buffer | null {
    if (!isOwnCacheFile(this.#path)) return null;
    try {
      const bytes = readFileSync(this.#path);
      const length = bytes.length - CHECKSUM_BYTES;
      if (length <= 0) return null;
      const code = bytes.subarray(0, length);
      return crc32(code) === bytes.readUInt32LE(length) ? code : null;
    } catch {
      // Another process has just removed it.
      return null;
    }
  }

  replace(code: Buffer): void {
    if (!makeUserCacheFolder(this.#folder)) return;
    try {
      this.#write(code);
    } catch {
      // A full disk: the next start is as slow as this one.
    }
  }

  /** Other processes and threads may do the same: each writes a file of its own, and then gives it the name. */
  #write(code: Buffer): void {
    const unfinished = `${this.#path}.${process.pid}.${threadId}.tmp`;
    const checksum = Buffer.alloc(CHECKSUM_BYTES);
    checksum.writeUInt32LE(crc32(code));
    try {
      writeFileSync(unfinished, Buffer.concat([code, checksum]), { flag: 'wx', mode: 0o600 });
      renameSync(unfinished, this.#path);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
    this.#removeOldest();
  }

  #removeOldest(): void {
    const files = readdirSync(this.#folder)
      .filter((name) => name.startsWith(this.#prefix))
      .map((name) => join(this.#folder, name))
      .map((path) => ({ path, writtenAt: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .toSorted((a, b) => b.writtenAt - a.writtenAt);
    for (const { path } of files.slice(MOST_FILES)) rmSync(path, { force: true });
  }
}

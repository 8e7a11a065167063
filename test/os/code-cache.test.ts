/** Processes that load a bundle with the code of an earlier process. A file that stays the same one was used. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { cleanEnvironment } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const MODULE = fileURLToPath(new URL('../../dist/src/os/code-cache.js', import.meta.url));

const PROGRAM = `
import { Bundles } from ${JSON.stringify(pathToFileURL(MODULE).href)};
const bundles = new Bundles('part');
console.log(bundles.load(new URL(process.argv[1]), 'm').answer());
bundles.keepCode();
`;

/** Two bundles, one of which needs the other; with enough code that damage hits some of it. */
const LOWER = `exports.l = () => ({ ${Array.from({ length: 200 }, (_, index) => `f${index}: () => ${index}`).join(', ')} });`;
const UPPER = `const { f41 } = require('./lower.bundle.cjs').l(); exports.m = () => ({ answer: () => f41() + 1 });`;

let folder = '';
let bundle = '';
let cache = '';

beforeEach(() => {
  folder = temporaryFolder();
  cache = join(folder, 'cache', 'millrace');
  bundle = join(folder, 'upper.bundle.cjs');
  writeFileSync(bundle, UPPER);
  writeFileSync(join(folder, 'lower.bundle.cjs'), LOWER);
});

const environment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...cleanEnvironment(),
  NODE_V8_COVERAGE: undefined,
  XDG_CACHE_HOME: join(folder, 'cache'),
  ...env,
});

const words = (flags: readonly string[]): string[] => [
  ...flags,
  '--input-type=module',
  '-e',
  PROGRAM,
  pathToFileURL(bundle).href,
];

/** Loads the bundle in a process of its own, which must work and say nothing else. */
function load(env: NodeJS.ProcessEnv = {}, flags: readonly string[] = []): void {
  const { stdout, stderr, status } = spawnSync(process.execPath, words(flags), {
    encoding: 'utf8',
    env: environment(env),
  });
  expect({ stdout, stderr, status }).toEqual({ stdout: '42\n', stderr: '', status: 0 });
}

/** The files of the cache, each with what makes it the same file. */
const files = (): Map<string, number> =>
  new Map(readdirSync(cache).map((name) => [name, statSync(join(cache, name)).ino]));

const fileOf = (name: string): string =>
  join(cache, readdirSync(cache).find((file) => file.startsWith(`${name}-part-`)) ?? 'none');

test('code is kept by the first process and used by the next', () => {
  load();
  const made = files();
  expect([...made.keys()].map((name) => name.split('-')[0])).toEqual(['lower', 'upper']);
  load();
  expect(files()).toEqual(made);
});

test('code is not kept where the options of V8 have changed since it was loaded: it would be refused', () => {
  const change = "require('node:v8').setFlagsFromString('--interrupt-budget=600000')";
  writeFileSync(bundle, `exports.m = () => ({ answer: () => (${change}, 42) });`);
  load();
  expect(existsSync(cache)).toBe(false);
});

test('an error names its file and line, with kept code too', () => {
  const place = 'new Error().stack.includes(`${__filename}:2:`)';
  writeFileSync(bundle, `\nexports.m = () => ({ answer: () => (${place} ? 42 : new Error().stack) });`);
  load();
  load();
});

test('an error in a copy of an installation names the file of the copy', () => {
  const place = 'new Error().stack.includes(`${__filename}:2:`)';
  writeFileSync(bundle, `\nexports.m = () => ({ answer: () => (${place} ? 42 : new Error().stack) });`);
  load();
  mkdirSync(join(folder, 'copy'));
  const original = bundle;
  bundle = join(folder, 'copy', 'upper.bundle.cjs');
  copyFileSync(original, bundle);
  load();
});

test('only this user may read or write it', () => {
  load();
  for (const path of [cache, fileOf('upper')]) expect(statSync(path).mode & 0o077).toBe(0);
});

test('damaged code is not executed, and is replaced', () => {
  load();
  const path = fileOf('lower');
  const whole = readFileSync(path);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ change;
      writeFileSync(path, damaged);
      load();
      expect(readFileSync(path).equals(damaged)).toBe(false);
    }),
    {
      numRuns: 8,
      examples: [
        [0, 255],
        [whole.length - 1, 1],
      ],
    },
  );
});

test.each([0, 3, 4, 100])('of %d bytes it is replaced', (length) => {
  load();
  truncateSync(fileOf('upper'), length);
  load();
  expect(statSync(fileOf('upper')).size).toBeGreaterThan(100);
});

test('another bundle, and other flags of V8, have code of their own; the oldest goes', () => {
  load();
  load({}, ['--no-opt']);
  expect(files().size).toBe(4);
  for (let version = 0; version < 8; version += 1) {
    writeFileSync(bundle, `${UPPER}\n// ${version}`);
    load();
  }
  const names = [...files().keys()];
  expect(names.filter((name) => name.startsWith('upper')).length).toBe(8);
  expect(names.filter((name) => name.startsWith('lower')).length).toBe(2);
});

describe('code that another user could have written is not used', () => {
  /** Loads, and expects that the code was compiled and replaced. */
  const expectReplaced = (): void => {
    const { ino } = statSync(fileOf('upper'));
    load();
    expect(statSync(fileOf('upper')).ino).not.toBe(ino);
  };

  test.each([0o602, 0o620])('in a file of mode %o', (mode) => {
    load();
    chmodSync(fileOf('upper'), mode);
    expectReplaced();
  });

  test('in a file that is a link', () => {
    load();
    const path = fileOf('upper');
    renameSync(path, join(folder, 'moved'));
    symlinkSync(join(folder, 'moved'), path);
    load();
    expect(readdirSync(folder)).toContain('moved');
    load();
    expect(statSync(path).ino).not.toBe(statSync(join(folder, 'moved')).ino);
  });

  test.skipIf(process.geteuid?.() !== 0)('in a file of another owner', () => {
    load();
    chownSync(fileOf('upper'), 12_345, 12_345);
    expectReplaced();
  });

  test.each([0o702, 0o720])('in a folder of mode %o', (mode) => {
    mkdirSync(cache, { recursive: true });
    chmodSync(cache, mode);
    load();
    expect(files().size).toBe(0);
  });

  test('in a folder that is a link', () => {
    mkdirSync(join(folder, 'cache'));
    mkdirSync(join(folder, 'target'));
    symlinkSync(join(folder, 'target'), cache);
    load();
    expect(files().size).toBe(0);
  });

  test.skipIf(process.geteuid?.() !== 0)('in a folder of another owner', () => {
    mkdirSync(cache, { recursive: true });
    chownSync(cache, 12_345, 12_345);
    load();
    expect(files().size).toBe(0);
  });
});

describe('nothing is kept, and everything works', () => {
  test('where it is not wanted', () => {
    load({ NODE_DISABLE_COMPILE_CACHE: '1' });
    expect(readdirSync(folder)).not.toContain('cache');
  });

  test('without a folder for it', () => {
    load({ XDG_CACHE_HOME: undefined, HOME: undefined });
    load({ XDG_CACHE_HOME: 'relative', HOME: '' });
  });

  test('where the folder can not be made', () => {
    writeFileSync(join(folder, 'cache'), 'a file');
    load();
    load({ XDG_CACHE_HOME: '/proc/millrace' });
  });

  test('where Node follows source maps', () => {
    load({}, ['--enable-source-maps']);
    expect(readdirSync(folder)).not.toContain('cache');
  });
});

test('below HOME it is in .cache', () => {
  load({ XDG_CACHE_HOME: undefined, HOME: folder });
  expect(readdirSync(join(folder, '.cache', 'millrace')).length).toBe(2);
});

test('processes that write at once leave one whole file each', async () => {
  const ends = Array.from({ length: 6 }, () => {
    const child = spawn(process.execPath, words([]), { env: environment({}), stdio: 'ignore' });
    return new Promise((resolve) => child.once('exit', resolve));
  });
  expect(await Promise.all(ends)).toEqual([0, 0, 0, 0, 0, 0]);
  const made = files();
  expect(made.size).toBe(2);
  load();
  expect(files()).toEqual(made);
});

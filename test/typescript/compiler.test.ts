/** The cache of compiled files: never out of date, never half of something, never for ever. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { TypeScriptCompiler } from '../../src/typescript/compiler.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const built = fileURLToPath(new URL('../../dist/src/typescript/compiler.js', import.meta.url));

const DAY_SECONDS = 24 * 60 * 60;

interface Project {
  file: string;
  cache: string;
  /** A compiler of a later run. */
  compiler: () => TypeScriptCompiler;
  entries: () => string[];
}

function projectWith(text: string): Project {
  const folder = temporaryFolder();
  const [file, cache] = [join(folder, 'main.ts'), join(folder, 'cache')];
  writeFileSync(file, text);
  return {
    file,
    cache,
    compiler: () => new TypeScriptCompiler(cache),
    entries: () => readdirSync(cache).map((name) => join(cache, name)),
  };
}

const only = (paths: string[]): string => {
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) throw new Error(`${paths.length} entries`);
  return path;
};

describe('the cache of compiled files', () => {
  test('has what was compiled before: the same text is not compiled again', async () => {
    const { file, compiler, entries } = projectWith('export const a: number = 1;');
    await compiler().prepare(file);
    const entry = only(entries());
    const before = readFileSync(entry);
    expect(compiler().compiled(file).code).toContain('const a = 1');
    expect(readFileSync(entry)).toEqual(before);
  });

  test('is not used for a file that was edited', () => {
    const { file, compiler } = projectWith('export const a: number = 1;');
    compiler().compiled(file);
    writeFileSync(file, 'export const a: number = 2;');
    expect(compiler().compiled(file).code).toContain('const a = 2');
  });

  test('is not used once tsconfig.json or package.json say something else', () => {
    const { file, compiler } = projectWith('export class A { x; }');
    expect(compiler().compiled(file)).toMatchObject({
      format: 'module',
      code: expect.stringContaining('x;'),
    });
    const options = { compilerOptions: { useDefineForClassFields: false } };
    writeFileSync(join(file, '../tsconfig.json'), JSON.stringify(options));
    expect(compiler().compiled(file).code).not.toContain('x;');
    writeFileSync(join(file, '../package.json'), '{ "type": "commonjs" }');
    expect(compiler().compiled(file)).toMatchObject({ format: 'commonjs', exports: ['A'] });
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 10)],
    ['empty', () => Buffer.alloc(0)],
    ['changed in one place', (bytes: Buffer) => Buffer.from(bytes.toString().replace('a = 1', 'a = 7'))],
    [
      'changed in what it says of itself',
      (bytes: Buffer) => Buffer.from(bytes.toString().replace('module', 'commonjs')),
    ],
  ])('makes an entry anew that was %s', (_, damage) => {
    const { file, compiler, entries } = projectWith('export const a: number = 1;');
    const whole = compiler().compiled(file);
    const entry = only(entries());
    const bytes = readFileSync(entry);
    writeFileSync(entry, damage(bytes));
    expect(compiler().compiled(file)).toEqual(whole);
    expect(readFileSync(entry)).toEqual(bytes);
  });

  test('loses what no run has used for a month, and keeps what one has', () => {
    const { file, compiler, entries } = projectWith('export const a: number = 1;');
    compiler().compiled(file);
    const used = only(entries());
    writeFileSync(file, 'export const a: number = 2;');
    compiler().compiled(file);
    const monthAgo = Date.now() / 1000 - 31 * DAY_SECONDS;
    for (const entry of entries()) utimesSync(entry, monthAgo, monthAgo);
    writeFileSync(file, 'export const a: number = 1;');
    compiler().compiled(file);
    compiler().prune();
    expect(entries()).toEqual([used]);
  });

  test('is done without where it can not be written', () => {
    const { file, cache, compiler } = projectWith('export const a: number = 1;');
    writeFileSync(cache, 'a file in its place');
    expect(compiler().compiled(file).code).toContain('const a = 1');
  });

  test('is for its user only', () => {
    const { file, cache, compiler } = projectWith('export const a: number = 1;');
    compiler().compiled(file);
    expect(statSync(cache).mode & 0o777).toBe(0o700);
  });

  test('can be filled by several processes at once', async () => {
    const { file, cache, compiler, entries } = projectWith('');
    const files = Array.from({ length: 10 }, (_, n) => join(file, `../part-${n}.ts`));
    for (const [n, path] of files.entries()) writeFileSync(path, `export const a: number = ${n};`);
    const program = `
      const [, compiler, cache, ...files] = process.argv;
      const { TypeScriptCompiler } = await import(compiler);
      console.log(files.map((file) => new TypeScriptCompiler(cache).compiled(file).code).join(''));`;
    const args = ['--input-type=module', '--eval', program, built, cache, ...files];
    const processes = Array.from({ length: 3 }, () => promisify(execFile)(process.execPath, args));
    const expected = files.map((path) => compiler().compiled(path).code).join('');
    for (const { stdout } of await Promise.all(processes)) expect(stdout.trim()).toBe(expected.trim());
    expect(entries()).toHaveLength(files.length);
  });
});

describe('an error of a compiled file', () => {
  test('names file, line and column, and shows the line', () => {
    const { file, compiler } = projectWith('export const a = 1;\n  const b: = 2;\n');
    expect(() => compiler().compiled(file)).toThrow(`${file}:2:12: Unexpected "="\n    const b: = 2;`);
  });

  test('says that import.meta is for ES modules', () => {
    const { file, compiler } = projectWith('export const a = import.meta.url;');
    writeFileSync(join(file, '../package.json'), '{ "type": "commonjs" }');
    expect(() => compiler().compiled(file)).toThrow(
      `${file}:1:18: import.meta can be used in an ES module only`,
    );
  });

  test('names the tsconfig.json that can not be read', () => {
    const { file, compiler } = projectWith('export const a = 1;');
    writeFileSync(join(file, '../tsconfig.json'), '{ "extends": "./gone.json" }');
    expect(() => compiler().compiled(file)).toThrow(
      `The tsconfig.json that ${dirname(file)} belongs to can't be used: File './gone.json' not found.`,
    );
  });
});

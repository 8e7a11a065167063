/**
 * Compiles TypeScript files one by one: each becomes JavaScript under its own name, and what it imports stays a file of
 * its own. Types are not checked.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { basename, extname } from 'node:path';
import { compileFunction } from 'node:vm';
import { parse as parseCommonJs } from 'cjs-module-lexer';
import type * as Esbuild from 'esbuild';
import type { BuildFailure, Message, TransformOptions, TransformResult } from 'esbuild';
import { readRegular } from '../os/regular-file.ts';
import { CompiledFiles, type CompiledModule } from './compiled-files.ts';
import { type FileSettings, SettingsReader } from './file-settings.ts';

export const MOST_SOURCE_BYTES = 64 * 1024 * 1024;

const require = createRequire(import.meta.url);

/** Changes with what is made of a file: entries of the cache that were made otherwise are not used. */
const FORMAT_VERSION = 3;

/** The least that every supported version of Node executes. */
const TARGET = 'node20.19';

/** A file that is about to be compiled. */
interface SourceFile {
  path: string;
  text: string;
  settings: FileSettings;
  /** Set where an ES module is wanted as CommonJS. */
  asCommonJs: boolean;
}

export class TypeScriptCompiler {
  readonly #files: CompiledFiles;
  /** What the files that it compiles depend on. */
  readonly settings = new SettingsReader();

  /** @param cacheFolder for compiled files. */
  constructor(cacheFolder: string) {
    this.#files = new CompiledFiles(cacheFolder);
  }

  /**
   * The compiled form of a file, from the cache or made now in this thread.
   * @param asCommonJs whether an ES module is compiled as CommonJS.
   * @throws SyntaxError, UnusableFile, or the file system's error.
   */
  compiled(path: string, asCommonJs = false): CompiledModule {
    const source = this.#read(path, asCommonJs);
    const key = keyOf(source);
    const known = this.#files.read(key);
    if (known !== null) return known;
    const compiled = compileNow(source);
    this.#files.write(key, compiled);
    return compiled;
  }

  /** Has a file compiled into the cache, where it is not there. Rejects as `compiled` throws. */
  async prepare(path: string): Promise<void> {
    const source = this.#read(path, false);
    const key = keyOf(source);
    if (this.#files.has(key)) return;
    this.#files.write(key, await compileSoon(source));
  }

  /** Removes from the cache what was not used for long. */
  prune(): void {
    this.#files.prune();
  }

  #read(path: string, asCommonJs: boolean): SourceFile {
    // A pipe in its place would be waited for without end.
    const text = readRegular(path, MOST_SOURCE_BYTES).toString();
    return { path, text, settings: this.settings.of(path), asCommonJs };
  }
}

/** Different for sources of which the compiled forms may be. */
function keyOf({ path, text, settings, asCommonJs }: SourceFile): string {
  const { packageType, module, compilerOptions } = settings;
  const { version }: { version: string } = require('esbuild/package.json');
  const parts = [FORMAT_VERSION, version, basename(path), packageType, module, compilerOptions, asCommonJs];
  return createHash('sha256').update(JSON.stringify(parts)).update(text).digest('hex').slice(0, 40);
}

/** Asks for one transformation after the other, which esbuild can do now or later. */
type CompileSteps = Generator<TransformOptions, CompiledModule, TransformResult>;

/**
 * Whether a file is an ES module is decided as Node and tsc do it: by its name, by `type` in its package.json, by `module`
 * in its tsconfig.json, and where none of these says it, by its syntax.
 */
function* compile(source: SourceFile): CompileSteps {
  const format = source.asCommonJs ? 'commonjs' : declaredFormat(source);
  const { code } = yield optionsFor(source);
  const hasModuleSyntax = format === 'module' || isRefusedAsCommonJs(code);
  if (format === 'commonjs' || !hasModuleSyntax) return yield* compileCommonJs(source, hasModuleSyntax);
  const mayBeCommonJs = format === null && (emitsCommonJs(source) || (yield* usesCommonJs(source, code)));
  const commonJs = mayBeCommonJs ? yield* tryCommonJs(source) : null;
  return commonJs ?? (yield* moduleOf(source, code));
}

function declaredFormat({ path, settings }: SourceFile): CompiledModule['format'] | null {
  const extension = extname(path);
  if (extension === '.mts') return 'module';
  return extension === '.cts' ? 'commonjs' : settings.packageType;
}

/** Whether tsc makes CommonJS of a file for which package.json names no type. */
const emitsCommonJs = ({ settings }: SourceFile): boolean =>
  /^(?:commonjs|node\d+|nodenext)$/.test(settings.module ?? '');

/** Code that esbuild has read is correct: what Node refuses of it in CommonJS belongs to ES modules. */
function isRefusedAsCommonJs(code: string): boolean {
  try {
    compileFunction(code, ['exports', 'require', 'module', '__filename', '__dirname']);
    return false;
  } catch {
    return true;
  }
}

const COMMONJS_NAMES = ['require', 'module', 'exports', '__filename', '__dirname'];
const FREE = 'millrace_free_';

/**
 * Whether code with the syntax of ES modules uses what exists in CommonJS only, as it may where tsc compiles it to that.
 * Code that asks whether it exists works without it.
 */
function* usesCommonJs(
  source: SourceFile,
  code: string,
): Generator<TransformOptions, boolean, TransformResult> {
  if (!/\b(?:require|module|exports|__filename|__dirname)\b/.test(code)) return false;
  const define = Object.fromEntries(COMMONJS_NAMES.map((name) => [name, FREE + name]));
  const { code: marked } = yield { ...optionsFor(source), define, sourcemap: false };
  return marked.includes(FREE) && !marked.includes(`typeof ${FREE}`);
}

/** What has the syntax of ES modules is in strict mode, also where it becomes CommonJS. */
const MODULE_AS_COMMONJS: TransformOptions = { format: 'cjs', banner: '"use strict";' };

/** What ES modules alone have, and is not there in CommonJS. */
const MODULE_ONLY = 'Top-level await';
const NO_IMPORT_META = 'empty-import-meta';

function* compileCommonJs(source: SourceFile, hasModuleSyntax: boolean): CompileSteps {
  const { code, warnings } = yield optionsFor(
    source,
    hasModuleSyntax ? MODULE_AS_COMMONJS : { format: 'cjs' },
  );
  const [place] = warnings.filter(({ id }) => id === NO_IMPORT_META);
  if (place !== undefined)
    throw compileError(source.path, [{ ...place, text: 'import.meta can be used in an ES module only' }]);
  return commonJsOf(code);
}

/** Null where the file uses what CommonJS does not have. */
function* tryCommonJs(
  source: SourceFile,
): Generator<TransformOptions, CompiledModule | null, TransformResult> {
  try {
    const { code, warnings } = yield optionsFor(source, MODULE_AS_COMMONJS);
    return warnings.some(({ id }) => id === NO_IMPORT_META) ? null : commonJsOf(code);
  } catch (error) {
    if (isBuildFailure(error) && error.errors.every(({ text }) => text.includes(MODULE_ONLY))) return null;
    throw error;
  }
}

function commonJsOf(code: string): CompiledModule {
  const { exports, reexports } = parseCommonJs(code);
  return { format: 'commonjs', exports, reexports, code };
}

const IMPORT_EQUALS = /\bimport\s+([\w$]+)\s*=\s*require\s*\(/g;
const OWN_REQUIRE = /\b(?:const|let|var|function)\s+require\b/;
const REQUIRE =
  'import { createRequire as millraceCreateRequire } from "node:module"; const require = millraceCreateRequire(import.meta.url);';

/** `import x = require("y")` in an ES module, as tsc compiles it. */
function* moduleOf(source: SourceFile, code: string): CompileSteps {
  const names = [...source.text.matchAll(IMPORT_EQUALS)].map(([, name]) => name);
  // In a comment it is in the text alone.
  const isImported = names.some((name) => code.includes(`const ${name} = require(`));
  const needsRequire = isImported && !OWN_REQUIRE.test(code);
  const compiled = needsRequire ? (yield optionsFor(source, { banner: REQUIRE })).code : code;
  return { format: 'module', exports: [], reexports: [], code: compiled };
}

function optionsFor({ path, settings }: SourceFile, options: TransformOptions = {}): TransformOptions {
  return {
    loader: extname(path) === '.tsx' ? 'tsx' : 'ts',
    platform: 'node',
    target: TARGET,
    sourcemap: 'inline',
    sourcesContent: false,
    // The source map names it by a URL.
    sourcefile: encodeURIComponent(basename(path)),
    tsconfigRaw: JSON.stringify({ compilerOptions: settings.compilerOptions }),
    logLevel: 'silent',
    ...options,
  };
}

type EsbuildApi = typeof Esbuild;

/** In this thread: esbuild is a program that is started for each transformation and waited for, some 10 ms. */
function compileNow(source: SourceFile): CompiledModule {
  const { transformSync } = loadWithoutThreads();
  try {
    const compilation = compile(source);
    let step = compilation.next();
    while (step.done !== true) {
      const options = step.value;
      step = resume(compilation, () => transformSync(source.text, options));
    }
    return step.value;
  } catch (error) {
    throw explained(source.path, error);
  }
}

/** By the one program of esbuild that this process keeps, some 1 ms. */
async function compileSoon(source: SourceFile): Promise<CompiledModule> {
  const { transform }: EsbuildApi = require('esbuild');
  try {
    const compilation = compile(source);
    let step = compilation.next();
    while (step.done !== true) {
      const [result] = await Promise.allSettled([transform(source.text, step.value)]);
      step = resume(compilation, () => valueOf(result));
    }
    return step.value;
  } catch (error) {
    throw explained(source.path, error);
  }
}

/** Goes on with what a transformation returns or throws. */
function resume(
  compilation: CompileSteps,
  transform: () => TransformResult,
): ReturnType<CompileSteps['next']> {
  let result: TransformResult;
  try {
    result = transform();
  } catch (error) {
    return compilation.throw(error);
  }
  return compilation.next(result);
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

const NO_THREADS = 'ESBUILD_WORKER_THREADS';

/** Otherwise it would start a thread and a program that stays, which is worth it only where much is compiled. */
function loadWithoutThreads(): EsbuildApi {
  const before = process.env[NO_THREADS];
  process.env[NO_THREADS] = '0';
  try {
    return require('esbuild');
  } finally {
    if (before === undefined) delete process.env[NO_THREADS];
    else process.env[NO_THREADS] = before;
  }
}

const explained = (path: string, error: unknown): unknown =>
  isBuildFailure(error) ? compileError(path, error.errors) : error;

/** What esbuild refuses, in the words of the file: the message has place and line of each error, the stack the first. */
function compileError(path: string, errors: readonly Pick<Message, 'text' | 'location'>[]): SyntaxError {
  const placed = errors.map(({ text, location }) => {
    if (location === null) return { place: path, message: `${path}: ${text}` };
    const place = `${path}:${location.line}:${location.column + 1}`;
    return { place, message: `${place}: ${text}\n    ${location.lineText.trim()}` };
  });
  const error = new SyntaxError(placed.map(({ message }) => message).join('\n'));
  error.stack = `SyntaxError: ${error.message}\n    at ${placed[0]?.place ?? path}`;
  return error;
}

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors);

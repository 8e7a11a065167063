/** Compiles the TypeScript modules of module steps, each once a run. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, Loader, Plugin } from 'esbuild';
import type { Assignment } from '../domain/assignment.ts';
import type { Failure } from '../domain/failure.ts';
import type { ModuleStep, Step } from '../domain/workstream.ts';
import { readRegular } from '../os/regular-file.ts';
import { replaceFile } from '../os/replace-file.ts';

const MOST_BYTES = 64 * 1024 * 1024;

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);

const isTypeScript = (step: Step): step is ModuleStep =>
  step.kind === 'module' && TYPESCRIPT.has(extname(step.module));

/** Whether there is anything to compile. */
export const hasTypeScript = ({ workstream }: Assignment): boolean => workstream.steps.some(isTypeScript);

/** A module that could not be compiled. */
export class CompileError extends Error {
  override name = 'CompileError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.reason);
    this.failure = failure;
  }
}

/**
 * Node 20 can't load TypeScript, so a TypeScript module and what it imports by path become one JavaScript file under
 * the state folder, with esbuild, in the main thread: about 30 ms for each module, and loading esbuild once. Packages
 * are not bundled; each is imported from where the module would have found it. Types are not checked.
 */
export class TypeScriptModules {
  readonly #folder: string;
  readonly #compiled = new Map<string, Promise<string>>();

  /** @param folder where the compiled files go; made when the first one does. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Returns the path of the compiled file for each TypeScript module of the assignment.
   * @throws CompileError for a module that esbuild refuses.
   */
  async compile(assignment: Assignment): Promise<Record<string, string>> {
    const compiled: Record<string, string> = {};
    for (const step of assignment.workstream.steps) {
      if (isTypeScript(step)) compiled[step.module] = await this.#once(step.module);
    }
    return compiled;
  }

  #once(module: string): Promise<string> {
    let path = this.#compiled.get(module);
    if (path === undefined) {
      path = this.#build(module);
      this.#compiled.set(module, path);
      // The next attempt or workstream tries again: it may have been fixed meanwhile.
      path.catch(() => this.#compiled.delete(module));
    }
    return path;
  }

  async #build(module: string): Promise<string> {
    try {
      const { build } = await import('esbuild');
      const result = await build({
        entryPoints: ['module'],
        bundle: true,
        write: false,
        // Not written there, but the source map's paths are relative to it.
        outfile: join(this.#folder, 'module.mjs'),
        format: 'esm',
        platform: 'node',
        target: 'node20',
        sourcemap: 'inline',
        logLevel: 'silent',
        plugins: [entryIs(module), packagesStayOutside, eachFileKeepsItsUrl],
        define: { 'import.meta.url': FILE_URL },
      });
      return await this.#store(result.outputFiles[0]?.contents ?? new Uint8Array());
    } catch (error) {
      throw new CompileError(compileFailure(module, error));
    }
  }

  /** Named by content, so that runs at the same time never see each other's half-written file. */
  async #store(contents: Uint8Array): Promise<string> {
    const hash = createHash('sha256').update(contents).digest('hex').slice(0, 32);
    const path = join(this.#folder, `${hash}.mjs`);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    replaceFile(path, contents, { durable: false });
    return path;
  }
}

const LOADERS: Record<string, Loader> = { '.ts': 'ts', '.tsx': 'tsx', '.js': 'js', '.jsx': 'jsx' };

const FILE_URL = 'millrace_file_url';

/** esbuild would take a path with `*` in it for a pattern. */
const entryIs = (module: string): Plugin => ({
  name: 'entry',
  setup(build) {
    build.onResolve({ filter: /^module$/ }, ({ kind }) =>
      kind === 'entry-point' ? { path: module } : undefined,
    );
  },
});

/** Resolves packages from the importing file and leaves them where they are. */
const packagesStayOutside: Plugin = {
  name: 'packages-stay-outside',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async (args) => {
      if (args.pluginData === 'resolving' || args.kind === 'entry-point') return undefined;
      const { importer, resolveDir, kind } = args;
      const found = await build.resolve(args.path, { importer, resolveDir, kind, pluginData: 'resolving' });
      // A Node builtin, or a package that is not there: left to the thread, whose error names the importer.
      if (found.external || found.errors.length > 0) return { path: args.path, external: true };
      const isLocal = !found.path.includes('/node_modules/');
      return isLocal ? found : { path: pathToFileURL(found.path).href, external: true };
    });
  },
};

/** `import.meta.url` stays the URL of the file it was written in. */
const eachFileKeepsItsUrl: Plugin = {
  name: 'each-file-keeps-its-url',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async (args) => {
      // A pipe in its place would be waited for without end.
      const text = readRegular(args.path, MOST_BYTES).toString();
      if (!text.includes('import.meta.url')) return undefined;
      const loader = LOADERS[extname(args.path).replace(/[cm]/, '')] ?? 'js';
      const url = JSON.stringify(pathToFileURL(args.path).href);
      return { contents: `const ${FILE_URL} = ${url};${text}`, loader };
    });
  },
};

function compileFailure(module: string, error: unknown): Failure {
  const errors = isBuildFailure(error) ? error.errors : [];
  const lines = errors.map(({ text, location }) =>
    location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`,
  );
  const message = lines.length > 0 ? lines.join('\n') : String(error);
  const name = error instanceof Error && lines.length === 0 ? error.name : 'BuildError';
  return { reason: 'module-load-failed', module, thrown: { name, message } };
}

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors);

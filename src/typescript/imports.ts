/** Finds the files that a module is made of: its imports, and theirs, as far as they are written out in the source. */
import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import type * as Esbuild from 'esbuild';
import type { BuildFailure, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { SettingsReader } from './file-settings.ts';
import { isTypeScript, pathOf, typeScriptTarget } from './resolve.ts';

const require = createRequire(import.meta.url);

/** A package in a `node_modules` folder that is imported. */
interface ImportedPackage {
  name: string;
  /** Null where its package.json does not say. */
  version: string | null;
  /** The folder whose `node_modules` it is in. */
  root: string;
}

export interface ModuleImports {
  /** Absolute paths of the module and of all local files that it imports, in order. */
  files: string[];
  /** By name; what packages import in turn is not followed. */
  packages: ImportedPackage[];
}

/**
 * Follows static imports, `require` and `import()` of a text, in TypeScript, JavaScript and JSON, as esbuild resolves
 * them; of packages that are links to a folder elsewhere, too. What a program puts together while it runs can't be seen:
 * `import(name)`, files that it reads, threads and processes that it starts.
 * @param module absolute path.
 * @throws Error with a sentence that says which file can't be read, or which import can't be found.
 */
export async function importsOf(module: string): Promise<ModuleImports> {
  const { build }: typeof Esbuild = require('esbuild');
  const packages = new Map<string, ImportedPackage>();
  try {
    const { metafile } = await build({
      entryPoints: [module],
      absWorkingDir: '/',
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'esm',
      outdir: '/',
      logLevel: 'silent',
      // What is neither code nor JSON counts with its bytes, which are hashed elsewhere.
      loader: Object.fromEntries(OTHER_KINDS.map((extension) => [extension, 'empty'])),
      plugins: [packagesApart(packages)],
    });
    const files = Object.keys(metafile.inputs).map((path) => resolve('/', path));
    return { files: files.toSorted(), packages: [...packages.values()].toSorted(byName) };
  } catch (error) {
    throw isBuildFailure(error) ? explained(module, error) : error;
  }
}

const OTHER_KINDS = ['.node', '.wasm', '.txt', '.sql', '.html', '.css', '.md', '.csv', '.bin'];

const byName = (a: ImportedPackage, b: ImportedPackage): number => (a.name < b.name ? -1 : 1);

/** Marks what esbuild is asked by the plugin itself. */
const ASKED = Symbol('asked');

/** Leaves what is in `node_modules` out of the bundle, and notes it. */
const packagesApart = (packages: Map<string, ImportedPackage>): Plugin => ({
  name: 'packages-apart',
  setup: (build) => {
    const settings = new SettingsReader();
    build.onResolve({ filter: /^/ }, (args) => resolveAsRun(args, settings));
    build.onResolve({ filter: /^[^./]/ }, (args) => resolveName(build, args, packages));
  },
});

/** What an import of a TypeScript file means is what it means when it is run, where esbuild would choose another file. */
function resolveAsRun(
  { path, importer, kind, pluginData }: OnResolveArgs,
  settings: SettingsReader,
): OnResolveResult | undefined {
  if (pluginData === ASKED || kind === 'entry-point' || !isTypeScript(importer)) return undefined;
  const found = typeScriptTarget(pathOf(path, importer), importer, settings);
  return found === null ? undefined : { path: found };
}

async function resolveName(
  build: PluginBuild,
  args: OnResolveArgs,
  packages: Map<string, ImportedPackage>,
): Promise<OnResolveResult | undefined> {
  if (args.pluginData === ASKED || args.kind === 'entry-point') return undefined;
  const outside = { path: args.path, external: true };
  if (isBuiltin(args.path)) return outside;
  const { importer, resolveDir, kind } = args;
  const found = await build.resolve(args.path, { importer, resolveDir, kind, pluginData: ASKED });
  // An optional dependency may be missing: the module itself says so where it needs it.
  if (found.errors.length > 0) return outside;
  const place = /^(.*[/\\])node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(found.path);
  if (place === null) return undefined;
  const [folder = '', root = '', name = ''] = place;
  packages.set(folder, { name, version: versionIn(folder), root });
  return outside;
}

function versionIn(folder: string): string | null {
  try {
    const { version }: { version?: unknown } = Object(
      JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
    );
    return typeof version === 'string' ? version : null;
  } catch {
    // Node says what is wrong with it when it loads the package.
    return null;
  }
}

function explained(module: string, { errors }: BuildFailure): Error {
  const [first] = errors;
  const place = first?.location == null ? module : `/${first.location.file}:${first.location.line}`;
  return new Error(`${place}: ${first?.text ?? 'it can not be read'}`);
}

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors);

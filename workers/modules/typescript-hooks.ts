/**
 * How TypeScript files are loaded where Node loads ES modules. The same functions serve in the thread itself
 * (`module.registerHooks`) and in the further thread that Node 20 starts for them (`module.register`).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parse as parseCommonJs } from 'cjs-module-lexer';
import { TypeScriptCompiler } from '../../src/typescript/compiler.ts';
import { isTypeScript, pathOf, typeScriptTarget } from '../../src/typescript/resolve.ts';

/** What Node tells a hook; only what is used here. */
interface HookContext {
  parentURL?: string | undefined;
  conditions?: readonly string[];
}

type Next<T> = (specifier: string, context: HookContext) => T;

interface LoadedSource {
  format: string;
  source: string;
  shortCircuit: true;
}

let compiler: TypeScriptCompiler | null = null;

/** Called first, in the thread in which the other functions are called. */
export function initialize(use: { cacheFolder: string } | { compiler: TypeScriptCompiler }): void {
  compiler = 'compiler' in use ? use.compiler : new TypeScriptCompiler(use.cacheFolder);
}

function initialized(): TypeScriptCompiler {
  if (compiler === null) throw new Error('the hooks were not initialized');
  return compiler;
}

/** What is required is resolved and loaded in the thread itself, by what `loadTypeScript` has put there. */
const isRequired = ({ conditions = [] }: HookContext): boolean => conditions.includes('require');

/** A path as it is written in an ES module, where it is a URL. */
const PATH = /^(?:\.{0,2}\/|\.\.?$|file:)/;

export function resolve<T>(specifier: string, context: HookContext, next: Next<T>): T {
  const { parentURL } = context;
  if (parentURL === undefined || isRequired(context) || !isTypeScriptUrl(parentURL)) {
    return next(specifier, context);
  }
  const [, name = '', query = ''] = /^([^?#]*)(.*)$/s.exec(specifier) ?? [];
  const wanted = PATH.test(name) ? fileURLToPath(new URL(name, parentURL)) : name;
  const target = typeScriptTarget(wanted, fileURLToPath(parentURL), initialized().settings);
  return next(target === null ? specifier : pathToFileURL(target).href + query, context);
}

export function load<T>(url: string, context: HookContext, next: Next<T>): T | LoadedSource {
  if (isRequired(context) || !isTypeScriptUrl(url)) return next(url, context);
  const path = fileURLToPath(url);
  refuseInPackage(path);
  const { format, code } = initialized().compiled(path);
  return { format: 'module', source: format === 'module' ? code : commonJsFacade(path), shortCircuit: true };
}

const isTypeScriptUrl = (url: string): boolean =>
  url.startsWith('file:') && isTypeScript(new URL(url).pathname);

/** Packages are published as JavaScript; Node refuses TypeScript in them too. */
export function refuseInPackage(path: string): void {
  if (!/[\\/]node_modules[\\/]/.test(path)) return;
  const error = new Error(
    `TypeScript under node_modules is not loaded, as in Node: ${path}. Packages have to be compiled; a package of a workspace is linked and may be TypeScript`,
  );
  throw Object.assign(error, { code: 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING' });
}

/**
 * The ES module that is imported in place of CommonJS, and exports what Node would: the module is the one that `require`
 * returns, and Node could find the names of its exports in JavaScript only.
 */
function commonJsFacade(path: string): string {
  const names = [...exportNames(path, new Set())].filter((name) => name !== 'default');
  // What measures coverage finds the compiled code by the name of the file, and this by none.
  return [
    'import { createRequire } from "node:module";',
    `const exports = createRequire(import.meta.url)(${JSON.stringify(path)});`,
    'const get = (name) => { try { return Object(exports)[name]; } catch { return undefined; } };',
    ...names.map((name, index) => `const export${index} = get(${JSON.stringify(name)});`),
    `export { ${['exports as default', ...exported(names)].join(', ')} };`,
    '//# sourceURL=millrace:commonjs',
  ].join('\n');
}

const exported = (names: readonly string[]): string[] => [
  ...names.map((name, index) => `export${index} as ${JSON.stringify(name)}`),
  // As of 23 Node has this name for the whole.
  ...(Number.parseInt(process.versions.node) >= 23 ? ['exports as "module.exports"'] : []),
];

/** The names of what a CommonJS file exports, and of what it exports of others. */
function exportNames(path: string, seen: Set<string>): Set<string> {
  if (seen.has(path)) return new Set();
  seen.add(path);
  const { exports, reexports } = exportsOf(path);
  const targets = reexports.flatMap((name) => required(name, path));
  return new Set([...exports, ...targets.flatMap((target) => [...exportNames(target, seen)])]);
}

function exportsOf(path: string): { exports: readonly string[]; reexports: readonly string[] } {
  if (isTypeScript(path)) return initialized().compiled(path);
  const isScript = ['.js', '.cjs'].includes(extname(path));
  return isScript ? parseCommonJs(readFileSync(path, 'utf8')) : { exports: [], reexports: [] };
}

/** The file of that name; none where there is none, which is an error when the file is executed. */
function required(name: string, importer: string): string[] {
  const require = createRequire(importer);
  const { settings } = initialized();
  const target = isTypeScript(importer) ? typeScriptTarget(pathOf(name, importer), importer, settings) : null;
  try {
    return [require.resolve(target ?? name)];
  } catch {
    return [];
  }
}

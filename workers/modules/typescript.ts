/** TypeScript in this thread: files are loaded from where they are, under their own names. */
import Module, { register } from 'node:module';
import { TypeScriptCompiler } from '../../src/typescript/compiler.ts';
import { isTypeScript, pathOf, typeScriptTarget } from '../../src/typescript/resolve.ts';
import { initialize, load, refuseInPackage, resolve } from './typescript-hooks.ts';

/** What Node has, and its types lack, of the module system. */
interface ModuleSystem {
  _extensions: Record<string, (module: CommonJsModule, filename: string) => unknown>;
  _resolveFilename: (request: string, parent: CommonJsModule | undefined, ...rest: unknown[]) => string;
  /** As of Node 22.15. */
  registerHooks?: (hooks: { resolve: typeof resolve; load: typeof load }) => void;
}

interface CommonJsModule {
  filename: string | null;
  _compile(code: string, filename: string, format: string): unknown;
}

const isModuleSystem = (value: unknown): value is ModuleSystem =>
  typeof value === 'function' && '_extensions' in value && '_resolveFilename' in value;

const system = moduleSystem(Module);

function moduleSystem(value: unknown): ModuleSystem {
  if (isModuleSystem(value)) return value;
  throw new TypeError('this version of Node has another module system');
}

let isLoaded = false;

/**
 * From now on this thread can import and require TypeScript. On Node 20 that takes some 30 ms, 8 MB and a further thread,
 * on later versions 1 ms.
 * @param cacheFolder for compiled files.
 */
export function loadTypeScript(cacheFolder: string): void {
  if (isLoaded) return;
  isLoaded = true;
  const compiler = new TypeScriptCompiler(cacheFolder);
  extendRequire(compiler);
  if (system.registerHooks === undefined) {
    register(new URL('./typescript-hooks.mjs', import.meta.url), { data: { cacheFolder } });
  } else {
    initialize({ compiler });
    system.registerHooks({ resolve, load });
  }
  // Last: a thread for hooks that is started with source maps takes 10 ms longer.
  process.setSourceMapsEnabled(true);
}

function extendRequire(compiler: TypeScriptCompiler): void {
  const { _resolveFilename: resolveFilename, _extensions: extensions } = system;
  system._resolveFilename = function resolved(request, parent, ...rest) {
    const importer = parent?.filename ?? null;
    const mayDiffer = importer !== null && isTypeScript(importer);
    const target = mayDiffer
      ? typeScriptTarget(pathOf(request, importer), importer, compiler.settings)
      : null;
    return Reflect.apply(resolveFilename, this, [target ?? request, parent, ...rest]);
  };
  const compile = (module: CommonJsModule, filename: string): unknown => {
    refuseInPackage(filename);
    const { format, code } = compiler.compiled(filename);
    return format === 'commonjs'
      ? module._compile(code, filename, format)
      : requireModule(module, filename, code, compiler);
  };
  for (const extension of ['.ts', '.tsx', '.cts', '.mts']) extensions[extension] = compile;
}

/** Without the hooks Node 20 does not find what it imports, where that is TypeScript. */
const NOT_FOUND = ['ERR_UNKNOWN_FILE_EXTENSION', 'ERR_MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT'];

/**
 * An ES module that is required. On Node 20, which uses no hooks for what an ES module imports that was required, it is
 * executed as CommonJS where it imports TypeScript; then it is not the same module for those who import it.
 */
function requireModule(
  module: CommonJsModule,
  filename: string,
  code: string,
  compiler: TypeScriptCompiler,
): unknown {
  try {
    return module._compile(code, filename, 'module');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (system.registerHooks !== undefined || !NOT_FOUND.includes(reason)) throw error;
    return module._compile(compiler.compiled(filename, true).code, filename, 'commonjs');
  }
}

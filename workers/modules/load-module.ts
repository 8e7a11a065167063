/** Loads the modules of module steps, each once a thread. */
import { closeSync, constants, existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { types } from 'node:util';
import type { Failure } from '../../src/domain/failure.ts';
import type { StepContext } from '../../src/domain/step-context.ts';
import type { ModuleStep } from '../../src/domain/workstream.ts';
import { openRegular } from '../../src/os/regular-file.ts';
import { isTypeScript } from '../../src/typescript/resolve.ts';
import type { Execution } from '../execution.ts';
import { orAbort, type StopSignal } from '../thread/stop-signal.ts';
import { flattenThrown, isInstance, syntaxErrorPlace } from '../thread/thrown.ts';
import { importModule } from './import-module.ts';
import { nameOf } from './lossy-values.ts';
import type * as TypeScript from './typescript.ts';

export type UserFunction = (input: unknown, context: StepContext) => unknown;

const called = new WeakSet<UserFunction>();

/** By path. Node would return the same again, and take longer than a small function runs. */
const loaded = new Map<string, LoadedModule>();

/** The function of a module step, or why there is none. Rejects with the signal's reason when it is aborted. */
export async function loadFunction(
  step: ModuleStep,
  execution: Execution,
  signal: StopSignal,
): Promise<UserFunction | Failure> {
  try {
    return functionOf(await load(step.module, execution, signal), step, execution);
  } catch (error) {
    if (signal.aborted) {
      execution.retire = 'a module was still loading';
      throw error;
    }
    return loadFailure(step.module, error, execution);
  }
}

/** As `loadFunction`, of a module that was loaded before; null for another. */
export function loadedFunction(step: ModuleStep, execution: Execution): UserFunction | Failure | null {
  const module = loaded.get(step.module);
  return module === undefined ? null : functionOf(module, step, execution);
}

function functionOf(module: LoadedModule, step: ModuleStep, execution: Execution): UserFunction | Failure {
  const found = module.get(step.export);
  if (types.isGeneratorFunction(found)) return generatorFailure(step);
  if (isFunction(found)) {
    if (!called.has(found)) execution.ranNewCode = true;
    called.add(found);
    return found;
  }
  return {
    reason: 'export-not-found',
    module: step.module,
    export: step.export,
    found: found === undefined ? null : nameOf(found),
    available: module.functions,
  };
}

const isFunction = (value: unknown): value is UserFunction => typeof value === 'function';

async function load(file: string, execution: Execution, signal: StopSignal): Promise<LoadedModule> {
  // A pipe in its place would be waited for without end.
  closeSync(openRegular(file, { flags: constants.O_RDONLY }));
  if (execution.typeScript.includes(file)) loadTypeScript(execution.host.cacheFolder);
  const namespace: Record<string, unknown> = await orAbort(importModule(pathToFileURL(file).href), signal);
  const module = new LoadedModule(namespace, file);
  loaded.set(file, module);
  return module;
}

/**
 * Node keeps a module that could not be loaded, and each that it could not import, and returns the same error for it
 * as long as the thread lives. The next one gets a thread that tries again.
 */
function loadFailure(module: string, error: unknown, execution: Execution): Failure {
  if (!existsSync(module)) return { reason: 'module-not-found', module };
  execution.ranNewCode = true;
  execution.retire ??= 'a module could not be loaded';
  const thrown = flattenThrown(error, execution.host.redactor);
  if (execution.typeScript.includes(module) && NO_EXPORT.test(thrown.message)) execution.warn(TYPE_EXPORT);
  // What is wrong in TypeScript says itself where it is.
  const place = isInstance(error, SyntaxError) && !isTypeScript(module) ? syntaxErrorPlace(module) : null;
  if (place !== null) thrown.stack = `${place}\n\n${thrown.stack ?? ''}`.trimEnd();
  return { reason: 'module-load-failed', module, thrown };
}

const NO_EXPORT = /does not provide an export named/;
const TYPE_EXPORT =
  'Each TypeScript file is compiled alone. If the export that is missing is a type, mark it where it is exported again: export type { … } from …';

const generatorFailure = (step: ModuleStep): Failure => ({
  reason: 'invalid-result',
  detail: `"${step.export}" is a generator function, and to call one executes nothing of it. Make it a function, or an async one, that returns what it yields`,
});

type Exports = Record<string, unknown>;

const require = createRequire(import.meta.url);
const { cache: commonJs } = require;

/** From a file of its own in the build, as few threads need it. */
function loadTypeScript(cacheFolder: string): void {
  const file = fileURLToPath(new URL('./typescript.cjs', import.meta.url));
  const { loadTypeScript: load }: typeof TypeScript = require(file);
  load(cacheFolder);
}

/**
 * What a module exports. Node finds the exports of a CommonJS module by reading its source, so that some are missing
 * in the namespace; and its default export is `module.exports`, also where a compiler has put the default export of
 * an ES module into `exports.default`. Both are looked up in `module.exports`.
 */
class LoadedModule {
  readonly #namespace: Exports;
  /** `module.exports` of a CommonJS module; null for an ES module. */
  readonly #exports: Exports | null;

  /** @param namespace what `import()` of the file returned. */
  constructor(namespace: Exports, file: string) {
    this.#namespace = namespace;
    const exports = namespace['default'];
    this.#exports = hasMembers(exports) && commonJs[realpathSync(file)]?.exports === exports ? exports : null;
  }

  /** The export of this name; undefined for none. */
  get(name: string): unknown {
    const inNamespace = this.#namespace[name];
    if (this.#exports === null) return inNamespace;
    if (name !== 'default') return inNamespace ?? this.#exports[name];
    const isCompiled = this.#exports['__esModule'] === true || typeof inNamespace !== 'function';
    return isCompiled ? (this.#exports['default'] ?? inNamespace) : inNamespace;
  }

  /** The names of its functions. */
  get functions(): string[] {
    const names = new Set([...Object.keys(this.#namespace), ...Object.keys(this.#exports ?? {})]);
    // Node 23 and later add this name to the namespace of a CommonJS module.
    names.delete('module.exports');
    return [...names].filter((name) => typeof this.get(name) === 'function').toSorted();
  }
}

const hasMembers = (value: unknown): value is Exports =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

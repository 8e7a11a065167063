/** Loads the modules of module steps, each once a thread. */
import { closeSync, constants, existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { types } from 'node:util';
import type { Failure } from '../src/domain/failure.ts';
import type { StepContext } from '../src/domain/step-context.ts';
import type { ModuleStep } from '../src/domain/workstream.ts';
import { openRegular } from '../src/support/regular-file.ts';
import type { Execution } from './execution.ts';
import { isInstance } from './is-instance.ts';
import { LoadedModule } from './loaded-module.ts';
import { nameOf } from './lossy-values.ts';
import { orAbort } from './or-abort.ts';
import { syntaxErrorPlace } from './syntax-error-place.ts';
import type { StopSignal } from './stop-signal.ts';
import { flattenThrown } from './thrown.ts';

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
    return functionOf(await load(fileOf(step, execution), signal), step, execution);
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
  const module = loaded.get(fileOf(step, execution));
  return module === undefined ? null : functionOf(module, step, execution);
}

const fileOf = (step: ModuleStep, { compiled }: Execution): string => compiled[step.module] ?? step.module;

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

async function load(file: string, signal: StopSignal): Promise<LoadedModule> {
  // A pipe in its place would be waited for without end.
  closeSync(openRegular(file, { flags: constants.O_RDONLY }));
  const namespace: Record<string, unknown> = await orAbort(import(pathToFileURL(file).href), signal);
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
  const place = isInstance(error, SyntaxError) ? syntaxErrorPlace(module) : null;
  if (place !== null) thrown.stack = `${place}\n\n${thrown.stack ?? ''}`.trimEnd();
  return { reason: 'module-load-failed', module, thrown };
}

const generatorFailure = (step: ModuleStep): Failure => ({
  reason: 'invalid-result',
  detail: `"${step.export}" is a generator function, and to call one executes nothing of it. Make it a function, or an async one, that returns what it yields`,
});

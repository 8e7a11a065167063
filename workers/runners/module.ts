/** Runs a module step: loads the module, calls its function, checks what it returns. */
import { closeSync, constants, existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Failure } from '../../src/domain/failure.ts';
import type { StepContext } from '../../src/domain/step-context.ts';
import type { ModuleStep } from '../../src/domain/workstream.ts';
import { openRegular } from '../../src/support/regular-file.ts';
import type { Execution } from '../execution.ts';
import { InvalidResultError } from '../invalid-result.ts';
import { isInstance } from '../is-instance.ts';
import { serializeOutput } from '../module-output.ts';
import { readModuleResult } from '../module-result.ts';
import { orAbort } from '../or-abort.ts';
import { delay } from '../delay.ts';
import { createStepContext } from '../step-context.ts';
import { syntaxErrorPlace } from '../syntax-error-place.ts';
import { flattenThrown } from '../thrown.ts';
import { type StepOutcome, stepOutcome } from './step-outcome.ts';

type UserFunction = (input: unknown, context: StepContext) => unknown;

/** Rejects with the signal's reason when the execution or the step is stopped. */
export async function runModule(
  step: ModuleStep,
  execution: Execution,
  signal: AbortSignal,
): Promise<StepOutcome> {
  const start = execution.output.size;
  const found = await load(step, execution, signal);
  if (typeof found !== 'function') return stepOutcome({ failure: found });
  const call = (async () => found(step.input, createStepContext(execution, signal)))();
  try {
    const value = await orAbort(call, signal);
    // One turn of the event loop, in which rejections that nothing handles are reported.
    await new Promise(setImmediate);
    signal.throwIfAborted();
    return checkResult(value, execution, execution.output.tail(start));
  } catch (error) {
    if (signal.aborted) {
      await waitForEnd(call, execution);
      throw error;
    }
    const failure: Failure = isInstance(error, InvalidResultError)
      ? { reason: 'invalid-result', detail: error.message }
      : { reason: 'thrown', how: 'thrown', thrown: flattenThrown(error, execution.host.redactor) };
    return stepOutcome({ failure, tail: execution.output.tail(start) });
  }
}

/** Gives a module that was told to stop the grace to do so; one that goes on makes its thread unfit for reuse. */
async function waitForEnd(call: Promise<unknown>, execution: Execution): Promise<void> {
  const grace = delay(execution.assignment.limits.graceSeconds * 1000);
  const end = await Promise.race([call.then(settled, settled), grace.promise]);
  grace.cancel();
  if (end !== 'settled') execution.retire = 'its code did not stop when it was told to';
}

const settled = (): 'settled' => 'settled';

/** What this thread has loaded, by path: Node would give the same again, and take longer than a small function runs. */
const loaded = new Map<string, Record<string, unknown>>();

async function importFile(file: string, signal: AbortSignal): Promise<Record<string, unknown>> {
  // A pipe in its place would be waited for without end.
  closeSync(openRegular(file, { flags: constants.O_RDONLY }));
  const namespace: Record<string, unknown> = await orAbort(import(pathToFileURL(file).href), signal);
  loaded.set(file, namespace);
  return namespace;
}

async function load(
  step: ModuleStep,
  execution: Execution,
  signal: AbortSignal,
): Promise<UserFunction | Failure> {
  const file = execution.compiled[step.module] ?? step.module;
  let namespace = loaded.get(file);
  try {
    namespace ??= await importFile(file, signal);
  } catch (error) {
    if (signal.aborted) {
      execution.retire = 'a module was still loading';
      throw error;
    }
    return loadFailure(step.module, error, execution);
  }
  const found = namespace[step.export];
  if (isFunction(found)) return found;
  const available = Object.keys(namespace).filter((name) => typeof namespace[name] === 'function');
  return { reason: 'export-not-found', module: step.module, export: step.export, available };
}

const isFunction = (value: unknown): value is UserFunction => typeof value === 'function';

function loadFailure(module: string, error: unknown, { host }: Execution): Failure {
  if (!existsSync(module)) return { reason: 'module-not-found', module };
  const thrown = flattenThrown(error, host.redactor);
  const place = isInstance(error, SyntaxError) ? syntaxErrorPlace(module) : null;
  if (place !== null) thrown.stack = `${place}\n\n${thrown.stack ?? ''}`.trimEnd();
  return { reason: 'module-load-failed', module, thrown };
}

function checkResult(value: unknown, execution: Execution, tail: string): StepOutcome {
  if (value === undefined || value === null) return stepOutcome({ tail });
  const { output, filesModified, metrics } = readModuleResult(value);
  const json = serializeOutput(output, (text) => execution.warn(text));
  const { redactor } = execution.host;
  return stepOutcome({
    tail,
    output: json === null ? null : redactor.json(json),
    filesModified: redactor.fields(filesModified),
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [redactor.text(name), value])),
  });
}

/** Runs a module step: loads the module, calls its function, checks what it returns. */
import type { Failure } from '../../src/domain/failure.ts';
import type { ModuleStep } from '../../src/domain/workstream.ts';
import type { EarlyCall, Execution } from '../execution.ts';
import { loadedFunction, loadFunction } from '../modules/load-module.ts';
import { InvalidResultError } from '../modules/lossy-values.ts';
import { readModuleResult, serializeOutput } from '../modules/module-result.ts';
import { exitCodeFailure, takeExitCode } from '../thread/exit-code.ts';
import { clearTimeout, nextTurn, Promise, setTimeout } from '../thread/own-globals.ts';
import { orAbort, type StopSignal } from '../thread/stop-signal.ts';
import { flattenThrown, isInstance } from '../thread/thrown.ts';
import { createStepContext } from './step-context.ts';
import { type StepOutcome, stepOutcome } from './step-outcome.ts';

/** Rejects with the signal's reason when the execution or the step is stopped. */
export async function runModule(
  step: ModuleStep,
  execution: Execution,
  signal: StopSignal,
): Promise<StepOutcome> {
  const { early } = execution;
  // What was called early has printed nothing before.
  const start = early === null ? execution.output.size : 0;
  const found = loadedFunction(step, execution) ?? (await loadFunction(step, execution, signal));
  if (typeof found !== 'function') return stepOutcome({ failure: found });
  const call = (async () =>
    early === null
      ? found(
          step.input,
          createStepContext(execution, () => signal),
        )
      : resultOf(early))();
  try {
    const value = await orAbort(call, signal);
    // One turn of the event loop, in which rejections that nothing handles are reported.
    await nextTurn();
    signal.throwIfAborted();
    const exitCode = takeExitCode();
    if (exitCode !== 0) return stepOutcome({ failure: exitCodeFailure(step.module, exitCode, execution) });
    if (early !== null && 'checked' in early) return { ...early.checked, tail: execution.output.tail(start) };
    return checkResult(value, execution, execution.output.tail(start));
  } catch (error) {
    if (signal.aborted) {
      await waitForEnd(call, execution);
      throw error;
    }
    takeExitCode();
    const failure: Failure = isInstance(error, InvalidResultError)
      ? { reason: 'invalid-result', detail: error.message }
      : { reason: 'thrown', how: 'thrown', thrown: flattenThrown(error, execution.host.redactor) };
    return stepOutcome({ failure, tail: execution.output.tail(start) });
  }
}

/** As the call would have ended. */
function resultOf(early: EarlyCall): unknown {
  if ('threw' in early) throw early.threw;
  return 'returned' in early ? early.returned : undefined;
}

/** Waits up to the grace for a module to stop. If it does not, its thread is not fit for another execution. */
async function waitForEnd(call: Promise<unknown>, execution: Execution): Promise<void> {
  let grace: NodeJS.Timeout | undefined;
  // Without `Promise.race`, which iterates an array: its code may have changed how.
  const hasEnded = await new Promise<boolean>((resolve) => {
    grace = setTimeout(() => resolve(false), execution.assignment.limits.graceSeconds * 1000);
    const end = (): void => resolve(true);
    call.then(end, end);
  });
  clearTimeout(grace);
  if (!hasEnded) execution.retire = 'its code did not stop when it was told to';
}

/** @throws InvalidResultError for what can't be kept. */
export function checkResult(value: unknown, execution: Execution, tail: string): StepOutcome {
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

import type { Step } from '../../src/domain/workstream.ts';
import type { Execution } from '../execution.ts';
import { runCommand } from './command.ts';
import { runModule } from './module.ts';
import { type StepOutcome, stepOutcome } from './step-outcome.ts';

/** Runs a step of any kind. Rejects only when the signal is aborted. */
export async function runStep(step: Step, execution: Execution, signal: AbortSignal): Promise<StepOutcome> {
  switch (step.kind) {
    case 'module':
      return runModule(step, execution, signal);
    case 'run':
    case 'command':
      return runCommand(step, execution, signal);
    case 'tool':
      return stepOutcome({ failure: { reason: 'tool-not-found', tool: step.tool, program: null } });
  }
}

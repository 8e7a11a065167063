import type { Step } from '../../src/domain/workstream.ts';
import type { Execution } from '../execution.ts';
import type { StopSignal } from '../thread/stop-signal.ts';
import { runCommand } from './command.ts';
import { runModule } from './module.ts';
import type { StepOutcome } from './step-outcome.ts';
import { runTool } from './tool.ts';

/**
 * Runs a step of any kind. When the signal is aborted it rejects, or resolves with what the step had found out until
 * then; either way what the step ran has ended.
 */
export function runStep(step: Step, execution: Execution, signal: StopSignal): Promise<StepOutcome> {
  switch (step.kind) {
    case 'module':
      return runModule(step, execution, signal);
    case 'run':
    case 'command':
      return runCommand(step, execution, signal);
    case 'tool':
      return runTool(step, execution, signal);
  }
}

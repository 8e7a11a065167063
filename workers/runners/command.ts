import type { CommandStep, RunStep } from '../../src/domain/workstream.ts';
import type { Execution } from '../execution.ts';
import { shellCommand } from '../processes/command.ts';
import { runProcess } from '../processes/process.ts';
import type { StopSignal } from '../thread/stop-signal.ts';
import { type StepOutcome, stepOutcome } from './step-outcome.ts';

/** Runs a `run` step through the shell, or a `command` step without one. */
export async function runCommand(
  step: RunStep | CommandStep,
  execution: Execution,
  signal: StopSignal,
): Promise<StepOutcome> {
  const { workspace } = execution.assignment;
  const place = { cwd: step.cwd ?? workspace, env: step.env };
  if (step.kind === 'run') {
    const shell = step.shell ?? execution.assignment.shell;
    const command = { shown: step.run, ...shellCommand(step.run, shell), ...place };
    return stepOutcome(await runProcess(command, execution, signal));
  }
  const [file, ...args] = step.command;
  const command = { shown: step.command.join(' '), file, args, shell: false, ...place };
  return stepOutcome(await runProcess(command, execution, signal));
}

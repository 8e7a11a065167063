import type { CommandStep, RunStep } from '../../src/domain/workstream.ts';
import type { Execution } from '../execution.ts';
import { runProcess } from '../process.ts';
import { type StepOutcome, stepOutcome } from './step-outcome.ts';

/** Runs a `run` step through the shell, or a `command` step without one. */
export async function runCommand(
  step: RunStep | CommandStep,
  execution: Execution,
  signal: AbortSignal,
): Promise<StepOutcome> {
  const { workspace } = execution.assignment;
  const place = { cwd: step.cwd ?? workspace, env: step.env };
  if (step.kind === 'run') {
    const command = { shown: step.run, file: step.run, args: [], shell: true, ...place };
    return stepOutcome(await runProcess(command, execution, signal));
  }
  const [file, ...args] = step.command;
  const command = { shown: step.command.join(' '), file, args, shell: false, ...place };
  return stepOutcome(await runProcess(command, execution, signal));
}

import { containingOf } from '../../src/domain/policy/containing.ts';
import type { CommandStep, RunStep } from '../../src/domain/workstream.ts';
import type { Execution } from '../execution.ts';
import { type Command, shellCommand } from '../processes/command.ts';
import { contained } from '../processes/contained.ts';
import { runProcess } from '../processes/process.ts';
import type { StopSignal } from '../thread/stop-signal.ts';
import { type StepOutcome, stepOutcome } from './step-outcome.ts';

/** Runs a `run` step through the shell, or a `command` step without one. */
export async function runCommand(
  step: RunStep | CommandStep,
  execution: Execution,
  signal: StopSignal,
): Promise<StepOutcome> {
  const { env } = step;
  const command = commandOf(step, execution);
  const end = await contained(containingOf(step, {}), execution, { env }, (containment) =>
    runProcess({ ...command, containment }, execution, signal),
  );
  return stepOutcome('reason' in end ? { failure: end } : end);
}

function commandOf(step: RunStep | CommandStep, { assignment }: Execution): Omit<Command, 'containment'> {
  const place = { cwd: step.cwd ?? assignment.workspace, env: step.env };
  if (step.kind === 'run')
    return { shown: step.run, ...shellCommand(step.run, step.shell ?? assignment.shell), ...place };
  const [file, ...args] = step.command;
  return { shown: step.command.join(' '), file, args, shell: false, ...place };
}

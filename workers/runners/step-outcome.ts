import type { Outcome, StepResult } from '../../src/domain/outcome.ts';

/** The parts of a step's result and of the whole outcome that the runner of a step finds out. */
export type StepOutcome = Pick<StepResult, 'failure' | 'exitCode' | 'tail' | 'tool'> &
  Pick<Outcome, 'output' | 'filesModified' | 'metrics'>;

/** A step outcome with nothing in it but the given fields. */
export function stepOutcome({
  failure = null,
  exitCode = null,
  tail = '',
  output = null,
  filesModified = [],
  metrics = {},
  tool = null,
}: Partial<StepOutcome>): StepOutcome {
  return { failure, exitCode, tail, output, filesModified, metrics, tool };
}

import type { Failure } from '../../src/domain/failure.ts';
import type { ToolReport } from '../../src/domain/tool.ts';

/** What a runner found out about its step. */
export interface StepOutcome {
  failure: Failure | null;
  /** Exit code of the child process; null where there was none. */
  exitCode: number | null;
  /** The last of what the step printed. */
  tail: string;
  /** JSON text; null when the step gives no output. */
  output: string | null;
  filesModified: string[];
  metrics: Record<string, number>;
  /** What the tool of a tool step reported. */
  tool: ToolReport | null;
}

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

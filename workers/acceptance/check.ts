/** Runs the acceptance tests of a workstream, one after another. */
import type { TestResult } from '../../src/domain/outcome.ts';
import type { AcceptanceTest } from '../../src/domain/workstream.ts';
import { describeFailure } from '../../src/domain/failure-message.ts';
import { matrixVariables } from '../../src/domain/matrix-variables.ts';
import type { Execution } from '../execution.ts';
import { runProcess } from '../process.ts';
import { isCommand } from './classify.ts';

/** A test passes by exit code 0. A manual check is listed and never run. Stops early when the execution is stopped. */
export async function checkAcceptance(execution: Execution): Promise<TestResult[]> {
  const results: TestResult[] = [];
  for (const test of execution.assignment.workstream.acceptanceTests) {
    results.push(await checkOne(test, execution));
    if (execution.stopped !== null) break;
  }
  return results;
}

async function checkOne(test: AcceptanceTest, execution: Execution): Promise<TestResult> {
  const { workspace, workstream } = execution.assignment;
  const manual = test.kind === 'manual' || (test.kind === 'text' && !isCommand(test.text, workspace));
  if (manual) return { name: test.text, status: 'manual', durationSeconds: null, detail: '' };
  const start = performance.now();
  const failure = await failureOf(test.text, execution, matrixVariables(workstream.matrix));
  return {
    name: test.text,
    status: failure === null ? 'passed' : 'failed',
    durationSeconds: (performance.now() - start) / 1000,
    detail: failure ?? '',
  };
}

async function failureOf(
  line: string,
  execution: Execution,
  env: Record<string, string>,
): Promise<string | null> {
  const command = {
    shown: line,
    file: line,
    args: [],
    shell: true,
    cwd: execution.assignment.workspace,
    env,
  };
  try {
    const { failure } = await runProcess(command, execution, execution.signal);
    if (failure === null) return null;
    return failure.reason === 'exit-non-zero' ? `exit code ${failure.exitCode}` : describeFailure(failure);
  } catch (error) {
    if (!execution.signal.aborted) throw error;
    return 'it was stopped';
  }
}

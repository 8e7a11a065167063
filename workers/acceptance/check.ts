/** Runs the acceptance tests and the test gates of a workstream, one after another. */
import type { TestResult } from '../../src/domain/outcome.ts';
import type { AcceptanceCommand, AcceptanceTest, TestGate } from '../../src/domain/workstream.ts';
import type { Execution } from '../execution.ts';
import { isCommand } from './classify.ts';
import { NOTHING_KNOWN, runTest } from './run-test.ts';

/** A command to run, or what a person has to check. */
type AcceptanceCheck =
  | { kind: 'command'; command: AcceptanceCommand; name: string; blocking: boolean }
  | { kind: 'manual'; name: string; detail: string };

/**
 * A manual check is listed and never run. A test that fails or runs out of time does not keep the next from running;
 * only the end of the execution does.
 */
export async function checkAcceptance(execution: Execution): Promise<TestResult[]> {
  const { workstream, gates, workspace } = execution.assignment;
  const checks = [
    ...workstream.acceptanceTests.map((test) => acceptanceCheck(test, workspace)),
    ...workstream.testGates.flatMap((gate) => gateChecks(gate, gates[gate.type])),
  ];
  const results: TestResult[] = [];
  for (const [index, check] of checks.entries()) {
    results.push(await resultOf(check, index + 1, execution));
    if (execution.stopped !== null) break;
  }
  return results;
}

async function resultOf(check: AcceptanceCheck, position: number, execution: Execution): Promise<TestResult> {
  const { name } = check;
  if (check.kind === 'manual') return { ...NOTHING_KNOWN, name, status: 'manual', detail: check.detail };
  const result = await runTest(check.command, name, position, execution);
  if (result.status === 'failed' && !check.blocking) {
    execution.warn(`${name} failed, which does not block the workstream: ${result.detail}.`);
  }
  return { ...result, blocking: check.blocking };
}

function acceptanceCheck(test: AcceptanceTest, workspace: string): AcceptanceCheck {
  if (test.kind === 'run') {
    return { kind: 'command', command: test, name: test.name ?? test.text, blocking: true };
  }
  return test.kind === 'text' && isCommand(test.text, workspace)
    ? { kind: 'command', command: plainCommand(test.text), name: test.text, blocking: true }
    : { kind: 'manual', name: test.text, detail: '' };
}

/** Without a command a required gate is a manual check; one that is not required is left out. */
function gateChecks({ type, required, blocking }: TestGate, line: string | undefined): AcceptanceCheck[] {
  if (line !== undefined) return [{ kind: 'command', command: plainCommand(line), name: type, blocking }];
  const detail = 'No command is configured for it under `gates` in millrace.config.json.';
  return required ? [{ kind: 'manual', name: type, detail }] : [];
}

function plainCommand(text: string): AcceptanceCommand {
  return {
    kind: 'run',
    text,
    shell: null,
    name: null,
    timeoutSeconds: null,
    env: {},
    cwd: null,
    report: null,
  };
}

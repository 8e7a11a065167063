/** Workstreams and steps for tests, with every field that a test does not care about filled in. */
import type { Assignment } from '../../src/domain/assignment.ts';
import type { Json } from '../../src/domain/json.ts';
import type { TestResult } from '../../src/domain/outcome.ts';
import type { ToolSettings } from '../../src/domain/tool.ts';
import type {
  AcceptanceCommand,
  CommandStep,
  ModuleStep,
  RunStep,
  Step,
  ToolStep,
  Workstream,
} from '../../src/domain/workstream.ts';
import { emptyWorkstream } from '../../src/workstream/normalize.ts';

const step = { id: 'step-1', timeoutSeconds: null, env: {}, cwd: null, continueOnError: false };
const ofProcess = { ...step, sandbox: null, network: null };

export const runStep = (run: string, fields: Partial<RunStep> = {}): RunStep => ({
  ...ofProcess,
  kind: 'run',
  run,
  shell: null,
  ...fields,
});

export const commandStep = (
  command: [string, ...string[]],
  fields: Partial<CommandStep> = {},
): CommandStep => ({
  ...ofProcess,
  kind: 'command',
  command,
  ...fields,
});

export const moduleStep = (module: string, name = 'default', input: Json = null): ModuleStep => ({
  ...step,
  kind: 'module',
  module,
  export: name,
  input,
});

export const toolStep = (tool: string, tasks: string[] = [], fields: Partial<ToolStep> = {}): ToolStep => ({
  ...ofProcess,
  kind: 'tool',
  tool,
  tasks,
  ...fields,
});

/** A program of the configuration that succeeds with exit code 0. */
export const customTool = (
  command: [string, ...string[]],
  fields: Partial<ToolSettings> = {},
): ToolSettings => ({
  name: 'agent',
  adapter: 'custom',
  command,
  args: [],
  env: {},
  model: null,
  prompt: 'stdin',
  success: { exitCodes: [0], outputMatches: null, outputExcludes: null },
  exitGraceSeconds: 10,
  account: 'agent',
  fallback: [],
  limits: [],
  maxCostUsd: null,
  startsPerMinute: null,
  sandbox: null,
  network: null,
  ...fields,
});

/** An acceptance test that runs `text`. */
export const acceptanceCommand = (
  text: string,
  fields: Partial<AcceptanceCommand> = {},
): AcceptanceCommand => ({
  kind: 'run',
  text,
  shell: null,
  name: null,
  timeoutSeconds: null,
  env: {},
  cwd: null,
  report: null,
  ...fields,
});

/** How an acceptance test went that says nothing about cases. */
export const testResult = (
  name: string,
  status: TestResult['status'],
  fields: Partial<TestResult> = {},
): TestResult => ({
  name,
  status,
  blocking: true,
  durationSeconds: null,
  detail: '',
  logFile: null,
  format: null,
  counts: null,
  cases: [],
  ...fields,
});

export function workstream(id: string, steps: Step[], fields: Partial<Workstream> = {}): Workstream {
  return {
    ...emptyWorkstream(id, { file: `workstreams/${id}.json`, position: 0 }),
    title: `Title of ${id}`,
    steps,
    hash: `hash-of-${id}`,
    ...fields,
  };
}

let executions = 0;

/** An assignment that runs in `folder` and may take a minute. */
export function assignment(
  folder: string,
  definition: Workstream,
  fields: Partial<Assignment> = {},
): Assignment {
  executions += 1;
  return {
    executionId: executions,
    runId: 'ma-run-20260102-030405',
    agentId: 'agent-1',
    attempt: 1,
    workstream: definition,
    workspace: folder,
    dependencies: {},
    logFile: `${folder}/${definition.id}.log`,
    limits: { timeoutSeconds: 60, graceSeconds: 0.2, maxOutputMb: 20 },
    tools: {},
    gates: {},
    shell: 'sh',
    setup: null,
    previousFailure: null,
    session: null,
    budgets: [],
    ...fields,
  };
}

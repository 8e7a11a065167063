/** The tests of everything that is merged, and running them on a commit by an agent of the pool. */
import { type Assignment, type Limits, relativeToProject } from '../domain/assignment.ts';
import type { Engine } from '../domain/engine.ts';
import { describeFailure } from '../domain/failure-message.ts';
import type { Outcome } from '../domain/outcome.ts';
import { type Containing, NOT_SAID } from '../domain/policy/sandbox.ts';
import type { TestHold } from '../domain/run-lock.ts';
import type { ToolSettings } from '../domain/tool.ts';
import { isFailure, type MergedBranch } from '../domain/workspaces.ts';
import {
  type AcceptanceCommand,
  type AcceptanceTest,
  matrixVariables,
  type Shell,
  type Workstream,
} from '../domain/workstream.ts';
import type { AgentContext } from './attempt/attempt-runner.ts';

/** A test of what is merged: equal commands of several workstreams are one. */
export interface MergedTest {
  /** The command and all that it depends on. */
  key: string;
  name: string;
  test: AcceptanceTest;
  /** Ids of the workstreams whose acceptance test it is. */
  owners: string[];
  /** Whether `merge_tests` of the configuration have it. */
  isConfigured: boolean;
}

/** A test that failed, or, without a test, what kept tests from being run, such as the setup. */
export interface FailedTest {
  key: string;
  name: string;
  test: MergedTest | null;
  logFile: string | null;
}

/** What running tests on one commit has shown. */
export interface TestRun {
  /** Keys of those that passed. */
  passed: ReadonlySet<string>;
  failed: FailedTest[];
}

/** The use of an agent for something that is no workstream. */
export interface AgentLease {
  context: AgentContext;
  release(): void;
}

/** Resolves with an agent when one is free and what the tests hold is too; null when the run is over. */
export type LeaseAgent = (hold: TestHold) => Promise<AgentLease | null>;

export interface MergedTestsParts {
  runId: string;
  engine: Engine;
  limits: Limits;
  /** Absolute folder of the project. */
  project: string;
  /** Folder for the output of the tests, as assignments carry it. */
  logFolder: string;
  shell: Shell;
  /** The command of each gate. */
  gates: Record<string, string>;
  /** Tests of the configuration. */
  configured: readonly AcceptanceCommand[];
  /** Returns a workstream that has an id and no steps, and every default. */
  emptyWorkstream: (id: string) => Workstream;
  /** Workstreams that may have been merged, with their definitions. */
  defined: readonly Workstream[];
  /** How the tools of a workstream are called, by the names that its steps use. */
  toolsOf: (workstream: Workstream) => Record<string, ToolSettings>;
  lease: LeaseAgent;
}

/** The run was interrupted before the tests had ended, so that they show nothing. */
export class TestsInterrupted extends Error {
  override name = 'TestsInterrupted';
}

export class MergedTests {
  readonly #parts: MergedTestsParts;
  readonly #defined: ReadonlyMap<string, Workstream>;
  /** How often tests were run. */
  #runs = 0;

  constructor(parts: MergedTestsParts) {
    this.#parts = parts;
    this.#defined = new Map(parts.defined.map((workstream) => [workstream.id, workstream]));
  }

  /** The tests of these workstreams in their order, then those of the configuration. */
  of(ids: Iterable<string>): MergedTest[] {
    const found = new Map<string, MergedTest>();
    for (const id of new Set(ids)) {
      const workstream = this.#defined.get(id);
      if (workstream === undefined) continue;
      for (const test of this.#blockingTests(workstream)) addTest(found, test).owners.push(id);
    }
    for (const test of this.#parts.configured) addTest(found, test).isConfigured = true;
    return [...found.values()];
  }

  /** Manual checks are not run, and what does not block the workstream does not block its merge. */
  #blockingTests({ acceptanceTests, testGates, matrix }: Workstream): AcceptanceTest[] {
    const { gates } = this.#parts;
    const variables = matrixVariables(matrix);
    return [
      ...acceptanceTests.flatMap((test): AcceptanceTest[] => {
        if (test.kind === 'run') return [{ ...test, env: { ...variables, ...test.env } }];
        return test.kind === 'text' ? [test] : [];
      }),
      ...testGates.flatMap(({ type, blocking }) => {
        const line = gates[type];
        if (line === undefined || !blocking) return [];
        const test: AcceptanceCommand = { ...PLAIN, text: line, name: type };
        return [test];
      }),
    ];
  }

  /**
   * Runs tests one after another in a fresh worktree at `commit`, of which nothing is kept.
   * @throws TestsInterrupted; Error where there can be no worktree.
   */
  async run(branch: MergedBranch, commit: string, tests: readonly MergedTest[]): Promise<TestRun> {
    const lease = await this.#parts.lease(this.#holdOf(tests));
    if (lease === null) throw new TestsInterrupted();
    try {
      return await this.#runWith(lease.context, branch, commit, tests);
    } finally {
      lease.release();
    }
  }

  /** What the workstreams hold whose tests these are. */
  #holdOf(tests: readonly MergedTest[]): TestHold {
    const ids = new Set(tests.flatMap(({ owners }) => owners));
    const owners = [...ids].flatMap((id) => this.#defined.get(id) ?? []);
    const groups = owners.flatMap(({ conflictGroup }) => conflictGroup ?? []);
    return {
      alone: owners.some(({ parallelOk }) => !parallelOk),
      conflictGroups: [...new Set(groups)].toSorted(),
    };
  }

  async #runWith(
    context: AgentContext,
    branch: MergedBranch,
    commit: string,
    tests: readonly MergedTest[],
  ): Promise<TestRun> {
    const { engine, limits } = this.#parts;
    const { signal, agentId, onMessage } = context;
    this.#runs += 1;
    const number = this.#runs;
    const within = { seconds: limits.timeoutSeconds, signal };
    const workspace = await branch.checkOut(commit, number, agentId, within);
    if (signal.aborted) throw new TestsInterrupted();
    if (isFailure(workspace)) throw new Error(describeFailure(workspace));
    try {
      const assignment = this.#assignment(agentId, number, workspace, tests);
      const outcome = await engine.execute(assignment, {
        signal,
        onMessage: (message) => {
          if (message.type === 'replaced') onMessage(assignment.workstream.id, message);
        },
      });
      if (signal.aborted && outcome.failure !== null) throw new TestsInterrupted();
      return resultOf(outcome, tests);
    } finally {
      await branch.release(workspace);
    }
  }

  /** What tests run may have been written by any of the workstreams: they are contained as the first that is contained. */
  #containing(): Containing {
    for (const workstream of this.#defined.values()) {
      const tools = this.#parts.toolsOf(workstream);
      const all = [workstream, ...workstream.steps, ...Object.values(tools)];
      for (const each of all) {
        if (!('sandbox' in each) || each.sandbox === null || each.sandbox.kind === 'none') continue;
        return { sandbox: each.sandbox, network: each.network };
      }
    }
    return NOT_SAID;
  }

  #assignment(
    agentId: string,
    number: number,
    { folder, setup }: { folder: string; setup: string | null },
    tests: readonly MergedTest[],
  ): Assignment {
    const { runId, limits, project, logFolder, shell, emptyWorkstream } = this.#parts;
    const workstream: Workstream = {
      ...emptyWorkstream(MERGED_NAME),
      title: 'Tests of what is merged',
      acceptanceTests: tests.map(({ test }) => test),
      workspace: 'worktree',
      ...this.#containing(),
    };
    return {
      executionId: MERGED_EXECUTIONS + number,
      runId,
      agentId,
      attempt: number,
      workstream,
      workspace: relativeToProject(folder, project),
      dependencies: {},
      logFile: `${logFolder}/${MERGED_NAME}-${number}.log`,
      limits,
      tools: {},
      gates: {},
      shell,
      setup,
      previousFailure: null,
      budgets: [],
      session: null,
    };
  }
}

/** What children find in MILLRACE_WORKSTREAM_ID; no workstream's id has a `_`. */
const MERGED_NAME = '_merged';

/** Executions of workstreams are counted from 1, and no run gets that far: each id is used once. */
const MERGED_EXECUTIONS = 2 ** 40;

const PLAIN: Omit<AcceptanceCommand, 'text'> = {
  kind: 'run',
  shell: null,
  name: null,
  timeoutSeconds: null,
  env: {},
  cwd: null,
  report: null,
};

function addTest(found: Map<string, MergedTest>, test: AcceptanceTest): MergedTest {
  const { shell, env, cwd, report } = test.kind === 'run' ? test : PLAIN;
  const key = JSON.stringify([test.text, shell, env, cwd, report]);
  const before = found.get(key);
  if (before !== undefined) {
    // Whether a line of text is a command is decided where it runs; an object leaves no doubt.
    if (before.test.kind === 'text') before.test = test;
    return before;
  }
  const name = test.kind === 'run' ? (test.name ?? test.text) : test.text;
  const added: MergedTest = { key, name, test, owners: [], isConfigured: false };
  found.set(key, added);
  return added;
}

function resultOf({ tests: results, failure }: Outcome, tests: readonly MergedTest[]): TestRun {
  const passed = new Set<string>();
  const failed: FailedTest[] = [];
  for (const [index, { status, logFile }] of results.entries()) {
    const test = tests[index];
    if (test === undefined) throw new Error('there are results of more tests than were run');
    if (status === 'passed') passed.add(test.key);
    if (status === 'failed') failed.push({ key: test.key, name: test.name, test, logFile });
  }
  if (failed.length > 0 || failure === null) return { passed, failed };
  // What ended the execution while a test ran is that test's: it is among those that have no result.
  const test = tests[results.length] ?? null;
  const isSetup = failure.reason === 'setup-failed';
  const name = isSetup ? `setup: ${failure.command}` : (test?.name ?? describeFailure(failure));
  const log = 'log' in failure && typeof failure.log === 'string' ? failure.log : null;
  const key = isSetup || test === null ? `${failure.reason} of the tests` : test.key;
  return { passed, failed: [{ key, name, test: isSetup ? null : test, logFile: log }] };
}

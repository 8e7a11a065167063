/** One run from its first row to its report: wires the parts, drives them, and cleans up. */
import type { RunListener } from '../domain/run-event.ts';
import { ThreadEngine } from '../engine/threads.ts';
import { ReadyQueue } from '../plan/ready.ts';
import { Coordinator } from '../run/coordinator.ts';
import type { Interruption } from '../run/interruption.ts';
import { Journal } from '../run/journal.ts';
import { firstFreeRunId, makeRunId } from '../run/run-id.ts';
import { Workplaces } from '../run/workplaces.ts';
import { WorkstreamRunner } from '../run/workstream-runner.ts';
import type { Connection } from '../store/connection.ts';
import { openDatabase } from '../store/database.ts';
import { outputsOf } from '../store/outputs.ts';
import { SqliteRecorder } from '../store/recorder.ts';
import { conclude } from './conclude.ts';
import { LazyWorkspaces } from './workspaces.ts';
import type { RunOptions } from './options.ts';
import type { Paths } from './paths.ts';
import type { Prepared } from './prepare.ts';
import { makeFolder, makeStateFolder } from './folders.ts';
import { makeRoster, type Roster } from './roster.ts';
import type { RunResult } from './run-result.ts';

export interface SessionInput {
  options: RunOptions;
  paths: Paths;
  prepared: Prepared;
  listeners: readonly RunListener[];
}

/** Makes everything a run needs; nothing is executed before `run`. */
export class RunSession {
  readonly runId: string;
  readonly #input: SessionInput;
  readonly #startedAt: Date;
  readonly #connection: Connection;
  readonly #recorder: SqliteRecorder;
  readonly #roster: Roster;
  readonly #engine: ThreadEngine;
  readonly #journal: Journal;
  readonly #coordinator: Coordinator;

  /** @throws StoreError when the database can't be used. */
  constructor(input: SessionInput) {
    const { options, paths, prepared, listeners } = input;
    this.#input = input;
    this.#roster = makeRoster(options, prepared.plan.workstreams);
    makeStateFolder(paths.state);
    this.#startedAt = new Date();
    this.#connection = openDatabase(paths.database);
    this.#recorder = new SqliteRecorder(this.#connection);
    const at = this.#startedAt.toISOString();
    this.runId = firstFreeRunId(makeRunId(this.#startedAt), (id) => !this.#recorder.claim(id, at));
    this.#journal = new Journal(this.#recorder, listeners, (error) => this.#coordinator.fail(error));
    this.#engine = new ThreadEngine({
      agents: this.#roster.names.length,
      memoryMb: options.agentMemoryMb,
      logLevel: options.logLevel,
      cacheFolder: paths.cache,
      onLate: (workstreamId, text) =>
        this.#journal.publish({ type: 'notice', level: 'warn', text, workstreamId }),
    });
    this.#coordinator = this.#createCoordinator();
  }

  /** Runs to the end, or to the interruption, and reports. @throws StoreError when results can't be kept. */
  async run(): Promise<RunResult> {
    const { paths } = this.#input;
    try {
      makeFolder(paths.logs(this.runId));
      await this.#announce();
      await this.#coordinator.run();
      const end = { lastResultAt: new Date(), interruption: this.#coordinator.interruption };
      await this.#engine.close();
      return await this.#conclude(end);
    } finally {
      await this.#engine.close();
      // What could not be kept a moment ago may be kept now.
      await this.#journal.close();
      this.#recorder.close();
      this.#connection.close();
    }
  }

  interrupt(by: string): void {
    this.#coordinator.interrupt({ by, detail: `the run was ended by ${by}` });
  }

  /** Ends all threads and what they started, now. */
  async abandon(): Promise<void> {
    await this.#engine.close();
  }

  #createCoordinator(): Coordinator {
    const { options, prepared } = this.#input;
    const { names, tracks } = this.#roster;
    return new Coordinator({
      runId: this.runId,
      plan: prepared.plan,
      agents: names,
      runner: this.#createRunner(),
      ready: new ReadyQueue(prepared.plan.workstreams, {
        agents: names.length,
        distribution: options.distribution,
        tracks,
      }),
      journal: this.#journal,
      outside: prepared.outside,
      ask: options.ask,
    });
  }

  #createRunner(): WorkstreamRunner {
    const { options, paths } = this.#input;
    const { timeoutSeconds, graceSeconds, maxOutputMb, project } = options;
    return new WorkstreamRunner({
      runId: this.runId,
      engine: this.#engine,
      workplaces: new Workplaces({
        workspaces: new LazyWorkspaces({ paths, runId: this.runId, ...project.worktree }),
        folder: paths.cwd,
        merge: options.merge === 'run',
      }),
      limits: { timeoutSeconds, graceSeconds, maxOutputMb },
      logFolder: paths.logs(this.runId),
      outputsOf: (ids) => outputsOf(this.#connection, this.runId, ids),
      toolsOf: this.#roster.toolsOf,
      gates: project.gates,
      bestOf: options.bestOf,
      outsideScope: options.outsideScope,
      maxCostUsd: options.maxCostUsd,
      toolCircuit: options.toolCircuit,
    });
  }

  async #announce(): Promise<void> {
    const { plan } = this.#input.prepared;
    this.#journal.publish({
      type: 'run-started',
      runId: this.runId,
      at: this.#startedAt.toISOString(),
      agents: this.#roster.names,
      total: plan.workstreams.length + plan.broken.length,
      workstreams: plan.workstreams,
      expectedSeconds: plan.known === 0 ? null : plan.expectedSeconds.reduce((sum, value) => sum + value, 0),
    });
    await this.#journal.flush();
  }

  async #conclude({ lastResultAt, interruption }: RunEndpoint): Promise<RunResult> {
    const { options, paths } = this.#input;
    const wallSeconds = (lastResultAt.getTime() - this.#startedAt.getTime()) / 1000;
    const result = conclude({
      runId: this.runId,
      connection: this.#connection,
      recorder: this.#recorder,
      paths,
      distribution: options.distribution,
      agents: this.#roster.names.length,
      interruption,
      speed: this.#coordinator.meter.speed(wallSeconds, this.#roster.names.length),
    });
    this.#journal.publish({
      type: 'run-ended',
      runId: this.runId,
      at: new Date().toISOString(),
      exitCode: result.exitCode,
      totals: result.consolidated.run.totals,
      report: result.reportPath,
      database: result.databasePath,
    });
    await this.#journal.flush();
    return result;
  }
}

/** How the last workstream left the run. A signal that comes later changes nothing any more. */
interface RunEndpoint {
  lastResultAt: Date;
  interruption: Interruption | null;
}

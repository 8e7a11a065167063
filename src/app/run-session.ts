/** One run from its first row to its report: wires the parts, drives them, and cleans up. */
import { mkdirSync } from 'node:fs';
import type { RunListener } from '../domain/run-event.ts';
import { ThreadEngine } from '../engine/threads.ts';
import { ReadyQueue } from '../plan/ready.ts';
import { Coordinator, type Interruption } from '../run/coordinator.ts';
import { Journal } from '../run/journal.ts';
import { firstFreeRunId, makeRunId } from '../run/run-id.ts';
import type { Connection } from '../store/connection.ts';
import { openDatabase } from '../store/database.ts';
import { outputsOf } from '../store/outputs.ts';
import { SqliteRecorder } from '../store/recorder.ts';
import { conclude } from './conclude.ts';
import type { RunOptions } from './options.ts';
import type { Paths } from './paths.ts';
import type { Prepared } from './prepare.ts';
import { Refusal } from './refusal.ts';
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
  readonly #agents: string[];
  readonly #engine: ThreadEngine;
  readonly #journal: Journal;
  readonly #coordinator: Coordinator;

  /** @throws StoreError when the database can't be used. */
  constructor(input: SessionInput) {
    const { options, paths, prepared, listeners } = input;
    this.#input = input;
    this.#startedAt = new Date();
    this.#connection = openDatabase(paths.database);
    this.#recorder = new SqliteRecorder(this.#connection);
    const at = this.#startedAt.toISOString();
    this.runId = firstFreeRunId(makeRunId(this.#startedAt), (id) => !this.#recorder.claim(id, at));
    this.#agents = agentNames(options, prepared.plan.workstreams.length);
    this.#journal = new Journal(this.#recorder, listeners, (error) => this.#coordinator.fail(error));
    this.#engine = new ThreadEngine({
      agents: this.#agents.length,
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
    const { options, paths, prepared } = this.#input;
    const { timeoutSeconds, graceSeconds, maxOutputMb } = options;
    const agents = this.#agents;
    return new Coordinator({
      runId: this.runId,
      plan: prepared.plan,
      agents,
      engine: this.#engine,
      ready: new ReadyQueue(prepared.plan.workstreams, {
        agents: agents.length,
        distribution: options.distribution,
      }),
      journal: this.#journal,
      limits: { timeoutSeconds, graceSeconds, maxOutputMb },
      workspace: paths.cwd,
      logFolder: paths.logs(this.runId),
      outside: prepared.outside,
      outputsOf: (ids) => outputsOf(this.#connection, this.runId, ids),
      ask: options.ask,
    });
  }

  async #announce(): Promise<void> {
    const { plan } = this.#input.prepared;
    this.#journal.publish({
      type: 'run-started',
      runId: this.runId,
      at: this.#startedAt.toISOString(),
      agents: this.#agents,
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
      agents: this.#agents.length,
      interruption,
      speed: this.#coordinator.meter.speed(wallSeconds, this.#agents.length),
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

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new Refusal(
      3,
      `The folder ${path} can't be made: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}

/** No more agents than workstreams, and one when a person is asked about each. */
function agentNames(options: RunOptions, workstreams: number): string[] {
  const wanted = options.ask === null ? options.agentsCount : 1;
  const count = Math.max(1, Math.min(wanted, workstreams));
  return Array.from({ length: count }, (_, index) => `agent-${index + 1}`);
}

/** One run from its first row to its report: wires the parts, drives them, and cleans up. */
import type { ScalableEngine } from '../domain/engine.ts';
import type { RunListener } from '../domain/run-event.ts';
import type { LoadSource } from '../domain/scaling.ts';
import type { Inheritance } from '../domain/earlier-run.ts';
import { ReadyQueue } from '../plan/ready-queue.ts';
import { Coordinator } from '../run/coordinator.ts';
import { Journal } from '../run/journal.ts';
import { mostAgents } from '../store/write/agent-counts.ts';
import { LoadMeter } from '../scaling/load-meter.ts';
import type { RunGate } from '../run/run-gate.ts';
import type { Scaler } from '../scaling/scaler.ts';
import { firstFreeRunId, makeRunId } from '../run/run-id.ts';
import { outputsOf } from '../store/read/outputs.ts';
import { FallbackRecorder } from '../store/write/fallback-recorder.ts';
import { SqliteRecorder } from '../store/write/recorder.ts';
import { RunDatabase } from '../store/write/run-database.ts';
import { conclude } from './conclude.ts';
import { createGate } from './create-gate.ts';
import { createEngine } from './create-engine.ts';
import { createScaler } from './create-scaler.ts';
import { createRunner } from './create-runner.ts';
import { LazyGitWorkspaces } from './lazy-workspaces.ts';
import { type RunOptions, storedOptions } from './options.ts';
import { type Paths, makeFolder, makeStateFolder, remakeStateFolder } from './paths.ts';
import { type Prepared, inherit, expectedSecondsOf, resumedOf, workstreamsToRun } from './prepare.ts';
import { endLeftAtEnd, pickUpLeft } from './resume/leftovers.ts';
import { makeRoster, type Roster } from './agent-names.ts';
import { Refusal } from './refusal.ts';
import { runEnded, type RunResult } from './run-document.ts';
import type { Redactor } from '../secrets/redactor.ts';
import { startTimer, secondsSince } from '../os/stopwatch.ts';

type ResumedSession = NonNullable<Prepared['resumed']>;

export interface SessionInput {
  options: RunOptions;
  paths: Paths;
  prepared: Prepared;
  redactor: Redactor;
  listeners: readonly RunListener[];
  /** What the number of agents follows where it is `auto`; measured by default. */
  load?: LoadSource;
}

/** Makes everything a run needs; nothing is executed before `run`. */
export class RunSession {
  readonly runId: string;
  readonly #input: SessionInput;
  readonly #begin = startTimer();
  readonly #database: RunDatabase;
  readonly #recorder: FallbackRecorder;
  readonly #roster: Roster;
  readonly #workspaces: LazyGitWorkspaces;
  readonly #engine: ScalableEngine;
  readonly #journal: Journal;
  readonly #gate: RunGate;
  readonly #coordinator: Coordinator;
  /** Null where the number of agents stays. */
  readonly #scaler: Scaler | null;

  /** @throws StoreError when the database can't be used, Refusal when another process has the run. */
  constructor(input: SessionInput) {
    const { options, paths, prepared, redactor, listeners } = input;
    this.#input = input;
    const load = input.load ?? new LoadMeter();
    this.#roster = makeRoster(options, workstreamsToRun(prepared), load.cores);
    makeStateFolder(paths.state);
    this.#database = new RunDatabase(paths.database, {
      runId: () => this.runId,
      makeFolder: () => remakeStateFolder(paths.state),
    });
    const recorder = new SqliteRecorder(this.#database.connection);
    this.runId = prepared.resumed === null ? this.#claim(recorder) : this.#reopen(recorder, prepared.resumed);
    this.#recorder = this.#endure(recorder);
    const { retryOf } = prepared;
    this.#workspaces = new LazyGitWorkspaces({
      paths,
      runId: this.runId,
      isResumed: prepared.resumed !== null,
      retryOf,
      ...options.project.worktree,
    });
    const onBroken = (error: unknown): void => this.#coordinator.fail(error);
    this.#journal = new Journal({ recorder: this.#recorder, listeners, redactor, onBroken });
    this.#engine = createEngine({
      options,
      paths,
      redactor,
      agents: this.#roster.names.length,
      workstreams: prepared.plan.workstreams,
      onLate: (workstreamId, text) =>
        this.#journal.publish({ type: 'notice', level: 'warn', text, workstreamId }),
    });
    this.#gate = createGate({
      runId: this.runId,
      plan: prepared.plan,
      paths,
      database: this.#database,
      graceSeconds: options.graceSeconds,
      publish: (event) => this.#journal.publish(event),
      onFree: () => this.#coordinator.retry(),
    });
    this.#coordinator = this.#createCoordinator(inherit(prepared, this.runId, this.#database.connection));
    this.#scaler = createScaler({
      scaling: this.#roster.scaling,
      load,
      coordinator: this.#coordinator,
      engine: this.#engine,
      journal: this.#journal,
    });
  }

  /** ISO 8601 in UTC. */
  #startedAt(): string {
    return new Date(this.#begin.at).toISOString();
  }

  #endure(recorder: SqliteRecorder): FallbackRecorder {
    return new FallbackRecorder({
      recorder,
      database: this.#database,
      runId: this.runId,
      tell: (level, text) => this.#notice(level, text),
      fail: (error) => this.#coordinator.fail(error),
    });
  }

  #claim(recorder: SqliteRecorder): string {
    const { options, prepared } = this.#input;
    const at = this.#startedAt();
    const origin = { options: storedOptions(options), retryOf: prepared.retryOf };
    return firstFreeRunId(makeRunId(new Date(this.#begin.at)), (id) => !recorder.claim(id, at, origin));
  }

  #reopen(recorder: SqliteRecorder, { run, resumption }: ResumedSession): string {
    const { runId, resumedAt } = run;
    const { discarded } = resumption;
    const options = storedOptions(this.#input.options);
    if (recorder.reopen({ runId, resumedAt, discarded, options })) return runId;
    recorder.close();
    this.#database.close();
    throw new Refusal(2, `The run ${runId} has just been resumed by another process.`);
  }

  /** Runs to the end, or to the interruption, and reports. @throws StoreError when results can't be kept. */
  async run(): Promise<RunResult> {
    let recordProblem: string | null = null;
    let result: RunResult;
    try {
      result = await this.#runAll();
    } finally {
      recordProblem = await this.#close();
    }
    return recordProblem === null ? result : { ...result, exitCode: 3, recordProblem };
  }

  async #runAll(): Promise<RunResult> {
    const { options, paths } = this.#input;
    makeFolder(paths.logs(this.runId));
    await this.#announce();
    await this.#pickUp();
    this.#scaler?.begin();
    await this.#coordinator.run();
    this.#scaler?.end();
    const end = { lastSeconds: secondsSince(this.#begin), interruption: this.#coordinator.interruption };
    await this.#engine.close();
    for (const text of await endLeftAtEnd(this.runId, options.graceSeconds)) this.#notice('warn', text);
    return this.#conclude(end);
  }

  /** Returns why the database does not have what was announced, in a sentence for a person; null where it has. */
  async #close(): Promise<string | null> {
    this.#scaler?.end();
    await this.#engine.close();
    this.#gate.close();
    this.#database.prepareToClose();
    // What could not be kept a moment ago may be kept now.
    const error = await this.#journal.close();
    this.#recorder.close();
    const difference = this.#database.close();
    return error === null ? difference : error.message;
  }

  interrupt(by: string): void {
    this.#coordinator.interrupt({ by, detail: `the run was ended by ${by}` });
  }

  /** Ends all threads and what they started, now. */
  async abandon(): Promise<void> {
    await this.#engine.close();
  }

  #createCoordinator(inheritance: Inheritance): Coordinator {
    const { options, paths, prepared } = this.#input;
    const { names, tracks } = this.#roster;
    return new Coordinator({
      runId: this.runId,
      plan: prepared.plan,
      agents: names,
      runner: createRunner({
        runId: this.runId,
        options,
        paths,
        engine: this.#engine,
        roster: this.#roster,
        workspaces: this.#workspaces,
        inheritance,
        outputsOf: (ids) => ({
          ...outputsOf(this.#database.connection, this.runId, ids, prepared.retryOf),
          ...this.#recorder.outputsAside(ids),
        }),
      }),
      ready: new ReadyQueue(prepared.plan.workstreams, {
        agents: this.#roster.scaling?.policy.max ?? names.length,
        distribution: options.distribution,
        tracks,
        gate: this.#gate,
      }),
      journal: this.#journal,
      gate: this.#gate,
      outside: prepared.outside,
      inheritance,
      ask: options.ask,
      // Whoever ends this process as well is to be known.
      commitStarts: prepared.resumed?.afterDeath ?? false,
    });
  }

  async #announce(): Promise<void> {
    const { plan, resumed, notices } = this.#input.prepared;
    this.#journal.publish({
      type: 'run-started',
      runId: this.runId,
      at: this.#startedAt(),
      agents: this.#roster.names,
      total: resumed?.resumption.total ?? plan.workstreams.length + plan.broken.length,
      workstreams: workstreamsToRun(this.#input.prepared),
      resumed: resumed === null ? null : resumedOf(resumed),
      expectedSeconds: plan.known === 0 ? null : expectedSecondsOf(this.#input.prepared),
    });
    for (const text of notices) this.#notice('warn', text);
    await this.#journal.flush();
  }

  async #pickUp(): Promise<void> {
    const { paths, prepared, redactor } = this.#input;
    if (prepared.resumed === null) return;
    const { kept } = prepared.resumed.resumption.inheritance;
    const left = { logs: paths.logs(this.runId), kept, redactor, workspaces: this.#workspaces };
    for await (const { level, text } of pickUpLeft(left)) this.#notice(level, text);
  }

  #notice(level: 'info' | 'warn' | 'error', text: string): void {
    this.#journal.publish({ type: 'notice', level, text, workstreamId: null });
  }

  async #conclude({ lastSeconds, interruption }: RunEndpoint): Promise<RunResult> {
    const { options, paths, prepared } = this.#input;
    const earlier = prepared.resumed?.run ?? null;
    const wallSeconds = (earlier?.workedSeconds ?? 0) + lastSeconds;
    // Everything that follows is read back from the database.
    this.#recorder.settle();
    const agents = Math.max(
      this.#roster.names.length,
      mostAgents(this.#database.connection, this.runId) ?? 0,
    );
    const result = conclude({
      runId: this.runId,
      database: this.#database,
      recorder: this.#recorder,
      paths,
      distribution: options.distribution,
      agents,
      interruption,
      isPartial: this.#coordinator.haveLeft || (prepared.resumed?.resumption.isPartial ?? false),
      sessions: (earlier?.sessions ?? 0) + 1,
      waitedForRuns: this.#gate.waited,
      speed: this.#coordinator.meter.speed(wallSeconds, agents),
    });
    this.#journal.publish(runEnded(result));
    await this.#journal.flush();
    return result;
  }
}

/** How the last workstream left the run. A signal that comes later changes nothing any more. */
interface RunEndpoint extends Pick<Coordinator, 'interruption'> {
  /** From the start to the last result. */
  lastSeconds: number;
}

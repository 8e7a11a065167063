/** One run from its first row to its report: drives the parts, and cleans up. */
import { ControlServer } from '../control/server.ts';
import type { RunResources } from '../domain/run-record.ts';
import { secondsSince } from '../os/stopwatch.ts';
import { MAX_TIME } from '../run/attempt/outcome.ts';
import type { Coordinator } from '../run/coordinator.ts';
import { mostAgents } from '../store/write/agent-counts.ts';
import { seconds } from '../text/format.ts';
import { readCheckout } from '../worktree/repository.ts';
import { composeRun, type RunInput, type RunParts } from './compose/compose-run.ts';
import type * as Conclude from './conclude.ts';
import { ControlRequests } from './control-requests.ts';
import { makeFolder } from './paths.ts';
import { expectedSecondsOf, resumedOf, totalOf, workstreamsToRun } from './prepare.ts';
import { endRemainingAtEnd } from './remaining-processes.ts';
import type { RunReserving } from './reserving.ts';
import { pickUpLeft } from './resume/leftovers.ts';
import { type RunResult, runEnded } from './run-document.ts';

/** How long the end of a run waits for git, in milliseconds. */
const CHECKOUT_MS = 500;

export class RunSession {
  readonly #input: RunInput;
  readonly #parts: RunParts;
  /** Takes requests while the run is under way; null where there is no place for its socket. */
  readonly #control: ControlServer | null;

  /**
   * Claims the run; nothing is executed before `run`.
   * @throws StoreError when the database can't be used, Refusal when another process has the run.
   */
  constructor(input: RunInput) {
    this.#input = input;
    this.#parts = composeRun(input);
    this.#control = this.#controlServer();
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

  /** Lets what is running stop, and `run` end with the rest skipped. */
  interrupt(by: string): void {
    this.#parts.coordinator.interrupt({ by, detail: `the run was ended by ${by}` });
  }

  /** Ends all threads and what they started, now. */
  async abandon(): Promise<void> {
    await this.#parts.agents.engine.close();
  }

  async #runAll(): Promise<RunResult> {
    const { options, paths } = this.#input;
    const { runId, begin, notices, agents, coordinator, scaler } = this.#parts;
    makeFolder(paths.logs(runId));
    await this.#announce();
    void this.#takeRequests();
    const noteCheckout = this.#noteCheckout();
    await this.#pickUp();
    scaler?.begin();
    const stopClock = this.#startClock();
    // Loaded while the first threads start, when there is nothing else to do.
    const [, { conclude }] = await Promise.all([coordinator.run(), import('./conclude.ts')]);
    stopClock();
    this.#control?.close();
    scaler?.end();
    const { interruption, unawaited } = coordinator;
    const end = { lastSeconds: secondsSince(begin), interruption, unawaited };
    await agents.engine.close();
    for (const text of await endRemainingAtEnd(runId, options.graceSeconds)) notices.add('warn', text);
    await noteCheckout();
    return this.#conclude(end, conclude);
  }

  #controlServer(): ControlServer | null {
    const { runId, place, coordinator, journal, notices } = this.#parts;
    if (place === null) return null;
    const requests = new ControlRequests({
      runId,
      plan: this.#input.prepared.plan,
      coordinator,
      flush: () => journal.flush(),
      interrupt: (by) => this.interrupt(by),
      notify: (text) => notices.add('warn', text),
    });
    return new ControlServer({ place, handle: (request) => requests.handle(request) });
  }

  /** A run that can't be acted on goes on all the same. */
  async #takeRequests(): Promise<void> {
    const why = this.#control === null ? 'no folder for its socket can be made' : await this.#control.open();
    if (why === null) return;
    this.#parts.notices.add('warn', `millrace stop and millrace retry can't reach this run: ${why}`);
  }

  /** Ends the run at its time. The processes of a run that died have used some of it. Returns what stops the clock. */
  #startClock(): () => void {
    const { options, prepared } = this.#input;
    const { maxTime } = options;
    if (maxTime === null) return () => undefined;
    const { afterDeath = false, run } = prepared.resumed ?? {};
    const passed = secondsSince(this.#parts.begin) + (afterDeath ? (run?.workedSeconds ?? 0) : 0);
    const detail = `it reached its --max-time of ${seconds(maxTime)}`;
    const end = (): void => this.#parts.coordinator.interrupt({ by: MAX_TIME, detail });
    const timer = setTimeout(end, Math.max(0, maxTime - passed) * 1000);
    return () => clearTimeout(timer);
  }

  /** Returns why the database does not have what was announced, in a sentence for a person; null where it has. */
  async #close(): Promise<string | null> {
    const { scaler, agents, cache, gate, database, journal, recorder } = this.#parts;
    this.#control?.close();
    scaler?.end();
    await agents.engine.close();
    await cache?.close();
    gate.close();
    database.prepareToClose();
    // What could not be recorded a moment ago may be recorded now.
    const error = await journal.close();
    recorder.close();
    const difference = database.close();
    return error === null ? difference : error.message;
  }

  async #announce(): Promise<void> {
    const { prepared } = this.#input;
    const { plan, resumed } = prepared;
    const { runId, begin, agents, journal, notices } = this.#parts;
    journal.publish({
      type: 'run-started',
      version: 1,
      runId,
      at: new Date(begin.at).toISOString(),
      agents: agents.names,
      total: totalOf(prepared),
      workstreams: workstreamsToRun(prepared),
      resumed: resumed === null ? null : resumedOf(resumed),
      expectedSeconds: plan.known === 0 ? null : expectedSecondsOf(prepared),
    });
    for (const text of prepared.notices) notices.add('warn', text);
    await journal.flush();
  }

  /**
   * Starts to read what is checked out.
   * @returns what waits for the answer, but no longer than a moment.
   */
  #noteCheckout(): () => Promise<void> {
    if (this.#input.prepared.resumed !== null) return async () => undefined;
    const enough = new AbortController();
    const noted = this.#readCheckout(enough.signal);
    return async () => {
      const timer = setTimeout(() => enough.abort('was no longer waited for'), CHECKOUT_MS);
      await noted;
      clearTimeout(timer);
    };
  }

  async #readCheckout(enough: AbortSignal): Promise<void> {
    const checkout = await readCheckout(this.#input.paths.cwd, enough);
    if (checkout !== null) this.#parts.journal.publish({ type: 'checkout-read', checkout });
  }

  async #pickUp(): Promise<void> {
    const { paths, prepared, redactor } = this.#input;
    if (prepared.resumed === null) return;
    const { kept } = prepared.inheritance;
    const { runId, workspaces, notices } = this.#parts;
    const left = { logs: paths.logs(runId), kept, redactor, workspaces };
    for await (const { level, text } of pickUpLeft(left)) notices.add(level, text);
  }

  async #conclude(
    { lastSeconds, interruption, unawaited }: RunEndpoint,
    conclude: typeof Conclude.conclude,
  ): Promise<RunResult> {
    const { options, paths, prepared } = this.#input;
    const { runId, database, recorder, reserving, gate, coordinator, journal } = this.#parts;
    const earlier = prepared.resumed?.run ?? null;
    const wallSeconds = (earlier?.workedSeconds ?? 0) + lastSeconds;
    // Everything that follows is read back from the database.
    recorder.settle();
    const agents = this.#parts.agents.most(mostAgents(database.connection, runId) ?? 0);
    const result = conclude({
      runId,
      database,
      recorder,
      paths,
      distribution: options.distribution,
      agents,
      interruption,
      unawaited,
      withPage: options.html,
      isPartial: coordinator.haveLeft || (prepared.resumed?.isPartial ?? false),
      sessions: (earlier?.sessions ?? 0) + 1,
      waitedForRuns: gate.waited,
      speed: coordinator.meter.speed(wallSeconds, agents),
      resources: reserving === null ? null : resourcesOf(reserving),
    });
    journal.publish(runEnded(result));
    await journal.flush();
    return result;
  }
}

const resourcesOf = ({ capacity: { cpus, memoryMb } }: RunReserving): RunResources => ({ cpus, memoryMb });

/** The state at the last result. A signal that comes later changes nothing. */
interface RunEndpoint extends Pick<Coordinator, 'interruption' | 'unawaited'> {
  /** From the start to the last result. */
  lastSeconds: number;
}

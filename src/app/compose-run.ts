/** Makes the parts of a run, each of those that are made before it. Nothing is executed. */
import { realpathSync } from 'node:fs';
import { FolderResultCache } from '../cache/result-cache.ts';
import { type ControlPlace, makeControlPlace, removeControlPlace } from '../control/socket-place.ts';
import { relativeToProject } from '../domain/assignment.ts';
import type { Engine, LocalEngine } from '../domain/engine.ts';
import type { Inheritance } from '../domain/history/earlier-run.ts';
import type { ResultCache } from '../domain/history/result-cache.ts';
import { mergeTestsOf } from '../domain/project.ts';
import type { EventSink, RunEvent, RunListener } from '../domain/run-event.ts';
import type { Gate } from '../domain/run-lock.ts';
import type { LoadSource } from '../domain/scaling.ts';
import type { Workspaces } from '../domain/workspaces.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { QueueRun } from '../engine/queue/coordinator/queue-run.ts';
import { type StartTime, startTimer } from '../os/stopwatch.ts';
import { ReadyQueue } from '../plan/ready-queue.ts';
import { WorkspaceManager } from '../run/attempt/workspace-manager.ts';
import { WorkstreamRunner } from '../run/attempt/workstream-runner.ts';
import { Coordinator, type CoordinatorParts, type FailFast } from '../run/coordinator.ts';
import { Journal, redactResult } from '../run/journal.ts';
import { MergeQueue } from '../run/merge-queue.ts';
import { MergedTests } from '../run/merged-tests.ts';
import { RunGate } from '../run/run-gate.ts';
import { firstFreeRunId, makeRunId } from '../run/run-id.ts';
import { LoadMeter } from '../scaling/load-meter.ts';
import { Scaler } from '../scaling/scaler.ts';
import type { Redactor } from '../secrets/redactor.ts';
import { attemptsOf } from '../store/read/earlier-run.ts';
import { openParkings } from '../store/read/live/parked-tools.ts';
import { outputsOf } from '../store/read/outputs.ts';
import { leftSockets } from '../store/read/runs.ts';
import { FallbackRecorder } from '../store/write/fallback-recorder.ts';
import { keepQueueRun } from '../store/write/queue-run.ts';
import { SqliteRecorder } from '../store/write/recorder.ts';
import { type OpenedDatabase, openForRun, RunDatabase } from '../store/write/run-database.ts';
import { RunLocks } from '../store/write/run-locks.ts';
import { emptyWorkstream } from '../workstream/normalize.ts';
import { makeRoster, type Roster } from './agent-names.ts';
import { createEngine } from './create-engine.ts';
import { LazyGitWorkspaces } from './lazy-workspaces.ts';
import { MOST_AGENTS } from './option-table.ts';
import { type RunOptions, storedOptions } from './options.ts';
import { makeStateFolder, type Paths, remakeStateFolder } from './paths.ts';
import { inheritanceOf, type Prepared, totalOf, workstreamsToRun } from './prepare.ts';
import { Refusal } from './refusal.ts';
import { releaseLocksOf } from './remaining-processes.ts';
import { type RunReserving, reservingOf } from './reserving.ts';
import type { ResumePlan } from './resume/resume.ts';
import { toolSettings } from './tools.ts';

/** What a run is made of. */
export interface RunInput {
  options: RunOptions;
  paths: Paths;
  prepared: Prepared;
  redactor: Redactor;
  listeners: readonly (RunListener | EventSink)[];
  /** What executes the workstreams on other machines. Default: null, this one does. */
  queue?: QueueRun | null;
  /** What the number of agents follows where it is `auto`; measured by default. */
  load?: LoadSource;
}

/** The parts that a run is driven by. */
export interface RunParts {
  runId: string;
  /** When the run began. */
  begin: StartTime;
  /** Where it takes requests; null where there is no place for a socket. */
  place: ControlPlace | null;
  notices: Notices;
  roster: Roster;
  /** What workstreams reserve; null where none does. */
  reserving: RunReserving | null;
  database: RunDatabase;
  recorder: FallbackRecorder;
  journal: Journal;
  engine: Engine;
  workspaces: LazyGitWorkspaces;
  gate: RunGate;
  coordinator: Coordinator;
  /** Null where no workstream has a cache. */
  cache: ResultCache | null;
  /** Null where the number of agents stays. */
  scaler: Scaler | null;
}

/**
 * Claims the run in the database and makes its parts. Any of them ends the run by aborting `failure` with the error
 * that keeps results from being recorded; the coordinator listens to that.
 * @throws StoreError when the database can't be used, Refusal for agents that there can't be and when another process
 * has the run.
 */
export function composeRun(input: RunInput): RunParts {
  const { options, prepared, load = new LoadMeter() } = input;
  const begin = startTimer();
  const notices = new Notices();
  const reserving = reservingOf(prepared.plan.workstreams, options);
  const roster = rosterOf(input, load);
  // First, so that its threads start while the database is opened.
  const local = (input.queue ?? null) === null ? createLocalEngine(input, roster, notices) : null;
  const engine = local ?? queueEngine(input);
  const place = makeControlPlace();
  try {
    return composeAround({ engine, local }, input, { begin, place, notices, reserving, roster, load });
  } catch (error) {
    void engine.close();
    if (place !== null) removeControlPlace(place.path);
    throw error;
  }
}

function createLocalEngine(
  { options, paths, prepared, redactor }: RunInput,
  roster: Roster,
  notices: Notices,
): LocalEngine {
  return createEngine({
    options,
    paths,
    redactor,
    agents: roster.names.length,
    workstreams: prepared.plan.workstreams,
    onLate: (workstreamId, text) => notices.add('warn', text, workstreamId),
  });
}

function queueEngine({ queue = null }: RunInput): Engine {
  if (queue === null) throw new Error('this run has no queue');
  return queue.engine;
}

/** Over a queue agents are what hosts offer, and no threads and files of this process. */
function rosterOf({ options, prepared, queue = null }: RunInput, { cores }: LoadSource): Roster {
  const workstreams = workstreamsToRun(prepared);
  if (queue === null) return makeRoster(options, workstreams, { cores });
  const agentsCount = options.agentsCount === 'auto' ? agentsOfHosts(queue) : options.agentsCount;
  return makeRoster({ ...options, agentsCount }, workstreams, { cores, files: null });
}

const agentsOfHosts = ({ capacity }: QueueRun): number => Math.min(MOST_AGENTS, Math.max(1, capacity.agents));

/** Claims the run, and makes all of its parts but the engine. */
function composeAround(
  { engine, local }: { engine: Engine; local: LocalEngine | null },
  input: RunInput,
  made: Pick<RunParts, 'begin' | 'place' | 'reserving' | 'roster'> & { notices: Notices; load: LoadSource },
): RunParts {
  const { options, prepared, redactor, queue = null } = input;
  const { begin, place, notices, reserving, roster, load } = made;
  const failure = new AbortController();
  const { runId, database, recorder } = composeStore(input, { begin, place, notices }, failure);
  if (queue !== null || prepared.resumed !== null)
    keepQueueRun(database.connection, runId, queue?.stored ?? null);
  const listeners = queue === null ? input.listeners : [...input.listeners, acknowledgeTo(engine)];
  const journal = new Journal({ recorder, listeners, redactor, failure });
  notices.publishTo((notice) => journal.publish(notice));
  queue?.notifyTo((text, workstreamId) => notices.add('warn', text, workstreamId));
  const workspaces = composeWorkspaces(input, runId, notices);
  const inheritance = inheritanceOf(prepared, runId, database.connection);
  const gate = composeGate(input, { runId, database, journal, notices });
  const cache = composeCache(input, notices);
  const runner = composeRunner(input, {
    runId,
    database,
    recorder,
    roster,
    engine,
    workspaces,
    inheritance,
    cache,
    publish: (event) => journal.publish(event),
  });
  const coordinator = new Coordinator({
    runId,
    plan: prepared.plan,
    agents: roster.names,
    runner,
    ready: composeQueue(input, { roster, gate, reserving, runner }),
    journal,
    gate,
    failure,
    outside: prepared.outside,
    inheritance,
    merging: composeMerging(input, { runId, engine, workspaces, inheritance, journal, notices, roster }),
    ask: options.ask,
    areRemote: queue !== null,
    reserving,
    maxWaitSeconds: options.maxWait,
    withdraw: (withdrawals) => {
      journal.commit();
      recorder.withdraw(withdrawals.map(({ by, ...rest }) => ({ ...rest, by: redactor.text(by) })));
      const first = withdrawals[0]?.workstreamId ?? '';
      return attemptsOf(database.connection, runId, [first]).get(first) ?? [];
    },
    failFast: failFastOf(options.failFast, totalOf(prepared)),
    // A workstream that ends this process too has to be known afterwards.
    commitStarts: prepared.resumed?.afterDeath ?? false,
  });
  const scaler = local === null ? null : composeScaler({ roster, load, coordinator, engine: local, journal });
  queue?.hosts.onLook(() => {
    if (options.agentsCount === 'auto') coordinator.resize(agentsOfHosts(queue));
    coordinator.readQuotas();
  });
  return {
    runId,
    begin,
    place,
    notices,
    roster,
    reserving,
    database,
    recorder,
    journal,
    engine,
    workspaces,
    gate,
    coordinator,
    cache,
    scaler,
  };
}

/** What is kept of a workstream's executions goes once its result is on the disk, which is when listeners hear of it. */
const acknowledgeTo =
  (engine: Engine): RunListener =>
  (event) => {
    if (event.type === 'workstream-finished') engine.acknowledge?.(event.result.workstreamId);
  };

function composeStore(
  input: RunInput,
  { begin, place, notices }: Pick<RunParts, 'begin' | 'place' | 'notices'>,
  failure: AbortController,
): Pick<RunParts, 'runId' | 'database' | 'recorder'> {
  const { options, paths, prepared } = input;
  makeStateFolder(paths.state);
  const opened = openForRun(paths.database);
  // Those of processes that were killed.
  for (const socket of leftSockets(opened.connection)) removeControlPlace(socket);
  const writer = new SqliteRecorder(opened.connection);
  const runId =
    prepared.resumed === null
      ? claimNew(writer, { begin, place }, input)
      : takeOver(writer, opened, { options, place }, prepared.resumed);

  const database = new RunDatabase(opened, { runId, makeFolder: () => remakeStateFolder(paths.state) });
  const recorder = new FallbackRecorder({
    recorder: writer,
    database,
    runId,
    notify: (level, text) => notices.add(level, text),
    failure,
  });
  return { runId, database, recorder };
}

/** Takes the first free id for a new run. */
function claimNew(
  writer: SqliteRecorder,
  { begin, place }: Pick<RunParts, 'begin' | 'place'>,
  { options, prepared, redactor }: RunInput,
): string {
  const at = new Date(begin.at);
  const label = options.label === null ? null : redactor.text(options.label);
  const controlSocket = place?.path ?? null;
  const origin = { options: storedOptions(options), retryOf: prepared.retryOf, label, controlSocket };
  return firstFreeRunId(makeRunId(at), (id) => !writer.claim(id, at.toISOString(), origin));
}

/** Takes an interrupted run over. @throws Refusal when another process has taken it since it was read. */
function takeOver(
  writer: SqliteRecorder,
  { connection }: OpenedDatabase,
  { options, place }: Pick<RunInput, 'options'> & Pick<RunParts, 'place'>,
  { run, discarded }: ResumePlan,
): string {
  const { runId, resumedAt } = run;
  const controlSocket = place?.path ?? null;
  if (writer.reopen({ runId, resumedAt, discarded, options: storedOptions(options), controlSocket }))
    return runId;
  writer.close();
  connection.close();
  throw new Refusal(2, `The run ${runId} has just been resumed by another process.`);
}

function composeWorkspaces(
  { options, paths, prepared }: RunInput,
  runId: string,
  notices: Notices,
): LazyGitWorkspaces {
  const { retryOf, resumed, plan, defined } = prepared;
  const idsOf = (workstreams: readonly Workstream[]): ReadonlySet<string> =>
    new Set(workstreams.map(({ id }) => id));
  return new LazyGitWorkspaces({
    paths,
    runId,
    isResumed: resumed !== null,
    retryOf,
    coAuthors: options.project.co_authors,
    backlog: { known: idsOf(defined), toRun: idsOf(plan.workstreams) },
    notify: (text) => notices.add('info', text),
    ...options.project.worktree,
  });
}

/** What admits workstreams beside those of other runs of the same database. */
function composeGate(
  { options, paths, prepared }: RunInput,
  { runId, database, journal, notices }: Pick<RunParts, 'runId' | 'database' | 'journal' | 'notices'>,
): RunGate {
  const { graceSeconds } = options;
  const locks = new RunLocks({ database, runId, notify: (level, text) => notices.add(level, text) });
  return new RunGate({
    workstreams: prepared.plan.workstreams,
    locks,
    folder: realpathSync(paths.cwd),
    publish: (event) => journal.publish(event),
    freeLocksOf: async (other) => {
      const text = await releaseLocksOf({ runId: other, locks, graceSeconds });
      if (text !== null) notices.add('warn', text);
    },
  });
}

interface RunnerMaterial extends Pick<RunParts, 'runId' | 'database' | 'recorder' | 'roster'> {
  engine: Engine;
  workspaces: Workspaces;
  inheritance: Inheritance;
  cache: ResultCache | null;
  publish: (event: RunEvent) => void;
}

/** What keeps results for later runs. */
function composeCache(
  { options, paths, prepared, redactor }: RunInput,
  notices: Notices,
): ResultCache | null {
  const { workstreams } = prepared.plan;
  if (workstreams.every(({ cache }) => cache === null)) return null;
  const outputs = new Map(
    workstreams.flatMap((workstream) =>
      workstream.outputs.length === 0 ? [] : [[workstream.id, workstream.outputs] as const],
    ),
  );
  return new FolderResultCache({
    folder: paths.cache,
    project: paths.cwd,
    excluded: [paths.state, paths.reports],
    commands: { shell: options.project.shell, gates: options.project.gates },
    outputsOf: (id) => outputs.get(id) ?? [],
    mostMb: options.cacheMb,
    takesOver: options.cache,
    redact: (result) => (redactor.isIdle ? result : redactResult(result, redactor)),
    notify: (text) => notices.add('warn', text),
  });
}

/** A percentage is that of all workstreams of the run, and one failure at least. */
function failFastOf(given: RunOptions['failFast'], total: number): FailFast | null {
  if (given === null) return null;
  const failures = typeof given === 'number' ? given : Math.ceil((total * Number.parseFloat(given)) / 100);
  return { failures: Math.max(1, failures), given: String(given) };
}

/** What takes a workstream through its attempts. */
function composeRunner({ options, paths, prepared }: RunInput, made: RunnerMaterial): WorkstreamRunner {
  const { runId, database, recorder, roster, engine, workspaces, inheritance, cache, publish } = made;
  const { timeoutSeconds, graceSeconds, maxOutputMb, project } = options;
  return new WorkstreamRunner({
    runId,
    engine,
    workspaces: new WorkspaceManager({
      workspaces,
      folder: paths.cwd,
      parksOutsideScope: options.outsideScope === 'park',
      earlierWork: inheritance.work,
    }),
    limits: { timeoutSeconds, graceSeconds, maxOutputMb },
    project: paths.cwd,
    logFolder: relativeToProject(paths.logs(runId), paths.cwd),
    outputsOf: (ids) => ({
      ...outputsOf(database.connection, runId, ids, prepared.retryOf),
      ...recorder.unwrittenOutputs(ids),
    }),
    toolsOf: roster.toolsOf,
    gates: project.gates,
    shell: project.shell,
    bestOf: options.bestOf,
    outsideScope: options.outsideScope,
    maxCostUsd: options.maxCostUsd,
    toolCircuit: options.toolCircuit,
    toolLimits: {
      atLimit: options.atLimit,
      lookUp: (name) => toolSettings(name, project),
      openParkings: () => openParkings(database.connection),
    },
    publish,
    cache,
    inheritance,
  });
}

interface MergingMaterial extends Pick<RunParts, 'runId' | 'workspaces' | 'journal' | 'roster'> {
  engine: Engine;
  inheritance: Inheritance;
  notices: Notices;
}

/** What merges accepted work; null where no workstream has a worktree. */
function composeMerging(
  { options, paths, prepared }: RunInput,
  { runId, engine, workspaces, inheritance, journal, notices, roster }: MergingMaterial,
): CoordinatorParts['merging'] {
  const { workstreams } = prepared.plan;
  if (workstreams.every(({ workspace }) => workspace !== 'worktree')) return null;
  const { timeoutSeconds, graceSeconds, maxOutputMb, project } = options;
  const predicts = options.merge === 'none';
  return (lease, onChange) =>
    new MergeQueue({
      workstreams,
      waiting: inheritance.kept.flatMap(({ toMerge }) => toMerge ?? []),
      left: inheritance.kept.flatMap(({ leftUnmerged }) => leftUnmerged ?? []),
      kept: new Set(inheritance.kept.map(({ workstreamId }) => workstreamId)),
      openBranch: () => workspaces.merged(predicts),
      tests: predicts
        ? null
        : new MergedTests({
            runId,
            engine,
            limits: { timeoutSeconds, graceSeconds, maxOutputMb },
            project: paths.cwd,
            logFolder: relativeToProject(paths.logs(runId), paths.cwd),
            shell: project.shell,
            gates: project.gates,
            configured: mergeTestsOf(project),
            emptyWorkstream,
            defined: [...prepared.defined, ...workstreams],
            toolsOf: (workstream) => roster.toolsOf(0, workstream),
            lease,
          }),
      publish: (workstreamId, merge) => journal.publish({ type: 'workstream-merged', workstreamId, merge }),
      warn: (text, workstreamId) => notices.add('warn', text, workstreamId),
      onChange,
    });
}

function composeQueue(
  { options, prepared, queue = null }: RunInput,
  {
    roster,
    gate,
    reserving,
    runner,
  }: Pick<RunParts, 'roster' | 'reserving'> & { gate: Gate; runner: WorkstreamRunner },
): ReadyQueue {
  const { workstreams } = prepared.plan;
  // Without tools of their own all agents are alike.
  const unlike = options.project.agents.some(({ tool }) => tool !== undefined) ? roster.names.length : 1;
  const mayStart = (index: number): boolean => {
    const workstream = workstreams[index];
    return workstream === undefined || runner.mayStart(workstream, unlike);
  };
  const growsWithHosts = queue !== null && options.agentsCount === 'auto';
  const agents = (): number => (growsWithHosts ? agentsOfHosts(queue) : roster.names.length);
  return new ReadyQueue(workstreams, {
    agents: growsWithHosts ? MOST_AGENTS : (roster.scaling?.policy.max ?? roster.names.length),
    distribution: options.distribution,
    tracks: roster.tracks,
    gate: limitedGate(gate, mayStart),
    reserving,
    quotas: queue?.capacity.quotas(workstreams, agents) ?? null,
  });
}

/** Sets aside what waits for a usage limit, before other runs have a say. */
const limitedGate = (gate: Gate, mayStart: (index: number) => boolean): Gate => ({
  get isShut() {
    return gate.isShut;
  },
  admit: (index) => mayStart(index) && gate.admit(index),
  leave: (index) => gate.leave(index),
});

interface ScalerMaterial extends Pick<RunParts, 'roster' | 'coordinator' | 'journal'> {
  engine: LocalEngine;
  load: LoadSource;
}

/** What lets the number of agents follow the load; null where it stays. */
function composeScaler({ roster, load, coordinator, engine, journal }: ScalerMaterial): Scaler | null {
  if (roster.scaling === null) return null;
  return new Scaler({
    ...roster.scaling,
    source: load,
    workload: () => ({ ...coordinator.workload, inChildren: engine.inChildren }),
    resize: (agents) => {
      engine.resize(agents);
      coordinator.resize(agents);
    },
    journal,
  });
}

type Notice = Extract<RunEvent, { type: 'notice' }>;

/**
 * Sentences for a person, from any part of a run. Parts that the journal is made of have something to say too, so this
 * is made before it; what is added before `publishTo` waits for it.
 */
class Notices {
  #publish: ((notice: Notice) => void) | null = null;
  readonly #waiting: Notice[] = [];

  /** @param workstreamId null where it concerns the whole run. */
  add(level: Notice['level'], text: string, workstreamId: string | null = null): void {
    const notice: Notice = { type: 'notice', level, text, workstreamId };
    if (this.#publish === null) this.#waiting.push(notice);
    else this.#publish(notice);
  }

  publishTo(publish: (notice: Notice) => void): void {
    this.#publish = publish;
    for (const notice of this.#waiting.splice(0)) publish(notice);
  }
}

/** Makes the parts of a run, each of those that are made before it. Nothing is executed. */
import { realpathSync } from 'node:fs';
import { FolderResultCache } from '../../cache/result-cache.ts';
import { type ControlPlace, makeControlPlace, removeControlPlace } from '../../control/socket-place.ts';
import { relativeToProject } from '../../domain/assignment.ts';
import type { Engine } from '../../domain/engine.ts';
import type { Inheritance } from '../../domain/history/earlier-run.ts';
import type { ResultCache } from '../../domain/history/result-cache.ts';
import { mergeTestsOf } from '../../domain/project.ts';
import type { EventSink, RunEvent, RunListener } from '../../domain/run-event.ts';
import type { Gate } from '../../domain/run-lock.ts';
import type { Workspaces } from '../../domain/workspaces.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { type StartTime, startTimer } from '../../os/stopwatch.ts';
import { ReadyQueue } from '../../plan/ready-queue.ts';
import { WorkspaceManager } from '../../run/attempt/workspace-manager.ts';
import { WorkstreamRunner } from '../../run/attempt/workstream-runner.ts';
import { Coordinator, type CoordinatorParts, type FailFast } from '../../run/coordinator.ts';
import { Journal, redactResult } from '../../run/journal.ts';
import { MergeQueue } from '../../run/merge-queue.ts';
import { MergedTests } from '../../run/merged-tests.ts';
import { RunGate } from '../../run/run-gate.ts';
import type { Scaler } from '../../scaling/scaler.ts';
import { attemptsOf } from '../../store/read/earlier-run.ts';
import { openParkings } from '../../store/read/live/parked-tools.ts';
import { outputsOf } from '../../store/read/outputs.ts';
import { RunLocks } from '../../store/write/run-locks.ts';
import { emptyWorkstream } from '../../workstream/normalize.ts';
import type { RunOptions } from '../options.ts';
import { inheritanceOf, totalOf } from '../prepare.ts';
import { releaseLocksOf } from '../remaining-processes.ts';
import { type RunReserving, reservingOf } from '../reserving.ts';
import { toolSettings } from '../tools.ts';
import { type ClaimedRun, claimRun } from './claim-run.ts';
import { LazyGitWorkspaces } from './lazy-workspaces.ts';
import { makeAgents, type RunAgents, type RunAgentsParts } from './run-agents.ts';

/** What a run is made of. */
export interface RunInput extends Omit<RunAgentsParts, 'notify'> {
  listeners: readonly (RunListener | EventSink)[];
}

/** The parts that a run is driven by. */
export interface RunParts extends ClaimedRun {
  /** When the run began. */
  begin: StartTime;
  /** Where it takes requests; null where there is no place for a socket. */
  place: ControlPlace | null;
  notices: Notices;
  agents: RunAgents;
  /** What workstreams reserve; null where none does. */
  reserving: RunReserving | null;
  journal: Journal;
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
  const { options, prepared } = input;
  const begin = startTimer();
  const notices = new Notices();
  const reserving = reservingOf(prepared.plan.workstreams, options);
  // First, so that its threads start while the database is opened.
  const agents = makeAgents({ ...input, notify: (text, about) => notices.add('warn', text, about) });
  const place = makeControlPlace();
  try {
    return composeAround(agents, input, { begin, place, notices, reserving });
  } catch (error) {
    void agents.engine.close();
    if (place !== null) removeControlPlace(place.path);
    throw error;
  }
}

/** Claims the run, and makes all of its parts but the agents. */
function composeAround(
  agents: RunAgents,
  input: RunInput,
  made: Pick<RunParts, 'begin' | 'place' | 'reserving' | 'notices'>,
): RunParts {
  const { options, prepared, redactor, queue = null } = input;
  const { notices, reserving } = made;
  const { engine, roster } = agents;
  const failure = new AbortController();
  const notify = (level: Notice['level'], text: string): void => notices.add(level, text);
  const claimed = claimRun({ ...input, ...made, queued: queue?.stored ?? null, notify, failure });
  const { runId, database, recorder } = claimed;
  const isKept = engine.acknowledge !== undefined;
  const listeners = isKept ? [...input.listeners, acknowledgeTo(engine)] : input.listeners;
  const journal = new Journal({ recorder, listeners, redactor, failure });
  notices.publishTo((notice) => journal.publish(notice));
  const workspaces = composeWorkspaces(input, runId, notices);
  const inheritance = inheritanceOf(prepared, runId, database.connection);
  const gate = composeGate(input, { runId, database, journal, notices });
  const cache = composeCache(input, notices);
  const publish = (event: RunEvent): void => journal.publish(event);
  const runner = composeRunner(input, { ...claimed, agents, workspaces, inheritance, cache, publish });
  const coordinator = new Coordinator({
    runId,
    plan: prepared.plan,
    agents: roster.names,
    runner,
    ready: composeReady(input, { agents, gate, reserving, runner }),
    journal,
    gate,
    failure,
    outside: prepared.outside,
    inheritance,
    merging: composeMerging(input, { runId, agents, workspaces, inheritance, journal, notices }),
    ask: options.ask,
    areRemote: engine.isRemote ?? false,
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
  const scaler = agents.follow(coordinator, journal);
  return { ...claimed, ...made, agents, journal, workspaces, gate, coordinator, cache, scaler };
}

/** What is kept of a workstream's executions goes once its result is on the disk, which is when listeners hear of it. */
const acknowledgeTo =
  (engine: Engine): RunListener =>
  (event) => {
    if (event.type === 'workstream-finished') engine.acknowledge?.(event.result.workstreamId);
  };

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

interface RunnerMaterial extends Pick<RunParts, 'runId' | 'database' | 'recorder' | 'agents'> {
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
  const { runId, database, recorder, agents, workspaces, inheritance, cache, publish } = made;
  const { timeoutSeconds, graceSeconds, maxOutputMb, project } = options;
  return new WorkstreamRunner({
    runId,
    engine: agents.engine,
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
    toolsOf: agents.roster.toolsOf,
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

interface MergingMaterial extends Pick<RunParts, 'runId' | 'agents' | 'workspaces' | 'journal'> {
  inheritance: Inheritance;
  notices: Notices;
}

/** What merges accepted work; null where no workstream has a worktree. */
function composeMerging(
  { options, paths, prepared }: RunInput,
  { runId, agents, workspaces, inheritance, journal, notices }: MergingMaterial,
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
            engine: agents.engine,
            limits: { timeoutSeconds, graceSeconds, maxOutputMb },
            project: paths.cwd,
            logFolder: relativeToProject(paths.logs(runId), paths.cwd),
            shell: project.shell,
            gates: project.gates,
            configured: mergeTestsOf(project),
            emptyWorkstream,
            defined: [...prepared.defined, ...workstreams],
            toolsOf: (workstream) => agents.roster.toolsOf(0, workstream),
            lease,
          }),
      publish: (workstreamId, merge) => journal.publish({ type: 'workstream-merged', workstreamId, merge }),
      warn: (text, workstreamId) => notices.add('warn', text, workstreamId),
      onChange,
    });
}

interface ReadyMaterial extends Pick<RunParts, 'agents' | 'gate' | 'reserving'> {
  runner: WorkstreamRunner;
}

function composeReady(
  { options, prepared }: RunInput,
  { agents, gate, reserving, runner }: ReadyMaterial,
): ReadyQueue {
  const { workstreams } = prepared.plan;
  const { names, tracks } = agents.roster;
  // Without tools of their own all agents are alike.
  const unlike = options.project.agents.some(({ tool }) => tool !== undefined) ? names.length : 1;
  const mayStart = (index: number): boolean => {
    const workstream = workstreams[index];
    return workstream === undefined || runner.mayStart(workstream, unlike);
  };
  return new ReadyQueue(workstreams, {
    ...agents.limits,
    distribution: options.distribution,
    tracks,
    gate: limitedGate(gate, mayStart),
    reserving,
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

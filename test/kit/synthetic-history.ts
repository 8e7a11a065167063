/**
 * Histories of runs of which the truth is known: workstreams that break, are fixed, break again, fail by chance, become
 * slower or are redefined at runs that a test chose, among noise. The same plan with the same seed is the same history.
 */
import type {
  DurationHistory,
  DurationSample,
  Observation,
  ResultCircumstances,
  RunRef,
} from '../../src/domain/history/history.ts';
import { seededRandom } from './random.ts';

/** What happens in a history. Runs are counted from 0. */
export type HistoryEvent =
  /** Fails in each run from `from` to before `to`. */
  | { kind: 'break'; workstreamId: string; message: string; from: number; to: number }
  /** Fails by chance: at this rate, in some of those runs only at its first attempt, and only where `where` holds. */
  | {
      kind: 'flaky';
      workstreamId: string;
      message: string;
      rate: number;
      healed?: number;
      where?: (result: Pick<SyntheticResult, 'agentId'>, run: Pick<SyntheticRun, 'machine'>) => boolean;
    }
  /** Takes `ratio` times as long from a run on; every workstream where it names none. */
  | { kind: 'slower'; workstreamId: string | null; from: number; ratio: number }
  /** Has another definition from a run on. */
  | { kind: 'redefined'; workstreamId: string; from: number };

export interface HistoryPlan {
  seed: number;
  runs: number;
  workstreams: number;
  events?: readonly HistoryEvent[];
  /** Relative standard deviation of a duration; by default each workstream has its own between 3 % and 20 %. */
  noise?: number;
  /** Share of durations that take two to four times as long as usual; default 0. */
  outliers?: number;
  /** Relative standard deviation that all durations of a run have in common; default 5 %. */
  runEffect?: number;
  /** Taken at random for each run, with the factor by which each is slower; default one. */
  machines?: Readonly<Record<string, number>>;
  /** Given to each workstream in turn; default none. */
  tools?: readonly { tool: string; model: string }[];
  /** Taken at random for each result; default `agent-1` to `agent-3`. */
  agents?: readonly string[];
  /** Chance that a workstream is not run; default 0. */
  absent?: number;
  /** Chance that a workstream fails with an error of its own that never comes again; default 0. */
  otherFailures?: number;
  /** How many runs in a row have the same commit; default 1. */
  runsPerCommit?: number;
}

export interface SyntheticRun {
  run: RunRef;
  machine: string;
  results: SyntheticResult[];
}

interface SyntheticResult {
  workstreamId: string;
  agentId: string;
  tool: string | null;
  model: string | null;
  definitionHash: string;
  seconds: number;
  /** What it failed with; null where it completed. */
  error: string | null;
  /** What its first attempt failed with, where a later one passed; null otherwise. */
  healed: string | null;
}

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
/** Time from run to run: not a day, so that the hours differ. */
const PERIOD = 5 * HOUR;

export function syntheticHistory(plan: HistoryPlan): SyntheticRun[] {
  const random = seededRandom(plan.seed);
  const machines = Object.entries(plan.machines ?? { 'build-1': 1 });
  const workstreams = workstreamsOf(plan, random);
  return Array.from({ length: plan.runs }, (_, position): SyntheticRun => {
    const run = runRef(position, plan.runsPerCommit ?? 1);
    const [machine, factor] = pick(machines, random);
    const effect = Math.log(factor) + normal(random) * (plan.runEffect ?? 0.05);
    const results = workstreams.flatMap((workstream): SyntheticResult[] => {
      if (random() < (plan.absent ?? 0)) return [];
      return [resultOf(workstream, { plan, position, machine, effect, random })];
    });
    return { run, machine, results };
  });
}

export const syntheticId = (index: number): string => `ws-${String(index).padStart(3, '0')}`;

interface SyntheticWorkstream {
  workstreamId: string;
  tool: string | null;
  model: string | null;
  /** Logarithm of its usual seconds. */
  level: number;
  noise: number;
  events: readonly HistoryEvent[];
}

function workstreamsOf(plan: HistoryPlan, random: () => number): SyntheticWorkstream[] {
  return Array.from({ length: plan.workstreams }, (_, index) => {
    const workstreamId = syntheticId(index);
    const { tool = null, model = null } = plan.tools?.[index % plan.tools.length] ?? {};
    const level = Math.log(0.2) + random() * 5;
    const noise = plan.noise ?? 0.03 + random() * 0.17;
    const events = (plan.events ?? []).filter(
      (event) => event.workstreamId === workstreamId || event.workstreamId === null,
    );
    return { workstreamId, tool, model, level, noise, events };
  });
}

interface Surroundings {
  plan: HistoryPlan;
  position: number;
  machine: string;
  effect: number;
  random: () => number;
}

function resultOf(
  { workstreamId, tool, model, level, noise, events }: SyntheticWorkstream,
  { plan, position, machine, effect, random }: Surroundings,
): SyntheticResult {
  const agentId = pick(plan.agents ?? ['agent-1', 'agent-2', 'agent-3'], random);
  const outlier = random() < (plan.outliers ?? 0) ? Math.log(2 + 2 * random()) : 0;
  let log = level + effect + normal(random) * noise + outlier;
  let definition = 0;
  let error: string | null = random() < (plan.otherFailures ?? 0) ? otherError(workstreamId, position) : null;
  let healed: string | null = null;
  for (const event of events) {
    if (event.kind === 'slower' && position >= event.from) log += Math.log(event.ratio);
    if (event.kind === 'redefined' && position >= event.from) definition += 1;
    if (event.kind === 'break' && position >= event.from && position < event.to) error = event.message;
    if (event.kind !== 'flaky' || random() >= event.rate) continue;
    if (event.where !== undefined && !event.where({ agentId }, { machine })) continue;
    if (random() < (event.healed ?? 0)) healed = event.message;
    else error ??= event.message;
  }
  const definitionHash = `definition ${definition} of ${workstreamId}`;
  if (error !== null) healed = null;
  return { workstreamId, agentId, tool, model, definitionHash, seconds: Math.exp(log), error, healed };
}

/** An error whose words no other has. */
function otherError(workstreamId: string, position: number): string {
  const letters = (value: number): string =>
    String.fromCodePoint(97 + (value % 26), 97 + (Math.floor(value / 26) % 26));
  return `Unforeseen ${letters(position)}${letters(Number(workstreamId.slice(3)))}`;
}

function runRef(position: number, runsPerCommit: number): RunRef {
  const at = new Date(START + position * PERIOD).toISOString();
  const stamp = at.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const commit = (Math.floor(position / runsPerCommit) + 0x1000).toString(16).padStart(40, '0');
  return { runId: `ma-run-${stamp}`, at, label: null, commit, isDirty: false };
}

function pick<T>(values: readonly T[], random: () => number): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new RangeError('There is nothing to take.');
  return value;
}

/** A normally distributed number, by the method of Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** What happened to a workstream in respect of an error, as the store tells it. */
export function observationsOf(
  history: readonly SyntheticRun[],
  workstreamId: string,
  message: string,
): Observation[] {
  let definitionHash: string | null = null;
  return history.map(({ run, results }): Observation => {
    const result = results.find((each) => each.workstreamId === workstreamId);
    if (result === undefined) return { run, definitionHash, what: 'not-run', healed: false };
    definitionHash = result.definitionHash;
    const what =
      result.error === null ? 'passed' : result.error === message ? 'failed-so' : 'failed-otherwise';
    return { run, definitionHash, what, healed: what === 'passed' && result.healed === message };
  });
}

/** The durations of what completed, as the store tells them. */
export function durationsOf(history: readonly SyntheticRun[]): DurationHistory {
  const samples = new Map<string, DurationSample[]>();
  for (const [position, { results }] of history.entries()) {
    for (const { workstreamId, definitionHash, seconds, error } of results) {
      if (error !== null) continue;
      const known = samples.get(workstreamId) ?? [];
      known.push({ position, definitionHash, seconds });
      samples.set(workstreamId, known);
    }
  }
  return { runs: history.map(({ run, machine }) => ({ run, machine })), samples };
}

/** All results with what their failures could go with, as the store tells them. */
export function circumstancesOf(history: readonly SyntheticRun[]): ResultCircumstances[] {
  return history.flatMap(({ results }, position) =>
    results.map(({ workstreamId, agentId, tool, model, error }) => ({
      position,
      workstreamId,
      agentId,
      tool,
      model,
      patternIds: error === null ? [] : [error],
    })),
  );
}

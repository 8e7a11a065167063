/** Finds out how many agents suit the workstreams on this machine, by trying. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { resolvePaths } from '../app/paths.ts';
import { prepare } from '../app/prepare.ts';
import { Refusal } from '../app/refusal.ts';
import { type CapacityOptions, mostOf } from '../app/reserving.ts';
import type { Project } from '../domain/project.ts';
import type { LeftOut, TrialRun, TuningResult, WhyLeftOut } from '../domain/tuning.ts';
import type { Workstream } from '../domain/workstream.ts';
import { Cgroups } from '../os/cgroup.ts';
import { machineName, machineUsage, memoryLeft } from '../os/machine.ts';
import { makeTemporaryFolder } from '../os/temporary-folders.ts';
import { usableCores } from '../os/usable-cores.ts';
import { plural } from '../text/format.ts';
import { adviseAgents, compareTrials } from './agents-advice.ts';
import { countsToTry, firstSample, isTriable, kindOf, sampleOf } from './sample.ts';
import { type TrialOptions, TrialRuns } from './trial-runs.ts';

/** Workstreams of a sample for each of the most agents: with fewer, most of a run is its beginning and its end. */
const FOR_EACH_AGENT = 4;

export interface TuneOptions extends CapacityOptions {
  cwd: string;
  workstreams: string;
  /** Ids and globs; everything without one. What they depend on is brought along. */
  select: readonly string[];
  /** Where workstreams work that do not say; null for `shared`, but for tool steps. Worktrees are left out. */
  workspace: 'shared' | 'worktree' | null;
  /** The tools of the project. */
  project: Project;
  /** Numbers of agents to try; null for powers of two and the cores. */
  counts: readonly number[] | null;
  /** How often each is tried; the median counts. */
  repeat: number;
  /** Work of a sample, in seconds of one agent. */
  seconds: number;
  program: TrialOptions['program'];
  /** Called with what is done next. */
  onProgress: (text: string) => void;
}

export class Tuning {
  readonly #options: TuneOptions;
  readonly #folder = makeTemporaryFolder('tune');
  readonly #runs: TrialRuns;
  #isInterrupted = false;

  constructor(options: TuneOptions) {
    const { program, cwd, workstreams, cpus, memory } = options;
    this.#options = options;
    const folder = join(this.#folder, 'state');
    this.#runs = new TrialRuns({ program, cwd, workstreams, cpus, memory, folder });
  }

  /**
   * Null when it was interrupted.
   * @throws Refusal with exit code 2 for a folder or numbers that can't be used, 3 for a run that did not come to its
   * end, 4 when there is nothing that can be tried.
   */
  async run(): Promise<TuningResult | null> {
    try {
      return await this.#tune();
    } catch (error) {
      if (this.#isInterrupted) return null;
      throw error;
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  /** Ends the run that is under way as that signal does; `run` then resolves with null. */
  interrupt(signal: NodeJS.Signals): void {
    this.#isInterrupted = true;
    this.#runs.signal(signal);
  }

  async #tune(): Promise<TuningResult | null> {
    const { counts: given, onProgress } = this.#options;
    const cores = usableCores();
    const memory = memoryLeft(new Cgroups().read(), machineUsage());
    const { workstreams, leftOut, total } = this.#candidates();
    const counts =
      given === null
        ? countsToTry(cores, mostOf(workstreams, this.#options))
        : this.#usable(given, workstreams.length);
    const sample = await this.#sample(workstreams, {
      agents: Math.ceil(cores),
      most: Math.max(...counts),
      mayBeAll: leftOut.length === 0,
    });
    if (sample === null) return null;
    // The words of the command line are fewer than the ids of a large folder.
    const isWhole = sample.length === workstreams.length && leftOut.length === 0;
    onProgress(
      `${sample.length} of ${plural(total, 'workstream')} ${sample.length === 1 ? 'is' : 'are'} run each time`,
    );
    const runs = await this.#tryAll(counts, isWhole ? this.#options.select : idsOf(sample));
    if (runs === null) return null;
    const trials = compareTrials(runs);
    return {
      machine: { name: machineName(process.env, cores), cores, memoryBytes: memory?.available ?? null },
      workstreams: total,
      sample: sample.length,
      leftOut,
      trials,
      advice: adviseAgents(trials, memory?.available ?? null),
      failures: runs.reduce((sum, run) => sum + run.total - run.completed, 0),
    };
  }

  #candidates(): { workstreams: Workstream[]; leftOut: LeftOut[]; total: number } {
    const { cwd, workstreams: folder, select, workspace, project, cpus, memory } = this.#options;
    const paths = resolvePaths({ cwd, workstreams: folder, state: this.#folder, reports: this.#folder });
    const { plan } = prepare(
      {
        select: [...select],
        withDependencies: true,
        workspace,
        project,
        tool: null,
        bestOf: [],
        cpus,
        memory,
      },
      paths,
    );
    const { workstreams, leftOut } = isTriable(plan);
    if (workstreams.length === 0) throw new Refusal(4, `There is nothing to try: ${leftOutText(leftOut)}.`);
    if (leftOut.length > 0) this.#options.onProgress(`left out: ${leftOutText(leftOut)}`);
    return { workstreams, leftOut, total: workstreams.length + leftOut.length };
  }

  /** A few are run first, to find out how long they take. Null when it was interrupted. */
  async #sample(
    all: Workstream[],
    { agents, most, mayBeAll }: { agents: number; most: number; mayBeAll: boolean },
  ): Promise<Workstream[] | null> {
    const first = firstSample(all);
    this.#options.onProgress(
      `a first look: ${plural(first.length, 'workstream')} on ${plural(agents, 'agent')}`,
    );
    const { durations } = await this.#runs.run(agents, idsOf(first));
    if (this.#isInterrupted) return null;
    const kinds = meansByKind(first, durations);
    const mean = meanOf([...durations.values()]);
    // Where nothing completes there is nothing to find out by more of it.
    if (mean === 0) return first;
    return sampleOf(
      all,
      { seconds: this.#options.seconds, least: FOR_EACH_AGENT * most, mayBeAll },
      (workstream) => kinds.get(kindOf(workstream)) ?? mean,
    );
  }

  /** There are never more agents than workstreams. */
  #usable(counts: readonly number[], workstreams: number): readonly number[] {
    const usable = counts.filter((count) => count <= workstreams);
    const text = `there ${workstreams === 1 ? 'is' : 'are'} only ${plural(workstreams, 'workstream')} to try`;
    if (usable.length === 0) throw new Refusal(2, `--counts: ${text}.`);
    if (usable.length < counts.length)
      this.#options.onProgress(
        `${counts.filter((count) => count > workstreams).join(', ')} left out: ${text}`,
      );
    return usable;
  }

  /** In rounds, so that whatever else this machine does falls on all numbers alike. Null when it was interrupted. */
  async #tryAll(counts: readonly number[], select: readonly string[]): Promise<TrialRun[] | null> {
    const { repeat, onProgress } = this.#options;
    const runs: TrialRun[] = [];
    for (let round = 1; round <= repeat; round += 1) {
      for (const agents of counts) {
        const { durations: _, ...run } = await this.#runs.run(agents, select);
        if (this.#isInterrupted) return null;
        runs.push(run);
        onProgress(`round ${round} of ${repeat}, ${plural(agents, 'agent')}: ${run.seconds.toFixed(1)} s`);
      }
    }
    return runs;
  }
}

const idsOf = (workstreams: readonly Workstream[]): string[] => workstreams.map(({ id }) => id);

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

function meansByKind(
  workstreams: readonly Workstream[],
  durations: ReadonlyMap<string, number>,
): Map<string, number> {
  const kinds = new Map<string, number[]>();
  for (const workstream of workstreams) {
    const seconds = durations.get(workstream.id);
    if (seconds === undefined) continue;
    const kind = kindOf(workstream);
    const others = kinds.get(kind);
    if (others === undefined) kinds.set(kind, [seconds]);
    else others.push(seconds);
  }
  return new Map([...kinds].map(([kind, values]) => [kind, meanOf(values)]));
}

const WHY: Record<WhyLeftOut, (count: number) => string> = {
  broken: (count) =>
    `${plural(count, 'workstream')} can't run as defined (\`millrace validate\` and \`millrace plan\` say why)`,
  tool: (count) =>
    `${plural(count, 'workstream')} would give work to a tool, which costs money and changes files`,
  worktree: (count) => `${plural(count, 'workstream')} would make worktrees and leave commits`,
  'needs-left-out': (count) => `${plural(count, 'workstream')} would need one of those`,
};

/** Why these are not run, with their number for each reason. */
function leftOutText(leftOut: readonly LeftOut[]): string {
  const counts = new Map<WhyLeftOut, number>();
  for (const { why } of leftOut) counts.set(why, (counts.get(why) ?? 0) + 1);
  return [...counts].map(([why, count]) => WHY[why](count)).join('; ');
}

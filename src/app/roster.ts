/** The roster of a run: how many agents it begins with, and their names, tools and tracks. */
import picomatch from 'picomatch';
import type { NamedAgent, Project } from '../domain/project.ts';
import type { Scaling } from '../domain/scaling.ts';
import type { ToolSettings } from '../domain/tool.ts';
import type { Workstream } from '../domain/workstream.ts';
import { agentsFor, filesNeeded, openFilesLimit } from '../os/open-files.ts';
import { usableCores } from '../os/usable-cores.ts';
import type { Tracks } from '../plan/ready-queue.ts';
import { type ScalingPolicy, startScaling } from '../scaling/decide.ts';
import { agentNames } from '../scaling/scaler.ts';
import { plural } from '../text/format.ts';
import { AUTO_AGENTS } from './option-table.ts';
import type { RunOptions } from './options.ts';
import { Refusal } from './refusal.ts';
import { mostOf } from './reserving.ts';
import { toolSettings } from './tools.ts';

export interface Roster {
  /** Names of the agents to start with. */
  names: string[];
  /** Their number at the start and at most; null where it does not change. */
  scaling: { start: Scaling; policy: ScalingPolicy } | null;
  /**
   * How the agent of this index calls the tools of a workstream, by the names that its steps use.
   * @param tool the one for all of them, whatever the run, the agent or the step says.
   */
  toolsOf: (agent: number, workstream: Workstream, tool?: string) => Record<string, ToolSettings>;
  /** Which agent takes which workstreams; null where each takes any. */
  tracks: Tracks | null;
}

type RosterOptions = Pick<
  RunOptions,
  'agentsCount' | 'maxAgents' | 'bestOf' | 'ask' | 'distribution' | 'project' | 'tool' | 'cpus' | 'memory'
>;

/** What bounds the number of agents. */
export interface MachineLimits {
  /** Cores that this process may use. */
  cores?: number;
  /** Files that it may have open at once; null for any number. */
  files?: number | null;
}

/**
 * Agents named in the configuration come first, and further ones are called agent-N. Without names there are no more
 * agents than workstreams and candidates of these; when a person is asked about each there is one.
 * @throws Refusal with exit code 2 for an unknown tool, for tracks under a pinned distribution, and for a
 * number that follows the load where agents are named or pinned.
 */
export function makeRoster(
  options: RosterOptions,
  workstreams: readonly Workstream[],
  { cores = usableCores(), files = openFilesLimit() }: MachineLimits = {},
): Roster {
  const { project, tool, bestOf } = options;
  const parts = partsOf(workstreams, bestOf);
  const scaling = scalingOf(options, workstreams, parts, { cores, files });
  const count = scaling?.start.to ?? agentCount(options, parts);
  refuseTooFewFiles(count, files);
  const named = project.agents.slice(0, count);
  refuseUnknownTools([tool, ...bestOf, ...named.map((agent) => agent.tool)], project);
  const names = agentNames(count).map((name, index) => named[index]?.name ?? name);
  return {
    names,
    scaling,
    toolsOf: toolsOf(options, named),
    tracks: tracksOf(options, named, count, workstreams),
  };
}

/** The most agents of `auto` where nothing else is said. */
function defaultMaxAgents(cores: number): number {
  const { eachCore, least, most } = AUTO_AGENTS;
  return Math.min(most, Math.max(least, eachCore * Math.ceil(cores)));
}

function scalingOf(
  options: RosterOptions,
  workstreams: readonly Workstream[],
  parts: number,
  { cores, files }: Required<MachineLimits>,
): Roster['scaling'] {
  if (options.agentsCount !== 'auto') return null;
  if (options.project.agents.length > 0) {
    throw new Refusal(
      2,
      'The agents are named in millrace.config.json, which fixes their number. Give a number instead of auto, or remove the names.',
    );
  }
  if (options.distribution === 'round-robin') {
    throw new Refusal(
      2,
      'Under --distribution round-robin each workstream belongs to an agent, which fixes their number. Give a number instead of auto.',
    );
  }
  if (options.ask !== null) return null;
  const wanted = options.maxAgents ?? defaultMaxAgents(cores);
  return startScaling({
    cores: Math.min(cores, options.cpus ?? cores),
    isGiven: options.cpus !== null && options.cpus < cores,
    max: files === null ? wanted : Math.min(wanted, agentsFor(files)),
    workstreams: parts,
    fitting: mostOf(workstreams, options),
  });
}

/** Otherwise opening a file would fail in the middle of the run. */
function refuseTooFewFiles(agents: number, files: number | null): void {
  if (files === null || files >= filesNeeded(agents)) return;
  throw new Refusal(
    2,
    `This process may have ${files} files open at once, and ${plural(agents, 'agent')} need ${filesNeeded(agents)}. Raise the limit (ulimit -n 1024), or take fewer agents (-j ${agentsFor(files)}).`,
  );
}

/** How much can be executed at the same time at most: the candidates of a workstream are each a part of it. */
const partsOf = (workstreams: readonly Workstream[], bestOf: readonly string[]): number =>
  bestOf.length === 0
    ? workstreams.length
    : workstreams.reduce(
        (sum, { steps }) => sum + (steps.some(({ kind }) => kind === 'tool') ? bestOf.length : 1),
        0,
      );

function agentCount({ agentsCount, ask, project }: RosterOptions, parts: number): number {
  if (ask !== null || agentsCount === 'auto') return 1;
  return project.agents.length > 0 ? agentsCount : Math.max(1, Math.min(agentsCount, parts));
}

function refuseUnknownTools(names: (string | null | undefined)[], project: Project): void {
  for (const name of names) {
    if (name === null || name === undefined || toolSettings(name, project) !== null) continue;
    throw new Refusal(
      2,
      `There is no tool "${name}". Use claude, codex, gemini, opencode or aider, or describe it under tools in millrace.config.json.`,
    );
  }
}

/** The tool of the run goes before that of the agent, and that before the one that the step names. */
export function toolsOf(
  { project, tool }: Pick<RunOptions, 'project' | 'tool'>,
  named: readonly NamedAgent[],
): Roster['toolsOf'] {
  const known = new Map<string, ToolSettings | null>();
  const lookUp = (name: string): ToolSettings | null => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const settings = toolSettings(name, project);
    known.set(name, settings);
    return settings;
  };
  return (agent, { steps }, only) => {
    const tools = new Map<string, ToolSettings>();
    for (const step of steps) {
      if (step.kind !== 'tool') continue;
      const settings = lookUp(only ?? tool ?? named[agent]?.tool ?? step.tool);
      if (settings !== null) tools.set(step.tool, settings);
    }
    return Object.fromEntries(tools);
  };
}

/** Track 0 is that of workstreams without a track, or with one that no agent takes: any agent takes them. */
function tracksOf(
  { project, distribution }: RosterOptions,
  named: readonly NamedAgent[],
  count: number,
  workstreams: readonly Workstream[],
): Tracks | null {
  const taken = [...new Set(named.flatMap(({ tracks }) => tracks ?? []))];
  if (taken.length === 0) return null;
  if (distribution === 'round-robin') {
    throw new Refusal(
      2,
      'Agents with tracks take the workstreams of these, so --distribution round-robin is not possible. Remove the tracks, or use --distribution dynamic.',
    );
  }
  const numbers = new Map(taken.map((track, index) => [track, index + 1]));
  const everything = [0, ...numbers.values()];
  const takes = Array.from({ length: count }, (_, agent) => {
    const own = named[agent]?.tracks;
    return own === undefined ? everything : [0, ...own.map((track) => numbers.get(track) ?? 0)];
  });
  const trackOf = trackFinder(project);
  const of = Int32Array.from(workstreams, (workstream) => numbers.get(trackOf(workstream) ?? '') ?? 0);
  return { of, takes, count: everything.length };
}

/** A workstream's own track, or the first of the configuration's whose ids and globs have its id. */
function trackFinder({ tracks }: Project): (workstream: Workstream) => string | null {
  const rules = Object.entries(tracks).map(([track, patterns]) => ({ track, covers: picomatch(patterns) }));
  return ({ id, track }) => track ?? rules.find(({ covers }) => covers(id))?.track ?? null;
}

import type { LocalEngine } from '../../domain/engine.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { EngineByIsolation } from '../../engine/by-isolation.ts';
import { findNativeHost } from '../../engine/native-host.ts';
import { ProcessEngine } from '../../engine/processes.ts';
import { ThreadEngine } from '../../engine/threads.ts';
import type { Redactor } from '../../secrets/redactor.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';

/** From this number of commands on, a command host saves more time than its start takes: the native one, and that of Node. */
const MANY_COMMANDS = 8;
const MANY_FOR_NODE = 50;

export interface EngineParts {
  options: RunOptions;
  paths: Paths;
  redactor: Redactor;
  /** Number of agents to start with. */
  agents: number;
  /** What is to be executed. */
  workstreams: readonly Workstream[];
  /** Called with what a workstream's code did after the workstream had ended. */
  onLate: (workstreamId: string, text: string) => void;
}

/** The engine of a run. The threads that the first workstreams need start at once. */
export function createEngine(parts: EngineParts): LocalEngine {
  const { options, paths, redactor, agents, workstreams, onLate } = parts;
  const settings = {
    project: paths.cwd,
    memoryMb: options.agentMemoryMb,
    logLevel: options.logLevel,
    cacheFolder: paths.cache,
    redactor,
    onLate,
  };
  return new EngineByIsolation({
    thread: new ThreadEngine({
      ...settings,
      agents,
      startedAtOnce: countFree(workstreams, agents),
      manyCommands: hasManyCommands(workstreams),
    }),
    process: new ProcessEngine(settings),
  });
}

/** Counts, no further than to `most`, the workstreams that need a thread and depend on nothing. */
function countFree(workstreams: readonly Workstream[], most: number): number {
  let free = 0;
  for (const { dependsOn, isolation } of workstreams) {
    if (free >= most) break;
    if (dependsOn.length === 0 && isolation === 'thread') free += 1;
  }
  return free;
}

/** On Windows starting a process does not copy this one. */
function hasManyCommands(workstreams: readonly Workstream[]): boolean {
  if (process.platform === 'win32') return false;
  const commands = countCommands(workstreams, MANY_FOR_NODE);
  return commands >= MANY_FOR_NODE || (commands >= MANY_COMMANDS && findNativeHost().file !== null);
}

/** Counts no further than to `most`. */
function countCommands(workstreams: readonly Workstream[], most: number): number {
  let commands = 0;
  for (const { steps, acceptanceTests } of workstreams) {
    for (const { kind } of steps) if (kind === 'run' || kind === 'command') commands += 1;
    commands += acceptanceTests.length;
    if (commands >= most) return most;
  }
  return commands;
}

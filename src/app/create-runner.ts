import type { Inheritance } from '../domain/earlier-run.ts';
import type { Engine } from '../domain/engine.ts';
import type { Json } from '../domain/json.ts';
import type { Workspaces } from '../domain/workspaces.ts';
import { WorkspaceManager } from '../run/attempt/workspace-manager.ts';
import { WorkstreamRunner } from '../run/attempt/workstream-runner.ts';
import type { RunOptions } from './options.ts';
import type { Paths } from './paths.ts';
import type { Roster } from './agent-names.ts';

export interface RunnerWiring {
  runId: string;
  options: RunOptions;
  paths: Paths;
  engine: Engine;
  roster: Roster;
  workspaces: Workspaces;
  inheritance: Inheritance;
  /** Reads stored outputs of workstreams, by id. */
  outputsOf: (ids: readonly string[]) => Record<string, Json>;
}

/** What takes a workstream through its attempts, with the options of the run. */
export function createRunner(parts: RunnerWiring): WorkstreamRunner {
  const { runId, options, paths, engine, roster, workspaces, inheritance, outputsOf } = parts;
  const { timeoutSeconds, graceSeconds, maxOutputMb, project } = options;
  return new WorkstreamRunner({
    runId,
    engine,
    workplaces: new WorkspaceManager({
      workspaces,
      folder: paths.cwd,
      merge: options.merge === 'run',
      earlierWork: inheritance.work,
    }),
    limits: { timeoutSeconds, graceSeconds, maxOutputMb },
    logFolder: paths.logs(runId),
    outputsOf,
    toolsOf: roster.toolsOf,
    gates: project.gates,
    shell: project.shell,
    bestOf: options.bestOf,
    outsideScope: options.outsideScope,
    maxCostUsd: options.maxCostUsd,
    toolCircuit: options.toolCircuit,
    inheritance,
  });
}

/** An assignment whose paths hold on any machine, and its outcome with the paths of this one. */
import { basename, isAbsolute, join } from 'node:path';
import { type Assignment, relativeToProject } from '../../domain/assignment.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { copyOf, type Workstream } from '../../domain/workstream.ts';

/** Makes the paths in the project's folder relative to it; the others stay as they are. */
export function portableAssignment(assignment: Assignment, project: string): Assignment {
  return withPaths(assignment, (path) => relativeToProject(path, project));
}

/** The same assignment where the project is in this absolute folder, and its log is written into another. */
export function localAssignment(assignment: Assignment, project: string, logFolder: string): Assignment {
  const local = withPaths(assignment, (path) => absolute(path, project));
  return { ...local, logFile: join(logFolder, basename(assignment.logFile)) };
}

const absolute = (path: string, project: string): string => (isAbsolute(path) ? path : join(project, path));

function withPaths(assignment: Assignment, map: (path: string) => string): Assignment {
  return {
    ...assignment,
    workspace: map(assignment.workspace),
    logFile: map(assignment.logFile),
    workstream: workstreamWithPaths(assignment.workstream, map),
  };
}

function workstreamWithPaths(workstream: Workstream, map: (path: string) => string): Workstream {
  const mapCwd = <T extends { cwd: string | null }>(one: T): T =>
    one.cwd === null ? one : { ...one, cwd: map(one.cwd) };
  return copyOf(workstream, {
    steps: workstream.steps.map((step) => {
      const moved = mapCwd(step);
      return moved.kind === 'module' ? { ...moved, module: map(moved.module) } : moved;
    }),
    acceptanceTests: workstream.acceptanceTests.map((test) => (test.kind === 'run' ? mapCwd(test) : test)),
    compensation: workstream.compensation.map(mapCwd),
  });
}

/** The absolute paths of modules and folders in it that are not in the project's folder. */
export const pathsOutside = (workstream: Workstream, project: string): string[] =>
  pathsOf(workstream, project).filter((path) => isAbsolute(path));

/** The modules and folders that it names: relative to the project where they are in its folder, else absolute. */
export function pathsOf(workstream: Workstream, project: string): string[] {
  const paths = new Set<string>();
  workstreamWithPaths(workstream, (path) => {
    paths.add(relativeToProject(path, project));
    return path;
  });
  return [...paths];
}

/**
 * Replaces every path of a log in an outcome.
 * @param map null for a path that is none of its logs.
 */
export function withLogPaths(outcome: Outcome, map: (path: string) => string | null): Outcome {
  const mapped = (path: string | null): string | null => (path === null ? null : map(path));
  const inFailure = (failure: Failure | null): Failure | null =>
    failure !== null && 'log' in failure ? { ...failure, log: mapped(failure.log ?? null) } : failure;
  return {
    ...outcome,
    logFile: mapped(outcome.logFile),
    failure: inFailure(outcome.failure),
    steps: outcome.steps.map((step) => ({ ...step, failure: inFailure(step.failure) })),
    tests: outcome.tests.map((test) => ({ ...test, logFile: mapped(test.logFile) })),
  };
}

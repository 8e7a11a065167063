/** What workstreams ask to be contained with, and whether this machine can. */

import type { PlannedContaining, Problem } from '../../domain/plan.ts';
import { type AskedContaining, askedContaining } from '../../domain/policy/containing.ts';
import type { ToolSettings } from '../../domain/tool.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { sandboxObstacle } from '../../os/bubblewrap.ts';
import { plural } from '../../text/format.ts';

/** How the tools of a workstream are called, by the names that its steps use. */
export type ToolsOf = (workstream: Workstream) => Record<string, ToolSettings>;

interface Asking {
  workstream: Workstream;
  asked: AskedContaining;
}

const askingOf = (workstreams: readonly Workstream[], toolsOf: ToolsOf): Asking[] =>
  workstreams.map((workstream) => ({
    workstream,
    asked: askedContaining({ workstream, tools: toolsOf(workstream) }),
  }));

/** What this machine is asked to contain; null for nothing. bwrap is tried once, where something is. */
export async function plannedContaining(
  workstreams: readonly Workstream[],
  toolsOf: ToolsOf,
): Promise<PlannedContaining | null> {
  const contained = askingOf(workstreams, toolsOf).filter(({ asked }) => asked.contained.length > 0);
  if (contained.length === 0) return null;
  return {
    kind: 'bwrap',
    workstreams: contained.map(({ workstream }) => workstream.id),
    limitedNetworks: contained.filter(({ asked }) => asked.limitsNetwork).length,
    obstacle: await sandboxObstacle(),
  };
}

/** What is wrong with containing: a limit of the network that nothing enforces, and a machine that can contain nothing. */
export function containingProblems(
  workstreams: readonly Workstream[],
  toolsOf: ToolsOf,
  planned: PlannedContaining | null,
): Problem[] {
  const problems = askingOf(workstreams, toolsOf).flatMap(({ workstream, asked }): Problem[] =>
    asked.unguarded === null ? [] : [problemOf('error', workstream, 'network', asked.unguarded)],
  );
  if (planned === null || planned.obstacle === null) return problems;
  const [first = ''] = planned.workstreams;
  const named = workstreams.find(({ id }) => id === first);
  if (named === undefined) return problems;
  const message = `a run on this machine refuses ${plural(planned.workstreams.length, 'workstream')} with a sandbox, ${first} the first, with sandbox-unavailable: ${planned.obstacle}`;
  return [...problems, problemOf('warning', named, 'sandbox', message)];
}

const problemOf = (
  severity: Problem['severity'],
  { id, source }: Workstream,
  path: string,
  message: string,
): Problem => ({ severity, file: source.file, line: null, column: null, path, message, workstreamId: id });

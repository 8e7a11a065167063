/** Which sandbox and network a step, a setup line or an acceptance test gets, and how long its way out is open. */
import { fileURLToPath } from 'node:url';
import type { Failure } from '../../src/domain/failure.ts';
import { type Containing, NOT_SAID } from '../../src/domain/policy/sandbox.ts';
import { type BuiltInTool, isBuiltIn, type ToolSettings } from '../../src/domain/tool.ts';
import type { Step } from '../../src/domain/workstream.ts';
import { makeTemporaryFolder } from '../../src/os/temporary-folders.ts';
import { oneLine } from '../../src/text/printable.ts';
import type { Execution } from '../execution.ts';
import { variables } from '../thread/thread-state.ts';
import {
  type Containment,
  containmentOf,
  type SandboxMount,
  sandboxObstacle,
  stateFolderOf,
  unavailable,
} from './sandbox.ts';

type Contained = Pick<Execution, 'assignment' | 'warn'>;

/** What of a command decides on its view. */
interface CommandPlace {
  env: Readonly<Record<string, string | undefined>>;
  /** Absolute folders of the step's own. */
  own?: readonly string[];
  tool?: BuiltInTool | null;
}

/** What a step says, and where it says nothing, the configuration of its tool. */
export function containingOf(step: Step, tools: Readonly<Record<string, ToolSettings>>): Containing {
  if (step.kind === 'module') return NOT_SAID;
  const settings = step.kind === 'tool' && Object.hasOwn(tools, step.tool) ? tools[step.tool] : undefined;
  return {
    sandbox: step.sandbox ?? settings?.sandbox ?? null,
    network: step.network ?? settings?.network ?? null,
  };
}

/**
 * How what runs the work of the steps is contained, such as acceptance tests: as the workstream says, and otherwise as
 * its first contained step, because that may have written what they run.
 */
export function containingOfWork({ assignment: { workstream, tools } }: Contained): Containing {
  const { sandbox, network, steps } = workstream;
  if (sandbox !== null) return { sandbox, network };
  const ofSteps = steps.map((step) => containingOf(step, tools));
  return ofSteps.find((containing) => isContained(containing)) ?? NOT_SAID;
}

const isContained = ({ sandbox }: Containing): boolean => sandbox !== null && sandbox.kind !== 'none';

const isLimited = ({ network }: Containing): boolean => network !== null && network !== 'all';

/** Why an execution can't begin: nothing of it may run without the containment that it asks for. */
export async function refusedContaining(execution: Contained): Promise<Failure | null> {
  const { workstream, tools } = execution.assignment;
  const all = [...workstream.steps.map((step) => containingOf(step, tools)), containingOfWork(execution)];
  if (all.some((each) => isLimited(each) && !isContained(each)))
    return unavailable('a limit of its `network` needs a `sandbox`, and it has none: set sandbox to bwrap');
  return all.some(isContained) ? sandboxObstacle() : null;
}

/** Runs `work` with the containment that is asked for, null for none; or returns why there can be none. */
export async function contained<Result>(
  { sandbox, network }: Containing,
  execution: Contained,
  { env, own = [], tool = null }: CommandPlace,
  work: (containment: Containment | null) => Promise<Result>,
): Promise<Result | Failure> {
  if (sandbox === null || sandbox.kind === 'none') return work(null);
  const { workspace, logFile } = execution.assignment;
  const view = containmentOf(sandbox, {
    workspace,
    state: stateFolderOf(logFile),
    own,
    tool,
    env: { ...variables(), ...env },
  });
  if ('reason' in view) return view;
  if (network === null || network === 'all') return work(view);
  if (network === 'none') return work({ ...view, sharesNetwork: false });
  return withProxy(network, view, execution, work);
}

/** The built-in tool that a configured one is a form of, whose state it writes. */
export const builtInOf = ({ adapter }: ToolSettings): BuiltInTool | null =>
  isBuiltIn(adapter) ? adapter : null;

/** Loaded by the few executions that reach some hosts only. */
async function withProxy<Result>(
  hosts: readonly string[],
  view: Containment,
  execution: Contained,
  work: (containment: Containment) => Promise<Result>,
): Promise<Result> {
  const { startProxy } = await import('./network-proxy.ts');
  const refused = new Set<string>();
  const onRefused = (target: string): void => {
    const shown = oneLine(target, 100);
    if (!refused.has(shown))
      execution.warn(`It tried to reach ${shown}, which its \`network\` does not list.`);
    refused.add(shown);
  };
  const proxy = await startProxy(hosts, () => makeTemporaryFolder('proxy'), onRefused);
  const gateway = fileURLToPath(new URL('./network-gateway.cjs', import.meta.url));
  const readable = [proxy.socket, gateway, process.execPath];
  const extra = readable.map((path): SandboxMount => ({ path, access: 'read', isFolder: false }));
  try {
    return await work({
      mounts: [...view.mounts, ...extra],
      sharesNetwork: false,
      gateway: [process.execPath, gateway, proxy.socket],
    });
  } finally {
    proxy.close();
  }
}

/** Which sandbox and network a step, a setup line or an acceptance test gets, and how long its way out is open. */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Failure } from '../../src/domain/failure.ts';
import { askedContaining } from '../../src/domain/policy/containing.ts';
import type { Containing, Sandbox } from '../../src/domain/policy/sandbox.ts';
import { type BuiltInTool, isBuiltIn, type ToolSettings } from '../../src/domain/tool.ts';
import { type Containment, type SandboxMount, sandboxObstacle } from '../../src/os/bubblewrap.ts';
import { makeTemporaryFolder } from '../../src/os/temporary-folders.ts';
import { oneLine } from '../../src/text/printable.ts';
import type { Execution } from '../execution.ts';
import { variables } from '../thread/thread-state.ts';
import { containmentOf, stateFolderOf, unavailable } from './sandbox.ts';

type Contained = Pick<Execution, 'assignment' | 'warn'>;

/** What of a command decides on its view. */
interface CommandPlace {
  env: Readonly<Record<string, string | undefined>>;
  /** Absolute folders of the step's own. */
  own?: readonly string[];
  tool?: BuiltInTool | null;
}

/** Why an execution can't begin: nothing of it may run without the containment that it asks for. */
export async function refusedContaining({ assignment }: Contained): Promise<Failure | null> {
  const { contained, unguarded } = askedContaining(assignment);
  if (unguarded !== null) return unavailable(unguarded);
  const obstacle = contained.length === 0 ? null : await sandboxObstacle();
  return obstacle === null ? null : unavailable(obstacle);
}

/** Runs `work` with the containment that is asked for, null for none; or returns why there can be none. */
export async function contained<Result>(
  { sandbox, network }: Containing,
  execution: Contained,
  { env, own = [], tool = null }: CommandPlace,
  work: (containment: Containment | null) => Promise<Result>,
): Promise<Result | Failure> {
  if (sandbox === null || sandbox.kind === 'none') return work(null);
  const copies = makeTemporaryFolder('copies');
  try {
    return await containedIn(copies, { sandbox, network }, execution, { env, own, tool }, work);
  } finally {
    rmSync(copies, { recursive: true, force: true });
  }
}

/** @param copies folder for copies of what is not to be changed. */
async function containedIn<Result>(
  copies: string,
  { sandbox, network }: Containing & { sandbox: Sandbox },
  execution: Contained,
  { env, own, tool }: Required<CommandPlace>,
  work: (containment: Containment) => Promise<Result>,
): Promise<Result | Failure> {
  const { workspace, logFile } = execution.assignment;
  const view = containmentOf(sandbox, {
    copies,
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

/** The reason with which a worktree is locked says whose it is; `git worktree list -v` shows it to people. */
import type { ProcessIdentity } from '../support/process-identity.ts';

/** Whose worktree it is. */
export interface Owner {
  runId: string;
  workstreamId: string;
  attempt: number;
  agentId: string;
  /** The commit it started from. */
  start: string;
  process: ProcessIdentity;
}

const REASON =
  /^Millrace (\S+) (\S+) attempt (\d+) by (\S+) from ([0-9a-f]+), pid (\d+) started (\S+) on (.+?)(?: \(boot (\S+), (\S+)\))?$/;

export function lockReason({ runId, workstreamId, attempt, agentId, start, process }: Owner): string {
  const { pid, started, hostname, bootId, pidNamespace } = process;
  const where = bootId && pidNamespace ? ` (boot ${bootId}, ${pidNamespace})` : '';
  return (
    `Millrace ${runId} ${workstreamId} attempt ${attempt} by ${agentId} from ${start}, ` +
    `pid ${pid} started ${started ?? '-'} on ${hostname}${where}`
  );
}

/** The owner that a reason names; null for a worktree that is not Millrace's. */
export function parseLockReason(reason: string): Owner | null {
  const [, runId, workstreamId, attempt, agentId, start, pid, started, hostname, boot, namespace] =
    REASON.exec(reason) ?? [];
  if (
    runId === undefined ||
    workstreamId === undefined ||
    agentId === undefined ||
    start === undefined ||
    hostname === undefined
  )
    return null;
  return {
    runId,
    workstreamId,
    attempt: Number(attempt),
    agentId,
    start,
    process: {
      pid: Number(pid),
      started: started === '-' ? null : (started ?? null),
      hostname,
      ...(boot === undefined || namespace === undefined ? {} : { bootId: boot, pidNamespace: namespace }),
    },
  };
}

/** What this process with its threads, and the processes that it started, use together. */
import { existsSync, readdirSync } from 'node:fs';
import { childrenOf, livingProcesses, usageOf } from './process-table.ts';
import { readText } from './read-text.ts';

export interface TreeUsage {
  /** Processor time since the start, that of processes that have ended and were waited for included. */
  cpuSeconds: number;
  /** Seconds that each thread was ready to run and had no processor. Null where the system does not report it. */
  waitedSeconds: ReadonlyMap<string, number> | null;
  /** Resident memory in bytes. */
  memory: number;
  /** Number of processes, this one included. */
  processes: number;
}

const hasChildren = existsSync(`/proc/${process.pid}/task/${process.pid}/children`);
const hasWaiting = existsSync(`/proc/${process.pid}/schedstat`);

/** On Linux two small files are read for each thread and each process; elsewhere only this process is known. */
export function treeUsage(): TreeUsage {
  const { user, system } = process.cpuUsage();
  const own = process.memoryUsage.rss();
  if (process.platform !== 'linux') {
    return { cpuSeconds: (user + system) / 1e6, waitedSeconds: null, memory: own, processes: 1 };
  }
  const parents = hasChildren ? null : childrenByParent();
  const waited = new Map<string, number>();
  const self = usageOf(process.pid);
  const usage = {
    cpuSeconds: (user + system) / 1e6 + (self?.reapedCpuSeconds ?? 0),
    memory: own,
    processes: 1,
  };
  const page = self === null ? 0 : pageBytes(own, self.pages);
  const queue = visit(process.pid, waited, parents);
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    const used = usageOf(pid);
    if (used === null) continue;
    usage.processes += 1;
    usage.cpuSeconds += used.cpuSeconds + used.reapedCpuSeconds;
    usage.memory += used.pages * page;
    queue.push(...visit(pid, waited, parents));
  }
  return { ...usage, waitedSeconds: hasWaiting ? waited : null };
}

/** CPU time in seconds, and resident memory in bytes, of a process and its descendants; null when it has ended. */
export function treeUsageOf(root: number): Pick<TreeUsage, 'cpuSeconds' | 'memory'> | null {
  const parents = hasChildren ? null : childrenByParent();
  const page = ownPageBytes();
  const usage = { cpuSeconds: 0, memory: 0 };
  // One that has just been started has used nothing yet.
  let isThere = false;
  const queue = [root];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    const used = usageOf(pid);
    if (used === null) continue;
    isThere = true;
    usage.cpuSeconds += used.cpuSeconds + used.reapedCpuSeconds;
    usage.memory += used.pages * page;
    if (parents === null)
      queue.push(...threadsOf(pid).flatMap((thread) => childrenOf(`${pid}/task/${thread}`)));
    else queue.push(...(parents.get(pid) ?? []));
  }
  return isThere ? usage : null;
}

let knownPageBytes: number | null = null;

function ownPageBytes(): number {
  knownPageBytes ??= pageBytes(process.memoryUsage.rss(), usageOf(process.pid)?.pages ?? 0);
  return knownPageBytes;
}

/** Adds to `waited` how long each thread of a process has waited. Returns the children of the process. */
function visit(pid: number, waited: Map<string, number>, parents: Map<number, number[]> | null): number[] {
  const children: number[] = [...(parents?.get(pid) ?? [])];
  for (const thread of threadsOf(pid)) {
    const folder = `/proc/${pid}/task/${thread}`;
    if (hasWaiting) {
      const nanoseconds = Number(readText(`${folder}/schedstat`).split(' ')[1]);
      if (Number.isFinite(nanoseconds)) waited.set(thread, nanoseconds / 1e9);
    }
    if (hasChildren) children.push(...listed(readText(`${folder}/children`)));
  }
  return children;
}

const listed = (text: string): number[] => text.split(' ').filter(Boolean).map(Number);

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** A power of two, from the memory of this process in bytes and in pages. */
const pageBytes = (bytes: number, pages: number): number =>
  2 ** Math.round(Math.log2(bytes / Math.max(1, pages)));

/** For a Linux that was built without the lists of children. */
function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of livingProcesses()) {
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  return children;
}

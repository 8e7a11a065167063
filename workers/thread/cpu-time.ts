import { openSync, readSync } from 'node:fs';
import { now } from './own-globals.ts';

const SCHEDSTAT = '/proc/thread-self/schedstat';
const buffer = Buffer.alloc(64);
let file: number | null | undefined;

let last: CpuTime | null = null;
let lastAt = 0;

/** What a thread has had of the processors since it started, in seconds. */
export interface CpuTime {
  used: number;
  /** Ready to run, and waiting for a processor. */
  waited: number;
}

/**
 * The calling thread's CPU time; null where the platform can't tell. On Linux these are the first two fields of
 * `/proc/thread-self/schedstat`, in nanoseconds (proc(5)); the file is opened once for each thread, and opening it
 * binds it to that thread.
 */
function threadCpuTime(): CpuTime | null {
  if (file === undefined) file = open();
  if (file === null) return null;
  const text = buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0));
  const end = text.indexOf(' ');
  const used = Number(text.slice(0, end));
  const waited = Number(text.slice(end, text.indexOf(' ', end + 1)));
  if (!Number.isFinite(used + waited)) return null;
  last = { used: used / 1e9, waited: waited / 1e9 };
  lastAt = now();
  return last;
}

/**
 * The kernel brings these times up to date every few milliseconds, while a thread runs, and reading them takes as long as
 * a small function runs. So a reading is used for a moment: at the end of an execution for a shorter one, so that it is
 * mostly there that they are read, and the next execution goes on from the same reading.
 */
const RECENT_MS = { begin: 1, end: 0.5 } as const;

const recent = (milliseconds: number): CpuTime | null =>
  last !== null && now() - lastAt < milliseconds ? last : threadCpuTime();

/** What the thread has had of the processors, as known at most a millisecond ago. */
export const recentThreadCpuTime = (): CpuTime | null => recent(RECENT_MS.begin);

/** What the thread has had of the processors since then; null for what can't be known. */
export function cpuTimeSince(before: CpuTime | null): { used: number | null; waited: number | null } {
  const after = recent(RECENT_MS.end);
  if (before === null || after === null) return { used: null, waited: null };
  return {
    used: Math.max(0, after.used - before.used),
    waited: Math.max(0, after.waited - before.waited),
  };
}

function open(): number | null {
  try {
    return openSync(SCHEDSTAT, 'r');
  } catch {
    // Not Linux, or /proc is hidden: the time can't be known.
    return null;
  }
}

/**
 * Watches from the main thread how large the logs of executions get: an agent does so itself, unless its thread is
 * blocked, as by a command that it waits for.
 */
import { lstatSync } from 'node:fs';

const EVERY_MS = 500;

export interface WatchedLog {
  path: string;
  mostBytes: number;
  onOver(): void;
}

const logs = new Set<WatchedLog>();
let timer: NodeJS.Timeout | null = null;

/** Calls `onOver` once when the log is larger than it may be. */
export function watchLog(log: WatchedLog): void {
  logs.add(log);
  timer ??= setInterval(look, EVERY_MS).unref();
}

export function unwatchLog(log: WatchedLog): void {
  if (!logs.delete(log) || logs.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}

function look(): void {
  for (const log of logs) {
    if (sizeOf(log.path) <= log.mostBytes) continue;
    unwatchLog(log);
    log.onOver();
  }
}

function sizeOf(path: string): number {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    // Its folder is not there, or closed: nothing more gets there by this path.
    return 0;
  }
}

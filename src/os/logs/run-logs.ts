/** Reads what all workstreams of a run print, also while they do: each line with the name of its workstream. */
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { beginOfTail, LogFile, PastSizes } from './read-log.ts';

/** What is read at a time, in bytes: a longer line comes in parts. */
const PART = 64 * 1024;
/** How often the logs are looked at, in milliseconds. */
const LOOK_MS = 100;
const LINE_END = 10;

export interface LogsOfRun {
  /** Folder of the logs of the run. */
  folder: string;
  begin: BeginOfLogs;
  /** Whether a workstream has its result, so that nothing more is written to its logs. */
  hasEnded: (workstreamId: string) => boolean;
  /** Whether nothing more is written to any of them. */
  isOver: () => boolean;
  /** Called at each look after which there is more to come. */
  onWait?: () => void;
  /** Ends it early. */
  signal?: AbortSignal;
}

/** With how much of what was printed before to begin. */
export interface BeginOfLogs {
  /** The last lines of each log, so many; null for all. */
  lines: number | null;
  /** Most bytes of these lines. */
  bytes: number;
  /** Most logs of workstreams that have ended: those that were begun last. */
  ended: number;
}

export const ALL_THERE_IS: BeginOfLogs = { lines: null, bytes: Infinity, ended: Infinity };

/** Whole lines of one log, or a part of a line that is too long, or has no end. */
export interface LogPart {
  /** Ids have no dots, and what follows the first one in the name of a log tells the logs of a workstream apart. */
  workstreamId: string;
  /** Another one for each file, also where one has the name of another that was removed. */
  log: string;
  /** Offsets of the text in the file, in bytes. */
  from: number;
  to: number;
  text: string;
}

/** What there is and what is added, until the run is over. Each log in its order; logs in the order in which they were begun. */
export async function* followedLogs(logs: LogsOfRun): AsyncGenerator<LogPart, void, undefined> {
  const { folder, begin, hasEnded, isOver, onWait, signal } = logs;
  const open = new Map<string, LinesOfLog>();
  const names = new NewNames(folder);
  const isLeft = (): boolean => signal?.aborted === true;
  let isBegin = true;
  try {
    while (!isLeft()) {
      // Asked before the files are read: what was written until then is read.
      const isLast = isOver();
      const fresh = names.next();
      for (const name of isBegin ? withoutOldest(fresh, begin.ended, hasEnded) : fresh)
        open.set(name, new LinesOfLog(folder, name, isBegin ? begin : ALL_THERE_IS));
      isBegin = false;
      for (const [name, log] of open) {
        const isEnded = isLast || hasEnded(log.workstreamId);
        yield* log.parts(isEnded);
        if (!isEnded) continue;
        log.close();
        open.delete(name);
      }
      if (isLast) return;
      onWait?.();
      await pause(signal);
    }
  } finally {
    for (const log of open.values()) log.close();
  }
}

const workstreamOf = (name: string): string => name.replace(/\..*$/s, '');

/** Without the logs of ended workstreams but for the newest, so many. */
function withoutOldest(
  names: readonly string[],
  most: number,
  hasEnded: LogsOfRun['hasEnded'],
): readonly string[] {
  if (names.length <= most) return names;
  const newest = names.length - most;
  return names.filter((name, index) => index >= newest || !hasEnded(workstreamOf(name)));
}

/** Ends early where the signal is aborted. */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  try {
    await wait(LOOK_MS, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/** The logs in a folder that there were not before, in the order in which they were begun. */
class NewNames {
  readonly #folder: string;
  readonly #known = new Set<string>();
  #changedAt = Number.NaN;

  constructor(folder: string) {
    this.#folder = folder;
  }

  next(): string[] {
    const changedAt = statSync(this.#folder, { throwIfNoEntry: false })?.mtimeMs;
    // A file may have been made within the same millisecond as the last one that was seen.
    if (changedAt === undefined || (changedAt === this.#changedAt && Date.now() - changedAt > 1_000))
      return [];
    this.#changedAt = changedAt;
    const fresh = readdirSync(this.#folder).filter((name) => name.endsWith('.log') && !this.#known.has(name));
    for (const name of fresh) this.#known.add(name);
    return fresh
      .map((name) => ({ name, at: begunAt(`${this.#folder}/${name}`) }))
      .toSorted((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1))
      .map(({ name }) => name);
  }
}

/** When a file was made, in milliseconds since 1970. */
export function begunAt(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.birthtimeMs || (stats?.ctimeMs ?? 0);
}

/** One log, of which whole lines are read. */
class LinesOfLog {
  readonly workstreamId: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #begin: BeginOfLogs;
  #log: LogFile | null = null;
  #at: number | null = null;
  #sizes = new PastSizes();

  constructor(folder: string, name: string, begin: BeginOfLogs) {
    this.workstreamId = workstreamOf(name);
    this.#folder = folder;
    this.#name = name;
    this.#begin = begin;
  }

  /** @param isEnded whether nothing is added any more: until then what may still hold a secret, and a part of a line, wait. */
  async *parts(isEnded: boolean): AsyncGenerator<LogPart, void, undefined> {
    if (this.#log !== null && (!this.#log.isCurrent || this.#log.size < (this.#at ?? 0))) this.#reopen();
    this.#log ??= LogFile.open(this.#folder, this.#name);
    const log = this.#log;
    if (log === null) return;
    const end = isEnded ? log.size : this.#sizes.settled(log.size);
    // Where its last lines begin is known as soon as it is known what may be read of it.
    if (end === null) return;
    const { lines, bytes } = this.#begin;
    let at: number = this.#at ?? (lines === null ? 0 : await beginOfTail(log, end, lines, bytes));
    while (at < end) {
      const part = await log.bytes(at, Math.min(PART, end - at));
      const last = part.lastIndexOf(LINE_END) + 1;
      const isRest = part.length === PART || (isEnded && at + part.length >= end);
      const length = last > 0 ? last : isRest ? part.length : 0;
      if (length === 0) break;
      const from = at;
      at += length;
      const text = part.toString('utf8', 0, length);
      yield { workstreamId: this.workstreamId, log: `${this.#name} ${log.identity}`, from, to: at, text };
    }
    this.#at = at;
  }

  close(): void {
    this.#log?.close();
    this.#log = null;
  }

  /** Another file has the name: as made by a run that is resumed. */
  #reopen(): void {
    this.close();
    this.#at = 0;
    this.#sizes = new PastSizes();
  }
}

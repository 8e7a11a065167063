/** Reads what all workstreams of a run print, also while they do: each line with the name of its workstream. */
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { formatPosition, type LogsPosition } from './logs-position.ts';
import { beginOfTail, LogFile, PastSizes, wholeLength } from './read-log.ts';

/** What is read at a time, in bytes: a longer line comes in parts. */
const PART = 64 * 1024;
/** How often the logs are looked at, in milliseconds. */
const LOOK_MS = 100;
const LINE_END = 10;

export interface LogsOfRun {
  /** Folder of the logs of the run. */
  folder: string;
  begin: BeginOfLogs;
  /** Where to go on, as another reader has come; without it at `begin`. */
  after?: LogsPosition | null;
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
  for await (const read of logsWithPositions(logs)) if (typeof read !== 'string') yield read;
}

/** The same, and after each look at the logs how far they were read, where that has changed: another reader can go on there. */
export async function* logsWithPositions(logs: LogsOfRun): AsyncGenerator<LogPart | string, void, undefined> {
  const { hasEnded, isOver, onWait, signal } = logs;
  const isLeft = (): boolean => signal?.aborted === true;
  const reader = new LogsReader(logs);
  let position = '';
  try {
    while (!isLeft()) {
      // Asked before the files are read: what was written until then is read.
      const isLast = isOver();
      reader.look();
      for (const log of reader.open) {
        const isEnded = hasEnded(log.workstreamId);
        yield* log.parts(isEnded || isLast);
        // What a run left without a result is written anew when the run is resumed.
        if (isEnded) reader.close(log);
      }
      const next = reader.position;
      if (next !== position) yield (position = next);
      if (isLast) return;
      onWait?.();
      await pause(signal);
    }
  } finally {
    for (const log of reader.open) log.close();
  }
}

/**
 * Files that were begun within so many milliseconds before the newest are named one by one in a position: those that are made
 * within one tick of the clock have the same time, and some of them may not have been seen.
 */
const TICK_MS = 50;

/** Which logs there are, and how far each was read. */
class LogsReader {
  readonly #logs: LogsOfRun;
  readonly #names: NewNames;
  readonly #open = new Set<LinesOfLog>();
  /** Closed, and not begun long before the newest. */
  #closed: LinesOfLog[] = [];
  #begun = 0;
  #isFirst = true;

  constructor(logs: LogsOfRun) {
    this.#logs = logs;
    this.#names = new NewNames(logs.folder);
    this.#begun = logs.after?.begun ?? 0;
  }

  get open(): ReadonlySet<LinesOfLog> {
    return this.#open;
  }

  /** Opens the logs that there were not before. */
  look(): void {
    const { begin, after = null, hasEnded, folder } = this.#logs;
    const fresh = this.#names.next();
    const isBegin = this.#isFirst && after === null;
    const chosen = isBegin ? withoutOldest(fresh, begin.ended, hasEnded) : fresh;
    for (const file of chosen) {
      const from = isBegin ? 'tail' : this.#isFirst && after !== null ? placeIn(after, file) : 0;
      if (from !== 'read') this.#open.add(new LinesOfLog(folder, file, { from, begin }));
    }
    for (const { begun } of fresh) this.#begun = Math.max(this.#begun, begun);
    this.#isFirst = false;
  }

  close(log: LinesOfLog): void {
    log.close();
    this.#open.delete(log);
    this.#closed.push(log);
  }

  get position(): string {
    for (const { begun } of this.#open) this.#begun = Math.max(this.#begun, begun);
    this.#closed = this.#closed.filter(({ begun }) => begun >= this.#begun - TICK_MS);
    const read = new Map([...this.#open, ...this.#closed].map((log) => [log.file, log.at]));
    return formatPosition({ begun: this.#begun, read, isWhole: true });
  }
}

/** Where to go on with a file that there is when another reader has come to a position. */
function placeIn({ begun, read, isWhole }: LogsPosition, file: FoundLog): number | 'tail' | 'read' {
  const at = read.get(file.file);
  if (at !== undefined && file.begun <= begun) return at ?? 'tail';
  if (file.begun > begun - TICK_MS) return 0;
  return isWhole ? 'read' : 'tail';
}

const workstreamOf = (name: string): string => name.replace(/\..*$/s, '');

/** Without the logs of ended workstreams but for the newest, so many. */
function withoutOldest(
  files: readonly FoundLog[],
  most: number,
  hasEnded: LogsOfRun['hasEnded'],
): readonly FoundLog[] {
  if (files.length <= most) return files;
  const newest = files.length - most;
  return files.filter(({ name }, index) => index >= newest || !hasEnded(workstreamOf(name)));
}

/** Ends early where the signal is aborted. */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  try {
    await wait(LOOK_MS, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/** A log in a folder. */
interface FoundLog {
  name: string;
  /** Number of the file. */
  file: number;
  /** When it was made, in milliseconds since 1970. */
  begun: number;
}

/** The logs in a folder that there were not before, in the order in which they were begun. */
class NewNames {
  readonly #folder: string;
  readonly #known = new Set<string>();
  #changedAt = Number.NaN;

  constructor(folder: string) {
    this.#folder = folder;
  }

  next(): FoundLog[] {
    const changedAt = statSync(this.#folder, { throwIfNoEntry: false })?.mtimeMs;
    // A file may have been made within the same millisecond as the last one that was seen.
    if (changedAt === undefined || (changedAt === this.#changedAt && Date.now() - changedAt > 1_000))
      return [];
    this.#changedAt = changedAt;
    const fresh = readdirSync(this.#folder).filter((name) => name.endsWith('.log') && !this.#known.has(name));
    for (const name of fresh) this.#known.add(name);
    return fresh
      .map((name) => ({ name, ...placeOf(`${this.#folder}/${name}`) }))
      .toSorted((a, b) => a.begun - b.begun || (a.name < b.name ? -1 : 1));
  }
}

/** When a file was made, in milliseconds since 1970. */
export const begunAt = (path: string): number => placeOf(path).begun;

function placeOf(path: string): Omit<FoundLog, 'name'> {
  const stats = statSync(path, { throwIfNoEntry: false });
  return { file: stats?.ino ?? 0, begun: stats?.birthtimeMs || (stats?.ctimeMs ?? 0) };
}

/** Where a log begins to be read: at a byte, or with its last lines as in `begin`. */
interface LinesFrom {
  from: number | 'tail';
  begin: BeginOfLogs;
}

/** One log, of which whole lines are read. */
class LinesOfLog {
  readonly workstreamId: string;
  /** Number of the file, and when it was made, in milliseconds since 1970. */
  file: number;
  begun: number;
  /** Up to where it was read, in bytes; null where it is not known yet where its last lines begin. */
  at: number | null;
  readonly #folder: string;
  readonly #name: string;
  readonly #begin: BeginOfLogs;
  #log: LogFile | null = null;
  #sizes = new PastSizes();

  constructor(folder: string, { name, file, begun }: FoundLog, { from, begin }: LinesFrom) {
    this.workstreamId = workstreamOf(name);
    this.file = file;
    this.begun = begun;
    this.at = from === 'tail' ? null : from;
    this.#folder = folder;
    this.#name = name;
    this.#begin = begin;
  }

  /** @param isEnded whether nothing is added any more: until then what may still hold a secret, and a part of a line, wait. */
  async *parts(isEnded: boolean): AsyncGenerator<LogPart, void, undefined> {
    if (this.#log?.isCurrent === false) this.#reopen();
    this.#log ??= LogFile.open(this.#folder, this.#name);
    const log = this.#log;
    if (log === null) return;
    // It was emptied, and is written from its begin on.
    if (log.size < (this.at ?? 0)) this.#restart();
    const end = isEnded ? log.size : this.#sizes.settled(log.size);
    // Where its last lines begin is known as soon as it is known what may be read of it.
    if (end === null) return;
    const { lines, bytes } = this.#begin;
    this.at ??= lines === null ? 0 : await beginOfTail(log, end, lines, bytes);
    while (this.at < end) {
      const from: number = this.at;
      const part = await log.bytes(from, Math.min(PART, end - from));
      const last = part.lastIndexOf(LINE_END) + 1;
      const isRest = isEnded && from + part.length >= end;
      const length = last > 0 ? last : isRest ? part.length : part.length === PART ? wholeLength(part) : 0;
      if (length === 0) break;
      this.at = from + length;
      const text = part.toString('utf8', 0, length);
      yield {
        workstreamId: this.workstreamId,
        log: `${this.#name} ${log.identity}`,
        from,
        to: this.at,
        text,
      };
    }
  }

  close(): void {
    this.#log?.close();
    this.#log = null;
  }

  /** Another file has the name: as made by a run that is resumed. */
  #reopen(): void {
    this.close();
    Object.assign(this, placeOf(`${this.#folder}/${this.#name}`));
    this.#restart();
  }

  #restart(): void {
    this.at = 0;
    this.#sizes = new PastSizes();
  }
}

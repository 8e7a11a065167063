/** Follows what all workstreams of a run print, as `docker compose logs -f` does: each line with the name of its workstream. */
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { LogFile, PastSizes } from '../os/read-log.ts';
import { oneLine, printable } from '../text/printable.ts';
import { write } from './standard-output.ts';

/** What is read and written at a time, in bytes: a longer line is printed in parts. */
const PART = 64 * 1024;
/** How often the logs are looked at, in milliseconds. */
const LOOK_MS = 100;
const LINE_END = 10;
/** Longest name before a line. */
const NAME = 60;

export interface LogsOfRun {
  /** Folder of the logs of the run. */
  folder: string;
  /** Begin with the last lines of each, so many; null for all. */
  lines: number | null;
  /** Whether a workstream has its result, so that nothing more is written to its logs. */
  hasEnded: (workstreamId: string) => boolean;
  /** Whether the run has ended. One whose process was killed has not: it may be resumed. */
  isOver: () => boolean;
  /** Called at each look after which there is more to come. */
  onWait: (hasPrinted: boolean) => void;
}

/** Prints what there is and what is added, until the run has ended or nobody reads it. */
export async function followAll({ folder, lines, hasEnded, isOver, onWait }: LogsOfRun): Promise<void> {
  const open = new Map<string, LinesOfLog>();
  const names = new NewNames(folder);
  let isBegin = true;
  let hasPrinted = false;
  for (;;) {
    // Asked before the files are read: what was written until then is read.
    const isLast = isOver();
    for (const name of names.next()) open.set(name, new LinesOfLog(folder, name, isBegin ? lines : null));
    isBegin = false;
    for (const [name, log] of open) {
      const isEnded = isLast || hasEnded(log.workstreamId);
      const printed = await log.print(isEnded);
      if (printed === 'nobody-reads') return;
      hasPrinted ||= printed === 'something';
      if (!isEnded) continue;
      log.close();
      open.delete(name);
    }
    if (isLast) return;
    onWait(hasPrinted);
    await wait(LOOK_MS);
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

/** One log, of which whole lines are printed. */
class LinesOfLog {
  /** Ids have no dots, and what follows the first one tells the logs of a workstream apart. */
  readonly workstreamId: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #lines: number | null;
  #log: LogFile | null = null;
  #at: number | null = null;
  #sizes = new PastSizes();

  constructor(folder: string, name: string, lines: number | null) {
    this.workstreamId = name.replace(/\..*$/s, '');
    this.#folder = folder;
    this.#name = name;
    this.#lines = lines;
  }

  /** @param isEnded whether nothing is added any more: until then what may still hold a secret, and a part of a line, wait. */
  async print(isEnded: boolean): Promise<'something' | 'nothing' | 'nobody-reads'> {
    if (this.#log !== null && (!this.#log.isCurrent || this.#log.size < (this.#at ?? 0))) this.#begin();
    this.#log ??= LogFile.open(this.#folder, this.#name);
    if (this.#log === null) return 'nothing';
    const end = isEnded ? this.#log.size : this.#sizes.settled(this.#log.size);
    this.#at ??= this.#lines === null ? 0 : await beginOfTail(this.#log, end, this.#lines);
    const from = this.#at;
    while (this.#at < end) {
      const part = await this.#log.bytes(this.#at, Math.min(PART, end - this.#at));
      const last = part.lastIndexOf(LINE_END) + 1;
      const isRest = part.length === PART || (isEnded && this.#at + part.length >= end);
      const length = last > 0 ? last : isRest ? part.length : 0;
      if (length === 0) break;
      this.#at += length;
      if (!(await write(this.#shown(part.toString('utf8', 0, length))))) return 'nobody-reads';
    }
    return this.#at > from ? 'something' : 'nothing';
  }

  close(): void {
    this.#log?.close();
    this.#log = null;
  }

  /** Another file has the name: as made by a run that is resumed. */
  #begin(): void {
    this.close();
    this.#at = 0;
    this.#sizes = new PastSizes();
  }

  /** Each line with the name. A line that is not the program's own is not to look like one. */
  #shown(text: string): string {
    const name = oneLine(this.workstreamId, NAME);
    return text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `${name} | ${process.stdout.isTTY ? printable(line) : line}\n`)
      .join('');
  }
}

/** Where the last lines begin, so many, in the file up to this place. */
export async function beginOfTail(log: LogFile, end: number, lines: number): Promise<number> {
  let left = lines;
  for (let to = end; to > 0; to -= PART) {
    const from = Math.max(0, to - PART);
    const part = await log.bytes(from, to - from);
    for (let at = part.length - 1; at >= 0; at -= 1) {
      // The end of the last line begins no other one.
      if (part[at] !== LINE_END || from + at === end - 1) continue;
      left -= 1;
      if (left === 0) return from + at + 1;
    }
  }
  return 0;
}

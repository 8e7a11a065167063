import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { resolvePaths } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import type { RunSummary } from '../../domain/run-record.ts';
import { beginOfTail, LogFile, PastSizes, REDACTED_MS, wholeLength } from '../../os/logs/read-log.ts';
import { ALL_THERE_IS, begunAt, followedLogs, type LogPart } from '../../os/logs/run-logs.ts';
import { type AttemptLogs, attemptLogs } from '../../store/read/attempts.ts';
import { unfinishedIn } from '../../store/read/circumstances.ts';
import { runNow } from '../../store/read/live/run-changes.ts';
import { runsUnderWay } from '../../store/read/runs.ts';
import type { Connection } from '../../store/schema/connection.ts';
import { plural } from '../../text/format.ts';
import { oneLine, printable } from '../../text/printable.ts';
import type { LogsArguments } from '../commands/logs.ts';
import { withRun } from '../history.ts';
import { notify } from '../print.ts';
import { write } from '../standard-output.ts';
import { UsageError } from '../usage-error.ts';

/** What is read and written at a time, in bytes. */
const PART = 64 * 1024;
/** How often a log that is followed is looked at, in milliseconds. */
const LOOK_MS = 100;
/** Longest id in a message. */
const ID = 100;

/** Prints the log of a workstream, or of all that are followed, as it is stored; on a terminal with control characters shown, not acted on. */
export async function logs(argv: LogsArguments): Promise<number> {
  const { workstream: id, attempt = null, lines = null } = argv;
  for (const [name, value] of Object.entries({ attempt, lines }))
    if (value !== null && !(Number.isSafeInteger(value) && value > 0))
      throw new UsageError(`--${name} takes a whole number from 1.`);
  return withRun(argv.state, argv.run, async (connection, run) => {
    if (id === undefined) {
      await followRun(connection, run, argv);
      return 0;
    }
    const known = new WorkstreamLogs(connection, run, id, folderOf(argv.state, run.runId));
    known.refuseUnknown();
    known.refuseAttempt(attempt);
    if (argv.follow) await follow(known, attempt, lines);
    else await show(known, attempt, lines);
    return 0;
  });
}

const folderOf = (state: string, runId: string): string =>
  resolvePaths({ cwd: process.cwd(), workstreams: '', state, reports: '' }).logs(runId);

/** @throws UsageError where it is not said what is to be printed. */
async function followRun(connection: Connection, { runId }: RunSummary, argv: LogsArguments): Promise<void> {
  if (!argv.follow || argv.attempt !== undefined)
    throw new UsageError(
      'Say of which workstream: millrace logs ws-api. What all of them print: millrace logs -f. Their names: millrace show',
    );
  const isLeft = (): boolean => !runsUnderWay(connection).some((each) => each.runId === runId);
  const waiting = new Waiting(isLeft, `Nothing of ${runId} has printed anything yet; this waits for it`);
  const parts = followedLogs({
    folder: folderOf(argv.state, runId),
    begin: { ...ALL_THERE_IS, lines: argv.lines ?? null },
    hasEnded: (id) => attemptLogs(connection, runId, id).last !== null,
    // One whose process was killed is not over: it may be resumed.
    isOver: () => (runNow(connection, runId)?.endedAt ?? null) !== null,
    onWait: () => waiting.tell(),
  });
  for await (const part of parts) {
    if (!(await write(linesWithName(part)))) return;
    waiting.hasPrinted = true;
  }
}

/** Longest name before a line. */
const NAME = 60;

/** Each line with the name of its workstream. A line that is not the program's own is not to look like one. */
function linesWithName({ workstreamId, text }: LogPart): string {
  const name = oneLine(workstreamId, NAME);
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `${name} | ${process.stdout.isTTY ? printable(line) : line}\n`)
    .join('');
}

/** The files of what one workstream of a run printed. */
class WorkstreamLogs {
  readonly #connection: Connection;
  readonly #run: RunSummary;
  readonly #id: string;
  readonly #folder: string;

  constructor(connection: Connection, run: RunSummary, id: string, folder: string) {
    this.#connection = connection;
    this.#run = run;
    this.#id = id;
    this.#folder = folder;
  }

  /** @throws Refusal with exit code 4 for a workstream that is no part of the run. */
  refuseUnknown(): void {
    const { runId } = this.#run;
    if (this.isOver || unfinishedIn(this.#connection, runId, this.#id) !== null) return;
    throw new Refusal(4, `${oneLine(this.#id, ID)} was no part of ${runId}. See: millrace show ${runId}`);
  }

  /** @throws Refusal with exit code 4 for a number that no attempt at an ended workstream had. */
  refuseAttempt(attempt: number | null): void {
    const { last } = this.#stored;
    if (attempt === null || last === null || attempt <= last.attempt || this.namesOf(attempt).length > 0)
      return;
    const had = plural(last.attempt, 'attempt');
    throw new Refusal(4, `There was no attempt ${attempt} at ${this.#id}: it had ${had}.`);
  }

  get #stored(): AttemptLogs {
    return attemptLogs(this.#connection, this.#run.runId, this.#id);
  }

  /** Whether it has its result. */
  get isOver(): boolean {
    return this.#stored.last !== null;
  }

  /** Whether its process is gone, so that nothing is added until the run is resumed. */
  get isLeft(): boolean {
    return !runsUnderWay(this.#connection).some(({ runId }) => runId === this.#run.runId);
  }

  /** Names of the files, as they were begun: one for each attempt that printed something, and for what followed it. */
  begun(): string[] {
    const isOwn = (name: string): boolean => name.startsWith(`${this.#id}.`) && name.endsWith('.log');
    return namesIn(this.#folder)
      .filter((name) => isOwn(name) && !isTestLog(name))
      .map((name) => ({ name, at: begunAt(join(this.#folder, name)) }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ name }) => name);
  }

  /** Names of the files of an attempt; of the last one for null. What a failed acceptance test printed comes last. */
  namesOf(attempt: number | null): string[] {
    const { last, attempts } = this.#stored;
    if (attempt === null && last === null) return this.begun().slice(-1);
    const number = attempt ?? last?.attempt ?? 1;
    const stored = attempts.get(number) ?? (last?.attempt === number ? last.logFile : null);
    const names = [`${this.#id}${number === 1 ? '' : `.${number}`}.log`, stored ?? ''];
    const there = new Set(namesIn(this.#folder));
    return [...new Set(names.map((name) => name.replace(/^.*[/\\]/, '')))].filter((name) => there.has(name));
  }

  open(name: string): LogFile | null {
    return LogFile.open(this.#folder, name);
  }
}

/** What acceptance tests print is in files beside the log of their attempt. */
const isTestLog = (name: string): boolean => /\.test-\d+\.log$/.test(name);

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Nothing was printed yet.
    return [];
  }
}

async function show(known: WorkstreamLogs, attempt: number | null, lines: number | null): Promise<void> {
  const names = known.namesOf(attempt);
  const sizes = names.map((name) => sizeOf(known, name));
  // What was printed last may not be redacted yet.
  if (!known.isOver) await wait(REDACTED_MS);
  for (const [index, name] of names.entries()) {
    const log = known.open(name);
    if (log === null) continue;
    if (names.length > 1) notify(name);
    const end = Math.min(log.size, known.isOver ? log.size : (sizes[index] ?? 0));
    await printRange(log, lines === null ? 0 : await beginOfTail(log, end, lines), end);
    log.close();
  }
  if (sizes.every((size) => size === 0))
    notify(known.isOver ? 'It printed nothing' : 'It has printed nothing yet');
}

function sizeOf(known: WorkstreamLogs, name: string): number {
  const log = known.open(name);
  const size = log?.size ?? 0;
  log?.close();
  return size;
}

/** Returns whether the reader is still there. */
async function printRange(log: LogFile, from: number, end: number): Promise<boolean> {
  for (let at = from; at < end; ) {
    const part = await log.bytes(at, Math.min(PART, end - at));
    if (part.length === 0) return true;
    const length = wholeLength(part) || part.length;
    if (!(await write(shown(part.subarray(0, length))))) return false;
    at += length;
  }
  return true;
}

const shown = (bytes: Buffer): string | Buffer =>
  process.stdout.isTTY ? printable(bytes.toString('utf8')) : bytes;

/** Prints each attempt, from the last one on, until the workstream has its result. */
async function follow(known: WorkstreamLogs, attempt: number | null, lines: number | null): Promise<void> {
  const first = attempt === null ? known.begun().slice(-1) : known.namesOf(attempt);
  const shown = new Set(known.begun().filter((name) => !first.includes(name)));
  const nextOf = (): string | undefined => known.begun().find((name) => !shown.has(name));
  const waiting = new Waiting(() => known.isLeft, 'It has printed nothing yet; this waits for it');
  let current: Followed | null = null;
  for (;;) {
    // Asked before the files are read: what was written until then is read.
    const isOver = known.isOver;
    const next = nextOf();
    if (current === null && next !== undefined) {
      current = new Followed(known, next, waiting.hasPrinted ? null : lines);
      if (waiting.hasPrinted) notify(next);
      waiting.hasPrinted = true;
      shown.add(next);
    }
    if (current !== null) {
      const isLast = isOver || nextOf() !== undefined;
      if (!(await current.print(isLast))) return;
      if (isLast && current.isShown) {
        current.close();
        current = null;
      }
    }
    if (current === null && nextOf() !== undefined) continue;
    if (isOver) return;
    waiting.tell();
    await wait(LOOK_MS);
  }
}

/** Tells a person once each why nothing comes. */
class Waiting {
  hasPrinted = false;
  readonly #isLeft: () => boolean;
  readonly #nothingYet: string;
  #isTold = { printed: false, left: false };

  /** @param isLeft whether the process of the run is gone. */
  constructor(isLeft: () => boolean, nothingYet: string) {
    this.#isLeft = isLeft;
    this.#nothingYet = nothingYet;
  }

  tell(): void {
    const { printed, left } = this.#isTold;
    if (!printed && !this.hasPrinted) {
      notify(this.#nothingYet);
      this.#isTold.printed = true;
    }
    if (left || !this.#isLeft()) return;
    notify('The process of the run was killed: this goes on once the run is resumed; Ctrl-C ends it');
    this.#isTold.left = true;
  }
}

/** A file that is followed. Made anew, as by a run that is resumed, it is printed from its start. */
class Followed {
  readonly name: string;
  readonly #known: WorkstreamLogs;
  readonly #lines: number | null;
  #log: LogFile | null = null;
  #at: number | null = null;
  #sizes = new PastSizes();

  constructor(known: WorkstreamLogs, name: string, lines: number | null) {
    this.#known = known;
    this.name = name;
    this.#lines = lines;
  }

  /** Whether all that is in it was printed. */
  get isShown(): boolean {
    return this.#log === null || this.#log.size <= (this.#at ?? 0);
  }

  /**
   * Prints what was added. Returns whether the reader is still there.
   * @param isLast whether nothing is added any more; until then what is so young that it may hold a secret is left.
   */
  async print(isLast: boolean): Promise<boolean> {
    if (this.#log !== null && (!this.#log.isCurrent || this.#log.size < (this.#at ?? 0))) this.#reopen();
    this.#log ??= this.#known.open(this.name);
    const log = this.#log;
    if (log === null) return true;
    const end = isLast ? log.size : (this.#sizes.settled(log.size) ?? 0);
    const from = this.#at ?? (this.#lines === null ? 0 : await beginOfTail(log, end, this.#lines));
    if (from >= end) return true;
    this.#at = end;
    return printRange(log, from, end);
  }

  #reopen(): void {
    this.close();
    this.#at = 0;
    this.#sizes = new PastSizes();
  }

  close(): void {
    this.#log?.close();
    this.#log = null;
  }
}

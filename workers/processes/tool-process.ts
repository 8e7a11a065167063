/** Runs a tool's program: what it prints is read line by line while it is kept in the execution's log file. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Execution } from '../execution.ts';
import { delay, nextTurn, now } from '../thread/own-globals.ts';
import type { StopSignal } from '../thread/stop-signal.ts';
import type { ToolReader } from '../tools/tool.ts';
import type { ChildEnd, Command } from './command.ts';
import { LineSplitter } from './line-splitter.ts';
import { ended, startProcess } from './process.ts';
import { guardProcess } from './process-guard.ts';

/** Once a program has ended, its output is read until nothing has come for this long. */
const QUIET_MS = 50;
/** What outlives the program may hold its output open and print without end: its pipes hold less than this. */
const DRAIN_MS = 500;
const DRAIN_BYTES = 4e6;

/** A last line without an end is read after this long. */
const PAUSE_MS = 1_000;

/** The part of a tool's reader that reads what the program prints. */
export type LineReader = Pick<ToolReader, 'line' | 'activity' | 'concluded'>;

/** What to run. */
export interface ToolProcess {
  command: Command;
  /** Becomes its standard input, so that it can't wait for more and no writer is blocked; null for no input. */
  inputFile: string | null;
  /** How long it may take to exit once the reader has seen it conclude. */
  exitGraceSeconds: number;
}

export interface ToolProcessEnd {
  end: ChildEnd;
  /** Whether it printed more than it may and was ended for that. */
  limitPassed: boolean;
  /** Whether it did not exit in time after it had concluded and was ended for that. */
  overstayed: boolean;
}

/**
 * When the signal is aborted, the group is ended, and the promise resolves as it does otherwise.
 * @throws what `reader.line` threw.
 */
export async function runToolProcess(
  { command, inputFile, exitGraceSeconds }: ToolProcess,
  reader: LineReader,
  execution: Execution,
  signal: StopSignal,
): Promise<ToolProcessEnd> {
  const start = execution.output.size;
  const child = startWithInput(command, inputFile);
  if (child instanceof Error) return { end: { error: child }, limitPassed: false, overstayed: false };
  const guard = guardProcess(execution, signal, {
    command: command.shown,
    start,
    activity: () => reader.activity(),
  });
  if (child.pid !== undefined) guard.started(child.pid);
  const exit = new ExitDeadline(exitGraceSeconds, () => guard.end());
  const { redactor } = execution.host;
  const lines = new LineSplitter((line) => {
    // What it prints about being ended is no part of its result.
    if (exit.passed) return;
    reader.line(redactor.json(line));
    exit.expect(reader.concluded());
  });
  const output = new ToolOutput(child, execution, lines);
  try {
    const end = await ended(child);
    // What others print after it is not its output.
    const limitPassed = guard.limitPassed();
    exit.stop();
    await output.close();
    return { end, limitPassed, overstayed: exit.passed };
  } finally {
    guard.stop();
    exit.stop();
  }
}

/** Until when a program that has concluded has to exit. */
class ExitDeadline {
  passed = false;
  readonly #seconds: number;
  readonly #end: () => void;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  /** `end` is called when the time is over. */
  constructor(seconds: number, end: () => void) {
    this.#seconds = seconds;
    this.#end = end;
  }

  /** The time starts when the program has concluded, and is stopped when it works again. */
  expect(concluded: boolean): void {
    if (!concluded) this.#clear();
    else if (!this.#isStopped) this.#timer ??= setTimeout(() => this.#pass(), this.#seconds * 1000);
  }

  stop(): void {
    this.#isStopped = true;
    this.#clear();
  }

  #pass(): void {
    this.passed = true;
    this.#end();
  }

  #clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function startWithInput(command: Command, inputFile: string | null): ChildProcess | Error {
  if (inputFile === null) return startProcess(command, ['ignore', 'pipe', 'pipe']);
  const input = openSync(inputFile, 'r');
  try {
    return startProcess(command, [input, 'pipe', 'pipe']);
  } finally {
    closeSync(input);
  }
}

/** Both streams of a program on their way into the log file, and the lines of standard output to the reader. */
class ToolOutput {
  readonly #streams: Readable[];
  readonly #lines: LineSplitter;
  readonly #closed: Promise<void>;
  #bytes = 0;
  /** How many bytes are kept in all; more only come from what outlives the program. */
  #most = Number.POSITIVE_INFINITY;
  #failure: { thrown: unknown } | null = null;
  #pause: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, execution: Execution, lines: LineSplitter) {
    this.#lines = lines;
    this.#streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
    this.#closed = new Promise((resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    for (const stream of this.#streams) {
      stream.on('data', (chunk: Buffer) => {
        this.#bytes += chunk.length;
        if (this.#bytes > this.#most) return;
        execution.output.write(chunk);
        if (stream === child.stdout) this.#take(chunk);
      });
    }
  }

  /** Reads what the ended program has left in its pipes. @throws what the reader threw. */
  async close(): Promise<void> {
    const deadline = now() + DRAIN_MS;
    this.#most = this.#bytes + DRAIN_BYTES;
    let seen = -1;
    while (seen !== this.#bytes && this.#bytes < this.#most && now() < deadline) {
      seen = this.#bytes;
      if (await this.#closesWithin(QUIET_MS)) break;
      // On a busy machine the pause is over before the pipes were looked at; this is after.
      await nextTurn();
    }
    for (const stream of this.#streams) stream.destroy();
    clearTimeout(this.#pause);
    if (this.#failure === null) this.#lines.end();
    if (this.#failure !== null) throw this.#failure.thrown;
  }

  async #closesWithin(milliseconds: number): Promise<boolean> {
    const pause = delay(milliseconds);
    const closed = await Promise.race([this.#closed.then(() => true), pause.promise.then(() => false)]);
    pause.cancel();
    return closed;
  }

  #take(chunk: Buffer): void {
    this.#read(() => this.#lines.take(chunk));
    this.#pause ??= setTimeout(() => this.#read(() => this.#lines.endObject()), PAUSE_MS);
    this.#pause.refresh();
  }

  /** An error of the reader is ours: it must not reach the event loop, where the workstream would be blamed for it. */
  #read(read: () => void): void {
    if (this.#failure !== null) return;
    try {
      read();
    } catch (thrown) {
      this.#failure = { thrown };
    }
  }
}

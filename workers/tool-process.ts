/** Runs a tool's program: what it prints is read line by line while it is kept in the execution's log file. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { delay } from './delay.ts';
import type { Execution } from './execution.ts';
import { LineSplitter } from './line-splitter.ts';
import type { Command } from './command.ts';
import { ended, startProcess } from './process.ts';
import type { End } from './process-end.ts';
import { guardProcess } from './process-guard.ts';

/** Once a program has ended, its output is read until nothing has come for this long. */
const QUIET_MS = 50;
/** What outlives the program may hold its output open and print without end: its pipes hold less than this. */
const DRAIN_MS = 500;
const DRAIN_BYTES = 4e6;

/** Who reads what the program prints. */
export interface LineReader {
  line(text: string): void;
  activity(): string | null;
}

export interface ToolProcessEnd {
  end: End;
  /** Whether it printed more than it may and was ended for that. */
  limitPassed: boolean;
}

/**
 * Gives the program the file as its standard input, so that it can neither wait for more nor block whoever writes.
 * When the signal is aborted, the group is ended, and the promise resolves as it does otherwise.
 * @throws what `reader.line` threw.
 */
export async function runToolProcess(
  command: Command,
  inputFile: string | null,
  reader: LineReader,
  execution: Execution,
  signal: AbortSignal,
): Promise<ToolProcessEnd> {
  const child = startWithInput(command, inputFile);
  if (child instanceof Error) return { end: { error: child }, limitPassed: false };
  const { redactor } = execution.host;
  const lines = new LineSplitter((line) => reader.line(redactor.json(line)));
  const output = new ToolOutput(child, execution, lines);
  const guard = guardProcess(child, execution, signal, () => reader.activity());
  try {
    const end = await ended(child);
    // What others print after it is not its output.
    const limitPassed = guard.limitPassed();
    await output.close();
    return { end, limitPassed };
  } finally {
    guard.stop();
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
        if (stream === child.stdout) this.#read(chunk);
      });
    }
  }

  /** Reads what the ended program has left in its pipes. @throws what the reader threw. */
  async close(): Promise<void> {
    const deadline = performance.now() + DRAIN_MS;
    this.#most = this.#bytes + DRAIN_BYTES;
    let seen = -1;
    while (seen !== this.#bytes && this.#bytes < this.#most && performance.now() < deadline) {
      seen = this.#bytes;
      if (await this.#closesWithin(QUIET_MS)) break;
      // On a busy machine the pause is over before the pipes were looked at; this is after.
      await new Promise(setImmediate);
    }
    for (const stream of this.#streams) stream.destroy();
    if (this.#failure === null) this.#lines.end();
    if (this.#failure !== null) throw this.#failure.thrown;
  }

  async #closesWithin(milliseconds: number): Promise<boolean> {
    const pause = delay(milliseconds);
    const closed = await Promise.race([this.#closed.then(() => true), pause.promise.then(() => false)]);
    pause.cancel();
    return closed;
  }

  /** An error of the reader is ours: it must not reach the event loop, where the workstream would be blamed for it. */
  #read(chunk: Buffer): void {
    if (this.#failure !== null) return;
    try {
      this.#lines.take(chunk);
    } catch (thrown) {
      this.#failure = { thrown };
    }
  }
}

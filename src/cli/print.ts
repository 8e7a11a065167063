import { leaveClosedTerminals } from '../support/leave-closed-terminals.ts';
import { printable } from '../support/printable.ts';
import { printableJson } from '../support/printable-json.ts';

/** What standard output or standard error says when nobody reads it any more: the pipe or the terminal was closed. */
const CLOSED = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

const isClosed = (error: Error): boolean => 'code' in error && CLOSED.has(String(error.code));

/**
 * Lets the process live on when whoever read its output has gone: without a listener the first write after that would
 * end it. On standard error nothing else can be told either, so other failures of it end nothing.
 */
export function outliveReaders(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error) => {
    if (!isClosed(error)) process.emitWarning(`Standard output can't be written: ${error.message}`);
  });
  leaveClosedTerminals();
}

/**
 * Writes to standard output and waits until it is taken. That a reader went away is no error: it has seen enough, and
 * the exit code still says how the command went.
 */
export async function print(text: string): Promise<void> {
  const { stdout } = process;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error | null): void => {
      if (error && !isClosed(error)) reject(error);
      else resolve();
    };
    stdout.once('error', settle);
    stdout.write(text.endsWith('\n') ? text : `${text}\n`, settle);
  });
}

/** Prints text in which nothing is for the terminal: what a terminal would act on is shown instead. */
export async function printText(text: string): Promise<void> {
  await print(printable(text));
}

/** Prints a value as one JSON document, on which no terminal acts. */
export async function printJson(value: unknown): Promise<void> {
  await print(printableJson(value));
}

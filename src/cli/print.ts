import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';

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
  const terminals = [0, 1, 2].filter(isatty);
  if (terminals.length > 0) process.once('exit', () => leaveClosed(terminals));
}

/**
 * At its exit Node sets terminals back to how they were, and aborts with 134 where one has been closed meanwhile.
 * What stands in such a one's place is left alone. Done last, when nothing else opens files in this process.
 */
function leaveClosed(terminals: readonly number[]): void {
  for (const descriptor of terminals) {
    if (isatty(descriptor)) continue;
    closeSync(descriptor);
    openSync(devNull, 'r+');
  }
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

/** Prints a value as one JSON document. */
export async function printJson(value: unknown): Promise<void> {
  await print(JSON.stringify(value, null, 2));
}

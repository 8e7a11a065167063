/** Standard output and standard error as a command uses them. Quick to load: help prints too. */
import { leaveClosedTerminals } from '../os/closed-terminals.ts';

/** Errors of standard output and standard error once the pipe or the terminal was closed. */
const CLOSED = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

const isClosed = (error: Error): boolean => 'code' in error && CLOSED.has(String(error.code));

/**
 * Keeps the process alive after the reader of its output has gone: without a listener the first write after that would
 * end it. A failure of standard error can't be reported anywhere, so none ends the process.
 */
export function outliveReaders(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error) => {
    if (!isClosed(error)) process.emitWarning(`Standard output can't be written: ${error.message}`);
  });
  leaveClosedTerminals();
}

/**
 * Writes to standard output, and resolves when it was taken or when its reader has gone, which is no error.
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

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

/** Writes to standard output, and resolves when it was taken or when its reader has gone, which is no error. */
export async function print(text: string): Promise<void> {
  await write(text.endsWith('\n') ? text : `${text}\n`);
}

/** What is written at once, in characters. */
const CHUNK = 65_536;

/** Writes one text after the other as fast as the reader takes them. Asks for no more once the reader has gone. */
export async function printEach(texts: Iterable<string>): Promise<void> {
  let waiting = '';
  for (const text of texts) {
    waiting += text;
    if (waiting.length < CHUNK) continue;
    if (!(await write(waiting))) return;
    waiting = '';
  }
  if (waiting !== '') await write(waiting);
}

/** Resolves when it was taken: true, or false when the reader has gone. */
export async function write(text: string | Uint8Array): Promise<boolean> {
  const { stdout } = process;
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null): void => {
      stdout.off('error', settle);
      if (error && !isClosed(error)) reject(error);
      else resolve(!error);
    };
    stdout.once('error', settle);
    stdout.write(text, settle);
  });
}

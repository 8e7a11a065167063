/** What standard output says when nobody reads it any more: the pipe or the terminal was closed. */
const CLOSED = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

/**
 * Writes to standard output and waits until it is taken. That a reader went away is no error: it has seen enough, and
 * the exit code still says how the command went.
 */
export async function print(text: string): Promise<void> {
  const { stdout } = process;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error | null): void => {
      if (error && !('code' in error && CLOSED.has(String(error.code)))) reject(error);
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

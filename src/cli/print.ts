import { once } from 'node:events';

/** Writes to standard output and waits until it is taken; a reader that went away is no error. */
export async function print(text: string): Promise<void> {
  const { stdout } = process;
  stdout.on('error', ignoreClosedReader);
  if (!stdout.write(text.endsWith('\n') ? text : `${text}\n`)) await once(stdout, 'drain');
}

/** Prints a value as one JSON document. */
export async function printJson(value: unknown): Promise<void> {
  await print(JSON.stringify(value, null, 2));
}

function ignoreClosedReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

/** Reads and writes the one line that each side of a connection has to say. */
import type { Socket } from 'node:net';
import { MOST_BYTES } from './protocol.ts';

const LINE_END = 10;

/** Why a line did not arrive. */
export type LineProblem = 'closed' | 'too-long' | 'too-late';

/**
 * Resolves with the first line that arrives, without its end, or with why there is none. What follows it is dropped.
 * @param milliseconds how long it may take.
 */
export function readLine(socket: Socket, milliseconds: number): Promise<{ line: string } | LineProblem> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (result: { line: string } | LineProblem): void => {
      clearTimeout(timer);
      socket.off('data', take).off('close', close).off('error', close);
      // What else arrives must not end the process.
      socket.on('error', () => undefined);
      resolve(result);
    };
    const close = (): void => end('closed');
    const take = (chunk: Buffer): void => {
      const at = chunk.indexOf(LINE_END);
      chunks.push(at === -1 ? chunk : chunk.subarray(0, at));
      bytes += chunk.length;
      if (at !== -1) end({ line: Buffer.concat(chunks).toString('utf8') });
      else if (bytes > MOST_BYTES) end('too-long');
    };
    const timer = setTimeout(() => end('too-late'), milliseconds).unref();
    socket.on('data', take).once('close', close).once('error', close);
  });
}

/** Writes a value as the last that is said on the connection. */
export function writeLast(socket: Socket, value: unknown): void {
  socket.end(`${JSON.stringify(value)}\n`);
}

/** Undefined for what is no JSON. */
export function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** What child processes inherit is the execution's, as it is in its thread: no input, and its log as output. */
import type { Execution } from './execution.ts';

/**
 * The `stdio` option of a child process where it names the streams of this process: its input, which is the terminal or
 * the pipe of the run, is at its end, and its output goes into the log of the execution. What starts after its
 * execution has ended prints nowhere.
 */
export function toOwnStreams(stdio: unknown, { output, ended }: Execution): unknown {
  const streams: unknown[] | null =
    stdio === 'inherit' ? ['inherit', 'inherit', 'inherit'] : Array.isArray(stdio) ? stdio : null;
  return (
    streams?.map((stream, index) => {
      if (isInput(stream, index)) return 'ignore';
      if (!isOutput(stream, index)) return stream;
      return ended ? 'ignore' : output.descriptor;
    }) ?? stdio
  );
}

const isInput = (stream: unknown, index: number): boolean =>
  stream === 0 || stream === process.stdin || (stream === 'inherit' && index === 0);

const isOutput = (stream: unknown, index: number): boolean =>
  stream === 1 ||
  stream === 2 ||
  stream === process.stdout ||
  stream === process.stderr ||
  (stream === 'inherit' && (index === 1 || index === 2));

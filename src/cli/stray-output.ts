import type { StrayFile } from '../watch/streams.ts';

const LOOK_MS = 250;
const MAX_LINES = 200;

/**
 * Tells, line by line, of what code writes to the descriptors of standard output and error itself, past the log of its
 * workstream: native code, Node's own warnings, `process.binding`.
 * @returns to be called at the end: tells of the rest.
 */
export function tellStray(stray: StrayFile | null, tell: (line: string) => void): () => void {
  if (stray === null) return () => undefined;
  let begun = '';
  let told = 0;
  const tellLine = (line: string): void => {
    if (line.trim() === '' || told > MAX_LINES) return;
    told += 1;
    tell(told > MAX_LINES ? 'Further lines were left out.' : line);
  };
  const look = (): void => {
    const lines = (begun + stray.take()).split('\n');
    // Half of a secret can't be recognised.
    begun = lines.pop() ?? '';
    for (const line of lines) tellLine(line);
  };
  look();
  const timer = setInterval(look, LOOK_MS).unref();
  return () => {
    clearInterval(timer);
    look();
    tellLine(begun);
    begun = '';
  };
}

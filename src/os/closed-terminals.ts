import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';

/**
 * At its exit Node sets terminals back to how they were, and dies of a signal where one has been closed meanwhile.
 * What stands in such a one's place is left alone. Done last, when nothing else opens files in this process.
 */
export function leaveClosedTerminals(): void {
  const terminals = [0, 1, 2].filter(isatty);
  if (terminals.length > 0) process.once('exit', () => leaveClosed(terminals));
}

function leaveClosed(terminals: readonly number[]): void {
  for (const descriptor of terminals) {
    if (isatty(descriptor)) continue;
    closeSync(descriptor);
    openSync(devNull, 'r+');
  }
}

import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';

/**
 * At its exit Node resets terminals to their first state, and dies of a signal where one has been closed meanwhile.
 * Such a descriptor is replaced by the null device. To be called last, when nothing else opens files in this process.
 */
export function leaveClosedTerminals(): void {
  const terminals = [0, 1, 2].filter(isatty);
  if (terminals.length > 0) process.once('exit', () => replaceClosed(terminals));
}

function replaceClosed(terminals: readonly number[]): void {
  for (const descriptor of terminals) {
    if (isatty(descriptor)) continue;
    closeSync(descriptor);
    openSync(devNull, 'r+');
  }
}

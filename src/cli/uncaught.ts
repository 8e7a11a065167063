import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import type { Redactor } from '../secrets/redactor.ts';

let known: Redactor | null = null;

/** The redactor of the project that is run; null before its configuration was read. */
export const projectRedactor = (): Redactor | null => known;

/** Prints uncaught errors on standard error without secrets, and ends the process with 1 as Node does. */
export function redactUncaught(redactor: Redactor): void {
  known = redactor;
  process.on('uncaughtException', (error) => {
    try {
      writeSync(process.stderr.fd, `${redactor.text(inspect(error))}\n\nNode.js ${process.version}\n`);
    } finally {
      process.exit(1);
    }
  });
}

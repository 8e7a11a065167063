import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import type { Redactor } from '../support/redactor.ts';

/** Says on standard error, without secrets, what nobody caught, and ends the process with 1 as Node does. */
export function redactUncaught(redactor: Redactor): void {
  process.on('uncaughtException', (error) => {
    try {
      writeSync(2, `${redactor.text(inspect(error))}\n\nNode.js ${process.version}\n`);
    } finally {
      process.exit(1);
    }
  });
}

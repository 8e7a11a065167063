import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { redactPath } from '../support/redact-file.ts';
import type { Redactor } from '../support/redactor.ts';

/**
 * Redacts what a run's workstreams printed, but for those that had ended: theirs was redacted then.
 * @param folder of the run's logs; each file's name begins with its workstream's id and a dot.
 */
export function redactLogs(folder: string, ended: ReadonlySet<string>, redactor: Redactor): void {
  if (redactor.isIdle) return;
  for (const name of readdirSync(folder)) {
    if (!ended.has(name.split('.', 1)[0] ?? '')) redactPath(join(folder, name), redactor);
  }
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { redactPath } from '../support/redact-file.ts';
import type { Redactor } from '../support/redactor.ts';

/**
 * Redacts what a run's workstreams printed, but for those that had ended: theirs was redacted then.
 * @param folder of the run's logs; each file's name begins with its workstream's id and a dot.
 * @returns a sentence for each that could not be.
 */
export function redactLogs(folder: string, ended: ReadonlySet<string>, redactor: Redactor): string[] {
  if (redactor.isIdle) return [];
  return readdirSync(folder)
    .filter((name) => !ended.has(name.split('.', 1)[0] ?? ''))
    .flatMap((name) => redactPath(join(folder, name), redactor));
}

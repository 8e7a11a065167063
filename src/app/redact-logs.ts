import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { redactPath } from '../support/redact-file.ts';
import type { Redactor } from '../support/redactor.ts';

/** For one file; a run that is resumed waits for it. */
const EFFORT = { milliseconds: 5_000 };

/**
 * Redacts what a run's workstreams printed, but for those that had ended: theirs was redacted then.
 * @param folder of the run's logs; each file's name begins with its workstream's id and a dot.
 * @returns a sentence for each that could not be.
 */
export async function redactLogs(
  folder: string,
  ended: ReadonlySet<string>,
  redactor: Redactor,
): Promise<string[]> {
  if (redactor.isIdle) return [];
  const sentences: string[] = [];
  for (const name of readdirSync(folder)) {
    if (ended.has(name.split('.', 1)[0] ?? '')) continue;
    sentences.push(...(await redactPath(join(folder, name), redactor, EFFORT)));
  }
  return sentences;
}

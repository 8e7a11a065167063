import type { Assignment } from '../domain/assignment.ts';
import { testLogFile, toolFolder } from '../domain/log-files.ts';
import { redactPath } from '../support/redact-file.ts';
import type { Redactor } from '../support/redactor.ts';

/** What the main thread may do for one file; it is done piece by piece. */
const EFFORT = { milliseconds: 1_000 };

/**
 * Redacts the files of an execution whose agent can't do so any more: its output, that of its tests, its tools' own.
 * @returns a warning for each that could not be.
 */
export async function redactLeft({ logFile, workstream }: Assignment, redactor: Redactor): Promise<string[]> {
  const tests = workstream.acceptanceTests.length + workstream.testGates.length;
  const testLogs = Array.from({ length: tests }, (_, index) => testLogFile(logFile, index + 1));
  const sentences: string[] = [];
  for (const path of [logFile, ...testLogs, toolFolder(logFile)])
    sentences.push(...(await redactPath(path, redactor, EFFORT)));
  return sentences;
}

import type { Assignment } from '../domain/assignment.ts';
import { testLogFile, toolFolder } from '../domain/log-files.ts';
import { redactPath } from '../support/redact-file.ts';
import type { Redactor } from '../support/redactor.ts';

/**
 * Redacts the files of an execution whose agent can't do so any more: its output, that of its tests, its tools' own.
 * @returns a warning for each that could not be.
 */
export function redactLeft({ logFile, workstream }: Assignment, redactor: Redactor): string[] {
  const tests = workstream.acceptanceTests.length + workstream.testGates.length;
  const testLogs = Array.from({ length: tests }, (_, index) => testLogFile(logFile, index + 1));
  return [logFile, ...testLogs, toolFolder(logFile)].flatMap((path) => redactPath(path, redactor));
}

import type { Assignment } from '../domain/assignment.ts';
import { testLogFile, toolFolder } from '../domain/log-files.ts';
import { redactPath } from '../support/redact-file.ts';
import type { Redactor } from '../support/redactor.ts';

/** Redacts the files of an execution whose agent can't do so any more: its output, that of its tests, its tools' own. */
export function redactLeft({ logFile, workstream }: Assignment, redactor: Redactor): void {
  const tests = workstream.acceptanceTests.length + workstream.testGates.length;
  redactPath(logFile, redactor);
  for (let position = 1; position <= tests; position += 1) {
    redactPath(testLogFile(logFile, position), redactor);
  }
  redactPath(toolFolder(logFile), redactor);
}

/** Says why an acceptance test failed. */
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { AcceptanceCommand } from '../../src/domain/workstream.ts';
import type { ProcessEnd } from '../process.ts';
import { failedNames } from './failed-names.ts';
import type { FoundTests } from './read-tests.ts';

const NOT_FOUND = 127;

/** The rest of a sentence such as "npm test (exit code 1; 2 of 14 tests failed: a, b)". */
export function describeTestFailure(
  end: ProcessEnd | 'timed-out' | 'stopped',
  test: AcceptanceCommand,
  found: FoundTests | null,
): string {
  if (end === 'stopped') return 'it was stopped';
  if (end === 'timed-out') {
    return `it was still running after ${test.timeoutSeconds} s and was ended; raise its timeout_seconds if it needs longer`;
  }
  const { failure } = end;
  if (failure === null) return '';
  if (failure.reason !== 'exit-non-zero') return describeFailure(failure).replace(/\.$/, '');
  const missing = failure.exitCode === NOT_FOUND ? missingCommand(end.tail) : null;
  if (missing !== null) return `there is no command "${missing}" (exit code ${NOT_FOUND})`;
  const cases = found === null ? '' : casesOf(found);
  return `exit code ${failure.exitCode}${cases}`;
}

function casesOf(found: FoundTests): string {
  const names = failedNames(found);
  if (names !== null) return `; ${names}`;
  const { counts } = found;
  return counts === null || counts.total === 0 ? '' : `, although none of its ${counts.total} tests failed`;
}

/** The command that is missing: what a shell, or `env`, says when it can't find what it is to run; null where none of them said so. */
export function missingCommand(output: string): string | null {
  const found =
    /([^\s:'"‘’]+)['"’]?: (?:command not found|not found|No such file or directory)\s*$/m.exec(output) ??
    /command not found: (\S+)\s*$/m.exec(output);
  return found?.[1] ?? null;
}

/** Says why an acceptance test failed. */
import type { Failure } from '../../src/domain/failure.ts';
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { AcceptanceCommand } from '../../src/domain/workstream.ts';
import type { ProcessEnd } from '../process.ts';
import { failedNames } from './failed-names.ts';
import type { FoundTests } from './read-tests.ts';

/**
 * The rest of a sentence such as "npm test (exit code 1; 2 of 14 tests failed: a, b)"; null where the test passed: by
 * exit code 0, and where nothing of what it says itself has failed.
 */
export function describeTestFailure(
  end: ProcessEnd | 'timed-out' | 'stopped',
  test: AcceptanceCommand,
  found: FoundTests | null,
): string | null {
  if (end === 'stopped') return 'it was stopped';
  if (end === 'timed-out') {
    return `it was still running after ${test.timeoutSeconds} s and was ended; raise its timeout_seconds if it needs longer`;
  }
  const { failure } = end;
  if (failure === null) return hidden(found);
  if (failure.reason !== 'exit-non-zero') return said(failure, end.exitCode);
  const cases = found === null ? '' : casesOf(found);
  return `exit code ${failure.exitCode}${cases}`;
}

function hidden(found: FoundTests | null): string | null {
  const names = found === null ? null : failedNames(found);
  return names === null
    ? null
    : `exit code 0, although ${names}; a pipe, a \`;\` or a \`||\` in the command may hide the exit code`;
}

/** The failure's sentence as a part of one. */
function said(failure: Failure, exitCode: number | null): string {
  const sentence = describeFailure(failure)
    .replace(/^There is no command/, 'there is no command')
    .replace(/\.$/, '');
  return exitCode === null ? sentence : `${sentence} (exit code ${exitCode})`;
}

function casesOf(found: FoundTests): string {
  const names = failedNames(found);
  if (names !== null) return `; ${names}`;
  const { counts } = found;
  return counts === null || counts.total === 0 ? '' : `, although none of its ${counts.total} tests failed`;
}

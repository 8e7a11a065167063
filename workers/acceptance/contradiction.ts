import { failedNames } from './failed-names.ts';
import type { FoundTests } from './read-tests.ts';

/** A warning where a test passed by its exit code and its own figures say something else; null where they agree. */
export function contradiction(name: string, found: FoundTests): string | null {
  const passed = `Acceptance test "${name}" passed by its exit code 0`;
  const failed = failedNames(found);
  if (failed !== null) return `${passed}, but ${failed}. Something in the command hides the exit code.`;
  const { counts } = found;
  if (counts === null || counts.total > counts.skipped) return null;
  return counts.total === 0
    ? `${passed}, but no test was run. Check which tests the command selects.`
    : `${passed}, but no test was run: all ${counts.total} were skipped.`;
}

import type { FoundTests } from './read-tests.ts';

/** A warning where a test passed although it says itself that it ran none; null where it ran some, or does not say. */
export function noneRun(name: string, { counts }: FoundTests): string | null {
  if (counts === null || counts.total > counts.skipped) return null;
  const passed = `Acceptance test "${name}" passed by its exit code 0`;
  return counts.total === 0
    ? `${passed}, but no test was run. Check which tests the command selects.`
    : `${passed}, but no test was run: all ${counts.total} were skipped.`;
}

/** The figures that a suite of JUnit XML has in its attributes, beside its cases. */
import type { TestCounts } from '../../../src/domain/test-case.ts';
import { type Fields, numberOf } from './value.ts';

/** Null where it has none, or such as no suite has. */
export function declaredFigures(suite: Fields): TestCounts | null {
  const of = (...names: string[]): number =>
    names.reduce((sum, name) => sum + Math.max(0, Math.trunc(numberOf(suite[`@${name}`]) ?? 0)), 0);
  const total = of('tests');
  const failed = of('failures', 'errors');
  const skipped = of('skipped', 'disabled', 'ignored');
  const passed = total - failed - skipped;
  return total > 0 && Number.isSafeInteger(total) && passed >= 0 ? { total, passed, failed, skipped } : null;
}

/**
 * Where the attributes and the cases contradict each other, the less favourable of both: as many failed and skipped as
 * either says, and no more passed. Some tools leave out the cases that were skipped, or count failures that are no
 * cases, such as those of subtests.
 */
export function reconciled(cases: TestCounts, declared: TestCounts | null): TestCounts {
  if (declared === null) return cases;
  const failed = Math.max(cases.failed, declared.failed);
  const skipped = Math.max(cases.skipped, declared.skipped);
  const passed = Math.min(cases.passed, declared.passed);
  return { total: passed + failed + skipped, passed, failed, skipped };
}

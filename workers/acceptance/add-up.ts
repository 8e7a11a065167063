import { CaseList } from './formats/case-list.ts';
import { NO_TESTS, plus } from './formats/summary-line.ts';
import type { FoundTests } from './read-tests.ts';

/** Several results as one. The counts are known only where all of them are. */
export function addUp(found: readonly FoundTests[]): FoundTests {
  const list = new CaseList();
  for (const { cases } of found) for (const one of cases) list.add(one);
  const isCounted = found.every(({ counts }) => counts !== null);
  return {
    format: [...new Set(found.map(({ format }) => format))].join(', '),
    counts: isCounted ? found.reduce((sum, { counts }) => plus(sum, counts ?? NO_TESTS), NO_TESTS) : null,
    cases: list.cases,
  };
}

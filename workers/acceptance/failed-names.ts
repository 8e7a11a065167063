import type { FoundTests } from './read-tests.ts';
import { firstOf } from '../../src/support/cut-text.ts';

/** Most names in one sentence. */
const NAMES = 3;
const NAME = 100;

/** `2 of 14 tests failed: a, b`; null where none failed. */
export function failedNames({ counts, cases }: FoundTests): string | null {
  const names = cases.filter(({ status }) => status === 'failed').map(({ name }) => name);
  const failed = counts?.failed ?? names.length;
  if (failed === 0) return null;
  const of = counts === null ? `${failed}` : `${failed} of ${counts.total}`;
  const shown = names.slice(0, NAMES).map((name) => (name.length > NAME ? `${firstOf(name, NAME)}…` : name));
  const more = shown.length > 0 && failed > shown.length ? ` and ${failed - shown.length} more` : '';
  const list = shown.length === 0 ? '' : `: ${shown.join(', ')}${more}`;
  return `${of} ${counts?.total === 1 || of === '1' ? 'test' : 'tests'} failed${list}`;
}

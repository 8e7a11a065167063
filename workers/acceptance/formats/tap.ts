import { Parser } from 'tap-parser';
import { CaseList } from './case-list.ts';
import type { ParsedTests } from './format.ts';
import { tapLines } from './tap-lines.ts';
import { fieldsOf, textOf } from './value.ts';

/** What the parser says of one test point. */
interface Point {
  ok: boolean;
  name: string;
  skip: boolean | string;
  todo: boolean | string;
  /** Milliseconds. */
  time: number | null;
  diag: unknown;
  /** Whether it sums up the subtests before it. */
  closingTestPoint: boolean;
}

/**
 * TAP 13 and 14. Test points that only sum up their subtests are not cases of their own. Of a stream of more than
 * 300,000 lines only these are read, and there are no counts.
 */
export function parseTap(text: string): ParsedTests | null {
  const isPlanned = /^\d+\.\.\d+/m.test(text) || /^TAP version 1[34]$/m.test(text);
  if (!isPlanned || !/^(?:(?:not )?ok\b|1\.\.0\b|Bail out!)/m.test(text)) return null;
  const list = new CaseList();
  // node:test counts a test that has subtests as well, and not its suites.
  const isNodeTest = /^# tests \d+$/m.test(text) && /^# suites \d+$/m.test(text);
  const parser = new Parser();
  follow(parser, [], (point, path) => {
    if (!point.closingTestPoint || (isNodeTest && fieldsOf(point.diag)['type'] !== 'suite')) {
      addPoint(point, path, list);
    }
  });
  parser.on('bailout', (reason: string) =>
    list.add({ name: 'Bail out!', status: 'failed', message: reason }),
  );
  const { text: lines, isWhole } = tapLines(text);
  parser.end(lines);
  return { counts: isWhole ? list.counts : null, cases: list.cases };
}

function follow(parser: Parser, path: string[], onPoint: (point: Point, path: string[]) => void): void {
  parser.on('assert', (point: Point) => onPoint(point, path));
  parser.on('child', (child: Parser) => follow(child, [...path, child.name], onPoint));
}

function addPoint(point: Point, path: string[], list: CaseList): void {
  const isSkipped = point.skip !== false || point.todo !== false;
  list.add({
    suite: path.join(' > '),
    name: point.name,
    status: isSkipped ? 'skipped' : point.ok ? 'passed' : 'failed',
    durationSeconds: point.time === null ? null : point.time / 1000,
    message: diagnosis(fieldsOf(point.diag)),
  });
}

function diagnosis(diag: Record<string, unknown>): string {
  const error = fieldsOf(diag['error']);
  const message = textOf(diag['error']) || textOf(error['message']) || textOf(diag['message']);
  const parts = [message, textOf(diag['at']) || textOf(diag['location']), textOf(diag['stack'])];
  return parts.filter((part) => part !== '').join('\n');
}

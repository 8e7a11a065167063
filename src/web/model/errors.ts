/**
 * The errors of a run, each with the workstreams that failed so. Of a run that has ended its document tells them. Of one under
 * way the document is older than the rows, and tells the most frequent only: there rows are grouped by the id of their pattern,
 * and a pattern that the document does not have yet is made from the first of them.
 */
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import type { PageWorkstream } from '../../domain/page-document.ts';
import { groupedBy, isLeftWork, MARK_WORDS, markOf, needingIn, type Run } from './run.ts';

export interface RunError {
  pattern: ErrorPattern;
  /** Whether the pattern has an id; what has none is grouped by how and why it ended. */
  isNamed: boolean;
  /** Ids of the workstreams, each once, in the order of their results. */
  ids: readonly string[];
}

export interface RunErrors {
  /** The most frequent first. */
  shown: readonly RunError[];
  /** How many there are. */
  total: number;
  /** How many workstreams failed with one of them. */
  failures: number;
}

/** Most errors that are told one by one; the workstreams of all of them are in the table. */
export const MOST_ERRORS = 200;

const known = new WeakMap<Run, RunErrors>();

export function errorsOf(run: Run): RunErrors {
  const found = known.get(run) ?? (run.live === null ? errorsIn(run) : errorsSoFar(run));
  known.set(run, found);
  return found;
}

function errorsIn(run: Run): RunErrors {
  const { errors, errorPatterns, run: summary } = run.head;
  const shown = errors.slice(0, MOST_ERRORS).map((pattern): RunError => {
    const rows = run.byPattern.get(pattern.id) ?? [];
    return {
      pattern,
      isNamed: true,
      ids: [...new Set([...pattern.workstreams, ...rows.map(({ id }) => id)])],
    };
  });
  return { shown, total: errorPatterns, failures: summary.totals.failed };
}

function errorsSoFar(run: Run): RunErrors {
  const rows = needingIn(run).filter((row) => !isLeftWork(row));
  const groups = [...groupedBy(rows, (row) => keyOf(run, row)).values()];
  return {
    shown: groups
      .toSorted((a, b) => b.length - a.length)
      .slice(0, MOST_ERRORS)
      .map((group) => errorOf(run, group)),
    total: groups.length,
    failures: rows.length,
  };
}

const keyOf = (run: Run, row: PageWorkstream): string =>
  run.patternIdOf(row) ?? `${markOf(row)} ${row.reason ?? ''}`;

/** @param rows of one error, at least one. */
function errorOf(run: Run, rows: readonly PageWorkstream[]): RunError {
  const [first] = rows;
  if (first === undefined) throw new Error('an error without a workstream');
  const ids = rows.map(({ id }) => id);
  const key = keyOf(run, first);
  const pattern = run.patterns.get(key) ?? patternOf(key, first);
  return {
    pattern: { ...pattern, count: rows.length, workstreams: ids },
    isNamed: first.patternId !== null,
    ids,
  };
}

/** What one workstream tells of its error. */
function patternOf(key: string, row: PageWorkstream): ErrorPattern {
  const { id, reason, explanation, agentId, stack, tail, logPath } = row;
  const text = explanation ?? MARK_WORDS[markOf(row)];
  return {
    id: key,
    type: reason ?? MARK_WORDS[markOf(row)],
    pattern: text,
    telling: text,
    count: 1,
    workstreams: [id],
    values: [],
    places: [],
    example: { workstreamId: id, agentId, message: text, stack, tail, logFile: logPath },
    history: null,
    goesWith: [],
  };
}

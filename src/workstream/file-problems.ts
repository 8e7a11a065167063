import type { Failure } from '../domain/failure.ts';
import { formatProblem, type Problem } from '../domain/plan.ts';
import { plural } from '../text/format.ts';
import { type Finding, fieldPath } from './finding.ts';
import type { Place } from './locate.ts';

/** Most problems that are listed for a file, and for a workstream. */
export const MAX_LISTED = 20;

/**
 * Once a file has this many problems, only the first of each further workstream is looked up, and no warning about
 * unknown fields: a person would not read them, and finding them all would take long.
 */
export const MAX_COUNTED = 1000;

/** A problem without a line and a column: the whole file is meant. */
export function fileProblem(file: string, severity: Problem['severity'], message: string): Problem {
  return { severity, file, line: null, column: null, path: '', message, workstreamId: null };
}

/** A finding as a problem at its place. */
export function problemAt(
  file: string,
  place: Place | null,
  finding: Finding,
  workstreamId: string | null,
): Problem {
  return {
    severity: finding.severity,
    file,
    line: place?.line ?? null,
    column: place?.column ?? null,
    path: fieldPath(finding.path),
    message: finding.message,
    workstreamId,
  };
}

/** The first findings to list, errors before warnings, and how many were left out. */
export function mostImportant<T extends { severity: 'error' | 'warning' }>(
  items: readonly T[],
  limit: number,
): { listed: T[]; omitted: T[] } {
  if (items.length <= limit) return { listed: [...items], omitted: [] };
  const sorted = [
    ...items.filter(({ severity }) => severity === 'error'),
    ...items.filter(({ severity }) => severity === 'warning'),
  ];
  return { listed: sorted.slice(0, limit), omitted: sorted.slice(limit) };
}

/** The problems of one file in order of their places; of very many the most important, and the number of the rest. */
export function listProblems(problems: readonly Problem[]): Problem[] {
  const { listed, omitted } = mostImportant(problems, MAX_LISTED);
  listed.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  const [first] = omitted;
  if (first === undefined) return listed;
  return [
    ...listed,
    fileProblem(first.file, first.severity, andMore(omitted.length, problems.length >= MAX_COUNTED)),
  ];
}

/** The failure of a workstream with these problems, the most important first. */
export function invalidWorkstream(problems: readonly Problem[], omitted: number): Failure {
  const texts = problems.map(formatProblem);
  const [first] = problems;
  const place =
    first === undefined || first.line === null
      ? {}
      : { place: { file: first.file, line: first.line, column: first.column ?? 1 } };
  return {
    reason: 'invalid-workstream',
    problems: omitted === 0 ? texts : [...texts, andMore(omitted, false)],
    ...place,
  };
}

const andMore = (count: number, atLeast: boolean): string =>
  `and ${atLeast ? 'at least ' : ''}${plural(count, 'more problem')}`;

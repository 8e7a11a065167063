/** Something wrong, or odd, in a workstream file, with its place. */
export interface Problem {
  severity: 'error' | 'warning';
  /** Path of the file as messages show it. */
  file: string;
  /** Counted from 1; null where the whole file is meant. */
  line: number | null;
  column: number | null;
  /** The field, such as `steps[0].run`; empty for the whole definition. */
  path: string;
  message: string;
  /** The workstream it costs; null for a warning about none. */
  workstreamId: string | null;
}

/** `file:line:column: severity: path: message`, with what is not known left out. */
export function formatProblem(problem: Problem): string {
  const place =
    problem.line === null ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`;
  const field = problem.path === '' ? '' : `${problem.path}: `;
  return `${place}: ${problem.severity}: ${field}${problem.message}`;
}

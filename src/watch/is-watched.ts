/** The commands beside `run`; a test compares them with the definitions. */
export const OTHER_COMMANDS: readonly string[] = [
  'validate',
  'plan',
  'status',
  'runs',
  'show',
  'logs',
  'stop',
  'retry',
  'results',
  'errors',
  'patterns',
  'agents',
  'backlog',
  'compare',
  'flaky',
  'trends',
  'why',
  'report',
  'dashboard',
  'worktrees',
  'prune',
  'sync',
  'pr',
  'feedback',
  'worker',
  'workers',
  'tune',
  'init',
  'completion',
];

const RUNS_NOTHING: ReadonlySet<string> = new Set([
  '--help',
  '-h',
  '--version',
  '--dry-run',
  '-n',
  '--get-yargs-completions',
]);

/**
 * Whether these arguments start a run, as far as that is known without parsing them. To watch another command costs some
 * time and changes nothing.
 */
export function isWatched(args: readonly string[]): boolean {
  return !OTHER_COMMANDS.includes(args[0] ?? '') && !args.some((word) => RUNS_NOTHING.has(word));
}

/** The variables of the processes that an execution starts. */
import type { Execution } from './execution.ts';

/** Adds those of the execution to `NAME=value` pairs, and takes away what would lead it out of its worktree. */
export function variablesOf(
  execution: Pick<Execution, 'assignment' | 'environment'>,
  pairs: string[],
): string[] {
  const inherited = isOfWorktree(execution) ? ofTheRepository() : null;
  const own = inherited === null ? pairs : pairs.filter((pair) => !inherited.has(pair));
  return withVariables(own, execution.environment());
}

/** The same for variables that are an object, those that it inherits included, as Node has it. */
export function variablesIn(
  execution: Pick<Execution, 'assignment' | 'environment'>,
  variables: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const inherited = isOfWorktree(execution) ? ofTheRepository() : null;
  // Without a prototype, so that a variable of any name is one.
  const own: NodeJS.ProcessEnv = Object.create(null);
  for (const name in variables) {
    const value = variables[name];
    if (value !== undefined && inherited?.has(`${name}=${value}`) !== true) own[name] = String(value);
  }
  return Object.assign(own, execution.environment());
}

/** Variables of the same name are replaced: of two, most programs see the first. */
function withVariables(pairs: string[], variables: Record<string, string>): string[] {
  const others = pairs.filter((pair) => !(pair.slice(0, pair.indexOf('=')) in variables));
  return [...others, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
}

/** Where git finds its repository, when Millrace was started by a hook of git or by `git rebase --exec`. */
const OF_A_REPOSITORY = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
];

const isOfWorktree = ({ assignment }: Pick<Execution, 'assignment'>): boolean =>
  assignment.workstream.workspace === 'worktree';

/** What Millrace inherited would lead a git in a worktree to the user's index and tree. What a step sets itself stays. */
const ofTheRepository = (): Set<string> =>
  new Set(OF_A_REPOSITORY.map((name) => `${name}=${process.env[name]}`));

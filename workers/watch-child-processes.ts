import { ChildProcess } from 'node:child_process';
import { currentExecution } from './execution.ts';

/** What Node passes to `ChildProcess.prototype.spawn`; only what is set here. */
interface SpawnOptions {
  detached?: boolean;
  envPairs?: string[];
}

/**
 * From now on every child process that code of this thread starts asynchronously leads its own group, gets the
 * execution's variables, and is known to the execution it was started in. A thread has its own copy of
 * `node:child_process`, so nothing else in the process is touched.
 */
export function watchChildProcesses(): void {
  const spawn: unknown = Reflect.get(ChildProcess.prototype, 'spawn');
  if (typeof spawn !== 'function')
    throw new Error('ChildProcess has no spawn method in this version of Node');
  Reflect.set(ChildProcess.prototype, 'spawn', function watched(this: ChildProcess, options: SpawnOptions) {
    const execution = currentExecution.getStore();
    if (execution === undefined) return Reflect.apply(spawn, this, [options]);
    const { children, assignment } = execution;
    options.detached = true;
    const pairs = options.envPairs ?? [];
    const own = assignment.workstream.workspace === 'worktree' ? withoutRepository(pairs) : pairs;
    options.envPairs = withVariables(own, children.environment);
    const result: unknown = Reflect.apply(spawn, this, [options]);
    const { pid } = this;
    if (pid !== undefined) {
      children.started(pid);
      this.once('exit', () => children.ended(pid));
    }
    return result;
  });
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

/** What Millrace inherited would lead a git in a worktree to the user's index and tree. What a step sets itself stays. */
function withoutRepository(pairs: string[]): string[] {
  const inherited = new Set(OF_A_REPOSITORY.map((name) => `${name}=${process.env[name]}`));
  return pairs.filter((pair) => !inherited.has(pair));
}

/** Removes what old runs left and nothing needs. What is kept in no other place stays, and is named. */
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CACHE_NAMES, pruneResults } from '../cache/result-cache.ts';
import type { RunSummary } from '../domain/run-record.ts';
import { sizeOf } from '../os/folder.ts';
import { abandonedFolders } from '../os/temporary-folders.ts';
import { abandonedReports } from '../report/write.ts';
import { listRuns } from '../store/read/runs.ts';
import type { Connection } from '../store/schema/connection.ts';
import { openDatabase } from '../store/schema/database.ts';
import { setAsides, unfinishedCopies } from '../store/spill/spill-places.ts';
import { compact, measureOutputs, removeOutputs, removeRuns } from '../store/write/prune.ts';
import { messageOf } from '../text/error-message.ts';
import { listWorktrees } from '../worktree/left-overs.ts';
import { planRefs, removeRefs } from '../worktree/prune-refs.ts';
import { findRepository, type Repository } from '../worktree/repository.ts';
import { isOver, prune as pruneWorktrees } from '../worktree/rescue.ts';
import { withDatabase } from './history.ts';
import type { Paths } from './paths.ts';
import { importSpills } from './resume/import-spills.ts';

export interface PruneOptions extends PruneLimits {
  /** Only says what would be removed. */
  dryRun: boolean;
}

/** In the order in which they are removed. */
type PrunedKind = 'worktrees' | 'refs' | 'logs' | 'cache' | 'results' | 'outputs' | 'temporary' | 'runs';

export interface Removed {
  kind: PrunedKind;
  count: number;
  /** Null where it is not known: what refs kept is freed when git tidies up. */
  bytes: number | null;
}

export interface PruneResult {
  /** Runs whose things were removed. */
  runs: string[];
  removed: Removed[];
  /** What is old enough and stays all the same, with why. */
  kept: { what: string; why: string }[];
  /** What could not be removed, in a sentence each. */
  problems: string[];
}

/** Prunes, or finds out what that would remove. @throws Refusal with exit code 3 for a database that can't be used */
export async function prune(paths: Paths, options: PruneOptions): Promise<PruneResult> {
  if (!options.dryRun) importSpills(paths.database);
  return new Pruning(paths, options).run();
}

class Pruning {
  readonly #paths: Paths;
  readonly #options: PruneOptions;
  readonly #all: RunSummary[];
  readonly #choice: Choice;
  readonly #removed: Removed[] = [];
  readonly #kept: PruneResult['kept'] = [];
  readonly #problems: string[] = [];

  constructor(paths: Paths, options: PruneOptions) {
    this.#paths = paths;
    this.#options = options;
    this.#all = withDatabase(paths.database, (history) => (history === null ? [] : listRuns(history, {})));
    this.#choice = chooseRuns(this.#all, options, new Date());
  }

  async run(): Promise<PruneResult> {
    this.#kept.push(...this.#choice.kept.map(({ runId, why }) => ({ what: runId, why })));
    await this.#pruneRepository();
    await this.#removeAll('logs', await this.#oldLogs());
    await this.#removeAll('cache', await this.#oldModules());
    await this.#pruneResults();
    await this.#removeAll('temporary', [
      ...abandonedFolders(),
      ...abandonedReports(this.#paths.reports),
      ...this.#abandonedCopies(),
    ]);
    const why =
      'it could not be used as it is; check whether you need anything in it, and remove it yourself';
    this.#kept.push(...setAsides(this.#paths.database).map((what) => ({ what, why })));
    this.#pruneDatabase();
    return {
      runs: this.#choice.runs.map(({ runId }) => runId),
      removed: this.#removed.filter(({ count }) => count > 0),
      kept: this.#kept,
      problems: this.#problems,
    };
  }

  async #pruneRepository(): Promise<void> {
    const repository = await findRepository(this.#paths.cwd);
    if ('why' in repository) {
      if (repository.inside) this.#problems.push(`Worktrees, branches and refs stay: ${repository.why}.`);
      return;
    }
    try {
      await this.#pruneWorktrees(repository);
      await this.#pruneRefs(repository);
    } catch (error) {
      this.#problems.push(`Worktrees, branches and refs stay: ${messageOf(error)}.`);
    }
  }

  async #pruneWorktrees(repository: Repository): Promise<void> {
    const states = new Map(this.#all.map(({ runId, state }) => [runId, state]));
    const runIsOver = (runId: string): boolean | null => {
      const state = states.get(runId);
      return state === undefined ? null : state !== 'running';
    };
    // Those of a run of another state folder are there because its process died.
    const isMeant = (runId: string): boolean => this.#choice.old.has(runId) || !states.has(runId);
    const sizes = new Map<string, number>();
    for (const leftOver of await listWorktrees(repository)) {
      const { root, owner } = leftOver.worktree;
      if (isOver(leftOver, runIsOver) && isMeant(owner.runId)) sizes.set(root, await sizeOf(root));
    }
    if (!this.#options.dryRun) {
      for (const { folder, removed, why } of await pruneWorktrees(repository, runIsOver, isMeant)) {
        if (removed) continue;
        sizes.delete(folder);
        this.#kept.push({ what: folder, why: why ?? 'it could not be removed' });
      }
    }
    this.#note('worktrees', [...sizes.values()]);
  }

  async #pruneRefs(repository: Repository): Promise<void> {
    const plan = await planRefs(
      repository,
      this.#choice.runs.map(({ runId }) => runId),
    );
    let count = 0;
    for (const one of plan.remove) {
      try {
        if (!this.#options.dryRun) await removeRefs(repository, one);
        count += one.refs.length;
      } catch (error) {
        this.#problems.push(`The branches and refs of ${one.runId} stay: ${messageOf(error)}.`);
      }
    }
    this.#kept.push(...plan.keep.map(({ ref, why }) => ({ what: ref, why })));
    this.#removed.push({ kind: 'refs', count, bytes: null });
  }

  /** Those of the chosen runs, and old ones of runs that are not in the database. */
  async #oldLogs(): Promise<string[]> {
    const chosen = this.#choice.runs.map(({ runId }) => this.#paths.logs(runId)).filter(existsSync);
    const known = new Set(this.#all.map(({ runId }) => this.#paths.logs(runId)));
    const others = await this.#oldFiles(join(this.#paths.state, 'logs'));
    return [...chosen, ...others.filter((path) => !known.has(path))];
  }

  async #oldModules(): Promise<string[]> {
    const kept = CACHE_NAMES.map((name) => join(this.#paths.cache, name));
    return (await this.#oldFiles(this.#paths.cache)).filter((path) => !kept.includes(path));
  }

  /** Those that no run took over since one began that stays. */
  async #pruneResults(): Promise<void> {
    const { cache } = this.#paths;
    try {
      const pruned = await pruneResults(cache, this.#choice.before.getTime(), this.#options.dryRun);
      this.#removed.push({ kind: 'results', ...pruned });
    } catch (error) {
      this.#problems.push(`Kept results in ${cache} stay: ${messageOf(error)}.`);
    }
  }

  /** What was last changed before any run began that stays. */
  async #oldFiles(folder: string): Promise<string[]> {
    const old: string[] = [];
    for (const name of existsSync(folder) ? await readdir(folder) : []) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => null);
      if (found !== null && found.mtimeMs < this.#choice.before.getTime()) old.push(path);
    }
    return old;
  }

  /** Copies of the database that nothing finishes any more. */
  #abandonedCopies(): string[] {
    const states = new Map(this.#all.map(({ runId, state }) => [runId, state]));
    const abandoned: string[] = [];
    for (const { path, runId } of unfinishedCopies(this.#paths.database)) {
      const state = states.get(runId);
      if (state !== undefined && state !== 'running') abandoned.push(path);
      else if (state === undefined)
        this.#kept.push({
          what: path,
          why: `the database does not have ${runId}, so that run may be under way`,
        });
    }
    return abandoned;
  }

  async #removeAll(kind: PrunedKind, paths: readonly string[]): Promise<void> {
    const sizes: number[] = [];
    for (const path of paths) {
      try {
        const size = await sizeOf(path);
        if (!this.#options.dryRun) await rm(path, { recursive: true, force: true });
        sizes.push(size);
      } catch (error) {
        this.#problems.push(`${path} could not be removed: ${messageOf(error)}.`);
      }
    }
    this.#note(kind, sizes);
  }

  #note(kind: PrunedKind, sizes: readonly number[]): void {
    this.#removed.push({ kind, count: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) });
  }

  #pruneDatabase(): void {
    const { runs, complete } = this.#choice;
    if (runs.length === 0) return;
    const forOutputs = (this.#options.runs ? runs : complete).map(({ runId }) => runId);
    withDatabase(this.#paths.database, (history) => {
      if (history !== null) this.#removed.push({ kind: 'outputs', ...measureOutputs(history, forOutputs) });
    });
    if (this.#options.runs) this.#removed.push({ kind: 'runs', count: runs.length, bytes: null });
    if (this.#options.dryRun) return;
    const connection = openDatabase(this.#paths.database);
    try {
      removeOutputs(connection, forOutputs);
      if (this.#options.runs)
        removeRuns(
          connection,
          runs.map(({ runId }) => runId),
        );
      this.#compact(connection);
    } catch (error) {
      this.#problems.push(`The database was not pruned: ${messageOf(error)}`);
    } finally {
      connection.close();
    }
  }

  /** A run that is under way must not find its database smaller than it was. */
  #compact(connection: Connection): void {
    const isEmpty = this.#removed.every(
      ({ kind, count }) => (kind !== 'outputs' && kind !== 'runs') || count === 0,
    );
    if (isEmpty || this.#all.some(({ state }) => state === 'running')) return;
    compact(connection);
  }
}

/** What makes a run old. */
interface PruneLimits {
  /** Only those that ended longer ago than this; null for any age. */
  olderThanSeconds: number | null;
  /** How many of the newest are left alone whatever their age; null for none. */
  keep: number | null;
  /** Whether their rows go too, and with them what can be done with the runs. */
  runs: boolean;
}

interface Choice {
  /** Runs whose things are to be removed. */
  runs: RunSummary[];
  /** Those of them that completed: nothing goes on with them. */
  complete: RunSummary[];
  /** Ids of all old runs, also of those that stay because they can be resumed. */
  old: Set<string>;
  kept: { runId: string; why: string }[];
  /** When the first run began that is not old. */
  before: Date;
}

/**
 * Divides runs, the newest first. One that is under way is never old; an interrupted one keeps what it takes to resume
 * it for as long as it has its rows.
 */
function chooseRuns(all: readonly RunSummary[], limits: PruneLimits, now: Date): Choice {
  const { olderThanSeconds, keep, runs: withRows } = limits;
  const limit = olderThanSeconds === null ? now.getTime() : now.getTime() - olderThanSeconds * 1000;
  const choice: Choice = { runs: [], complete: [], old: new Set(), kept: [], before: new Date(limit) };
  for (const [index, run] of all.entries()) {
    const { runId, state, totals } = run;
    const at = Date.parse(run.endedAt ?? run.resumedAt ?? run.createdAt);
    if (state === 'running' || index < (keep ?? 0) || !(at < limit)) {
      const began = Date.parse(run.createdAt);
      if (began < choice.before.getTime()) choice.before = new Date(began);
      continue;
    }
    choice.old.add(runId);
    if (state === 'interrupted' && !withRows) {
      choice.kept.push({ runId, why: 'it was interrupted and can be resumed; --runs removes it' });
      continue;
    }
    choice.runs.push(run);
    if (state === 'ended' && totals.completed === totals.workstreams) choice.complete.push(run);
  }
  return choice;
}

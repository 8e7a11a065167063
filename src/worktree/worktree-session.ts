/** One attempt in its worktree, from its opening to its removal. */
import { join } from 'node:path';
import type { Merge } from '../domain/changes.ts';
import { type Harvest, harvestWorktree } from './harvest.ts';
import { predictMerge, type Work } from './merge.ts';
import { removeWorktree } from './remove-worktree.ts';
import type { Repository } from './repository.ts';
import type { Worktree } from './worktree.ts';

/** What a session needs of its run. */
interface Run {
  readonly repository: Repository;
  base(): Promise<string>;
  /** Dependents start from this commit. */
  remember(workstreamId: string, commit: string): void;
  merge(work: Work): Promise<Merge>;
}

export class WorktreeSession {
  readonly worktree: Worktree;
  /** The folder to work in: the one Millrace was started in, as it is in the worktree. */
  readonly folder: string;
  readonly #run: Run;
  /** Title for the commit of what was left uncommitted. */
  readonly #title: string;
  readonly #notes: readonly string[];
  #harvest: Harvest | null = null;

  constructor(run: Run, worktree: Worktree, title: string, notes: readonly string[]) {
    this.#run = run;
    this.worktree = worktree;
    this.folder = join(worktree.root, run.repository.prefix);
    this.#title = title;
    this.#notes = notes;
  }

  /** Looks afresh each time. */
  async harvest(): Promise<Harvest> {
    const { repository } = this.#run;
    const { workstreamId } = this.worktree.owner;
    const found = await harvestWorktree(repository, this.worktree, {
      subject: `${workstreamId}: ${this.#title}`,
      rescued: false,
    });
    const notes = [...this.#notes, ...found.changes.notes];
    this.#harvest = { ...found, changes: { ...found.changes, notes } };
    if (found.commit !== null) this.#run.remember(workstreamId, found.commit);
    return this.#harvest;
  }

  async merge(): Promise<Merge> {
    return this.#run.merge(await this.#work());
  }

  async predict(): Promise<Merge> {
    return predictMerge(this.#run.repository, await this.#run.base(), await this.#work());
  }

  /** Looks once more, and removes the worktree only if everything in it is kept. Null, or why it stays. */
  async close(): Promise<string | null> {
    const { commit, missing } = await this.harvest();
    if (missing !== null || commit === null) return missing ?? 'what is in it is not known';
    return removeWorktree(this.#run.repository, this.worktree, commit);
  }

  async #work(): Promise<Work> {
    const { commit, changes } = this.#harvest ?? (await this.harvest());
    return { owner: this.worktree.owner, commit, changed: changes.contentHash !== null };
  }
}

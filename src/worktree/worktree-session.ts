/** One attempt in its worktree, from its opening to its removal. */
import { join } from 'node:path';
import type { Merge } from '../domain/changes.ts';
import { type Harvest, harvestWorktree } from './harvest.ts';
import type { Work } from './merge.ts';
import { removeWorktree } from './remove-worktree.ts';
import type { Repository } from './repository.ts';
import type { Worktree } from './worktree.ts';

/** What a session needs of its run. */
interface Run {
  readonly repository: Repository;
  /** Dependents start from this commit. */
  remember(workstreamId: string, commit: string): void;
  merge(work: Work): Promise<Merge>;
  predict(work: Work): Promise<Merge>;
  changesOutside(): Promise<string[]>;
}

/** How letting go of a worktree went. */
export interface Closing {
  /** Why it is still there; null when it is gone. */
  why: string | null;
  /** What a person should know of it, in a sentence each. */
  notes: readonly string[];
}

export class WorktreeSession {
  readonly worktree: Worktree;
  /** The folder to work in: the one Millrace was started in, as it is in the worktree. */
  readonly folder: string;
  readonly #run: Run;
  /** Title for the commit of what was left uncommitted. */
  readonly #title: string;
  readonly #notes: readonly string[];
  readonly #outside: string[] = [];
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
    const { workstreamId } = this.worktree.owner;
    const found = await this.#look();
    this.#outside.push(...(await this.#run.changesOutside()));
    const notes = [...this.#notes, ...this.#outside, ...found.changes.notes];
    this.#harvest = { ...found, changes: { ...found.changes, notes } };
    if (found.commit !== null) this.#run.remember(workstreamId, found.commit);
    return this.#harvest;
  }

  async merge(): Promise<Merge> {
    return this.#run.merge(await this.#work());
  }

  async predict(): Promise<Merge> {
    return this.#run.predict(await this.#work());
  }

  /**
   * Looks once more, and removes the worktree only if everything in it is kept. What changed since its work was looked
   * at is kept too, and counts for nothing.
   */
  async close(): Promise<Closing> {
    const judged = this.#harvest?.commit ?? null;
    const { commit, missing, late } = judged === null ? await this.harvest() : await this.#look(judged);
    const why =
      missing === null && commit !== null
        ? await removeWorktree(this.#run.repository, this.worktree, commit)
        : (missing ?? 'what is in it is not known');
    return { why, notes: late === null ? [] : [late] };
  }

  #look(judged?: string): Promise<Harvest> {
    const subject = `${this.worktree.owner.workstreamId}: ${this.#title}`;
    const how = { subject, rescued: false, ...(judged === undefined ? {} : { judged }) };
    return harvestWorktree(this.#run.repository, this.worktree, how);
  }

  async #work(): Promise<Work> {
    const { commit, changes } = this.#harvest ?? (await this.harvest());
    return { owner: this.worktree.owner, commit, changed: changes.contentHash !== null };
  }
}

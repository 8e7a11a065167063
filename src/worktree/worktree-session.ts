/** One attempt in its worktree, from its opening to its removal. */
import { join } from 'node:path';
import type { Changes } from '../domain/changes.ts';
import type { Credit } from '../domain/workspaces.ts';
import { messageOf } from '../text/error-message.ts';
import { GitError } from './git.ts';
import { type Harvest, harvestWorktree } from './harvest.ts';
import { type Kept, keep } from './keep.ts';
import { keptOf } from './kept-refs.ts';
import { attemptRef } from './names.ts';
import { removeWorktree } from './remove-worktree.ts';
import type { Repository } from './repository.ts';
import type { Worktree } from './worktree.ts';

/** What a session needs of its run. */
interface RunContext {
  readonly repository: Repository;
  readonly coAuthors: readonly string[];
  /** Dependents start from this commit. */
  remember(workstreamId: string, commit: string): void;
  changesOutside(): Promise<string[]>;
}

/** How letting go of a worktree went. */
export interface Closing {
  /** Why it is still there; null when it is gone. */
  why: string | null;
  /** What a person should know of it, in a sentence each. */
  notes: readonly string[];
}

const UNKNOWN = 'what is in it is not known';

export class WorktreeSession {
  readonly worktree: Worktree;
  /** The folder to work in: the one Millrace was started in, as it is in the worktree. */
  readonly folder: string;
  readonly #run: RunContext;
  /** Title for the commit of what was left uncommitted. */
  readonly #title: string;
  readonly #notes: readonly string[];
  readonly #outside: string[] = [];
  #harvest: Harvest | null = null;
  #credit: Credit | null = null;

  constructor(run: RunContext, worktree: Worktree, title: string, notes: readonly string[]) {
    this.#run = run;
    this.worktree = worktree;
    this.folder = join(worktree.root, run.repository.prefix);
    this.#title = title;
    this.#notes = notes;
  }

  /** Looks afresh each time. */
  async harvest(credit: Credit | null = this.#credit): Promise<Harvest> {
    this.#credit = credit;
    const { workstreamId } = this.worktree.owner;
    const found = await this.#look();
    this.#outside.push(...(await this.#run.changesOutside()));
    const notes = [...this.#notes, ...this.#outside, ...found.changes.notes];
    this.#harvest = { ...found, changes: { ...found.changes, notes } };
    if (found.complete && found.commit !== null) this.#run.remember(workstreamId, found.commit);
    return this.#harvest;
  }

  /** What was found last. */
  async harvested(): Promise<Harvest> {
    return this.#harvest ?? this.harvest();
  }

  /** Makes what was found the workstream's result, after other attempts have had its branch. */
  async choose(): Promise<Changes> {
    const { commit, complete, changes } = await this.harvested();
    if (commit === null || !complete) return changes;
    this.#run.remember(this.worktree.owner.workstreamId, commit);
    const { branch, notes } = await this.#takeBranch(commit);
    return { ...changes, branch, notes: [...changes.notes, ...notes] };
  }

  async #takeBranch(commit: string): Promise<Kept> {
    const { runId, workstreamId, attempt } = this.worktree.owner;
    try {
      const refs = await keptOf(this.#run.repository, runId, workstreamId);
      const kept = await keep(this.#run.repository, this.worktree, commit, { refs, rescued: false });
      if (!('problem' in kept)) return kept;
      throw new GitError(kept.problem);
    } catch (error) {
      // What was judged is kept by the attempt's ref, whatever became of the branch.
      const branch = attemptRef(runId, workstreamId, attempt);
      const why = messageOf(error);
      return {
        branch,
        notes: [`Its branch could not be set, so its work is only kept as ${branch}: ${why}.`],
      };
    }
  }

  /**
   * Looks once more, and removes the worktree only if everything in it is kept. What changed since its work was looked
   * at is kept too, and counts for nothing. Where the work could not be captured the worktree stays, as was said.
   */
  async close(): Promise<Closing> {
    const judged = await this.harvested();
    if (judged.commit === null || (!judged.complete && judged.missing !== null))
      return { why: judged.missing ?? UNKNOWN, notes: [] };
    const { commit, missing, late } = await this.#look(judged.commit);
    const why =
      missing === null && commit !== null
        ? await removeWorktree(this.#run.repository, this.worktree, commit)
        : (missing ?? UNKNOWN);
    return { why, notes: late === null ? [] : [late] };
  }

  #look(judged?: string): Promise<Harvest> {
    const subject = `${this.worktree.owner.workstreamId}: ${this.#title}`;
    const { coAuthors } = this.#run;
    const how = { subject, rescued: false, credit: this.#credit, coAuthors };
    return harvestWorktree(
      this.#run.repository,
      this.worktree,
      judged === undefined ? how : { ...how, judged },
    );
  }
}

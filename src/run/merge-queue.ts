/**
 * Merges accepted work into the run's own branch in the order of the plan, whoever is ready first. The branch moves only
 * to what the judge has found good.
 */
import type { AgentResult } from '../domain/agent-result.ts';
import { type Merge, mergeOf } from '../domain/changes.ts';
import type { MergedBranch, MergedTip, MergeWork } from '../domain/workspaces.ts';
import type { Workstream } from '../domain/workstream.ts';
import { messageOf } from '../text/error-message.ts';
import { nameSome } from '../text/format.ts';
import { type ChainLink, MergeJudge, type TestVerdict } from './merge-judge.ts';
import { type FailedTest, type MergedTests, TestsInterrupted } from './merged-tests.ts';

export interface MergeQueueParts {
  /** In the order of the plan. */
  workstreams: readonly Workstream[];
  /** Work of an earlier session that was accepted and not merged. */
  waiting: readonly MergeWork[];
  /** Work that an earlier session left on its branch: it is tried once more at the end. */
  left: readonly MergeWork[];
  /** Ids of workstreams whose results stay from an earlier session. */
  kept: ReadonlySet<string>;
  openBranch: () => Promise<MergedBranch>;
  /** Null where nothing is merged: it is only found out what conflicts. */
  tests: MergedTests | null;
  publish: (workstreamId: string, merge: Merge) => void;
  /** Called with what a person should know, in a sentence. */
  warn: (text: string, workstreamId: string | null) => void;
  /** Called when something has ended. */
  onChange: () => void;
}

/** Work that is to be merged. */
interface Item {
  work: MergeWork;
  outsideScope: string[];
}

interface Link extends ChainLink {
  item: Item;
}

interface OpenBranch {
  branch: MergedBranch;
  judge: MergeJudge;
}

/** Work that was left on its own branch. */
interface LeftItem {
  item: Item;
  /** The end of the branch with which it could not be merged. */
  tip: string;
}

/** How often merging is begun again because git failed, or another process has moved the branch. */
const TRIES = 5;

/**
 * Work that waits is merged and tested together; where that fails, the first work with which it does is found by halves and
 * left on its branch. At the end what was left is tried once more with all that was merged after it.
 */
export class MergeQueue {
  readonly #parts: MergeQueueParts;
  /** Position of each workstream that may be merged. */
  readonly #positions: ReadonlyMap<string, number>;
  readonly #dependencies: ReadonlyMap<string, readonly string[]>;
  /** By position: undefined until the workstream has its result, null where nothing of it is to be merged. */
  readonly #settled: (Item | null | undefined)[];
  #next = 0;
  #queue: Item[] = [];
  readonly #left: LeftItem[] = [];
  /** Workstreams whose work is parked, with its cause: they, or what they build on. */
  readonly #parked = new Map<string, string>();
  #branch: OpenBranch | null = null;
  #running: Promise<void> | null = null;
  #isStopped = false;
  /** Whether nothing more will be settled. */
  #isFinishing = false;

  constructor(parts: MergeQueueParts) {
    this.#parts = parts;
    const candidates = parts.workstreams.filter(({ workspace }) => workspace === 'worktree');
    this.#positions = new Map(candidates.map(({ id }, position) => [id, position]));
    this.#dependencies = new Map(
      candidates.map(({ id, dependsOn }) => [id, dependsOn.map((dependency) => dependency.id)]),
    );
    for (const work of parts.left) this.#left.push({ item: { work, outsideScope: [] }, tip: '' });
    const waiting = new Map(parts.waiting.map((work) => [work.workstreamId, work]));
    this.#settled = candidates.map(({ id }) => {
      const work = waiting.get(id);
      if (work !== undefined) return { work, outsideScope: [] };
      return parts.kept.has(id) ? null : undefined;
    });
  }

  /** Begins with what an earlier session left. */
  begin(): void {
    this.#advance();
  }

  /** Takes a final result. */
  take({ workstreamId, agentId, attempts, metadata }: AgentResult): void {
    const position = this.#positions.get(workstreamId);
    if (position === undefined) return;
    const { merge, changes } = metadata;
    const commit = changes?.head ?? null;
    if (merge?.status === 'outside-scope') this.#parked.set(workstreamId, workstreamId);
    const item =
      merge?.status === 'pending' && commit !== null
        ? {
            work: { workstreamId, agentId, attempt: attempts, commit },
            outsideScope: merge.outsideScope,
          }
        : null;
    this.#settled[position] = item;
    // One that was tried again after its turn is merged after the others.
    if (position < this.#next && item !== null && !this.#park(item)) this.#queue.push(item);
    this.#advance();
  }

  /**
   * To be called when no workstream will get its result any more: what waits for one is merged, and what was left is tried
   * once more. Returns whether all is done; otherwise `onChange` is called later.
   */
  finish(): boolean {
    if (!this.#isStopped && !this.#isFinishing) {
      this.#isFinishing = true;
      this.#advance();
    }
    return this.#running === null;
  }

  /** Merges nothing more: what waits stays pending, for a later session. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Moves what has its turn to the queue. */
  #advance(): void {
    for (; this.#next < this.#settled.length; this.#next += 1) {
      const item = this.#settled[this.#next];
      if (item === undefined && !this.#isFinishing) break;
      if (item === undefined || item === null || this.#park(item)) continue;
      this.#queue.push(item);
    }
    const isBusy = this.#running !== null || this.#isStopped;
    if (isBusy || (this.#queue.length === 0 && !(this.#isFinishing && this.#left.length > 0))) return;
    this.#running = this.#work().finally(() => {
      this.#running = null;
      // Something may have come after the last look.
      if (this.#queue.length > 0) this.#advance();
      this.#parts.onChange();
    });
  }

  /** What builds on parked work would bring that along. */
  #park({ work: { workstreamId }, outsideScope }: Item): boolean {
    const cause = (this.#dependencies.get(workstreamId) ?? [])
      .map((id) => this.#parked.get(id))
      .find((id) => id !== undefined);
    if (cause === undefined) return false;
    this.#parked.set(workstreamId, cause);
    const detail = `it builds on ${cause}, whose work is outside its files_scope and is not merged`;
    this.#parts.publish(
      workstreamId,
      mergeOf({ status: 'outside-scope', detail, partner: cause, outsideScope }),
    );
    return true;
  }

  async #work(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#isStopped) await this.#mergeNext();
      if (this.#isFinishing && !this.#isStopped) await this.#tryLeftAgain();
    } catch (error) {
      if (error instanceof TestsInterrupted) return;
      this.#parts.warn(`Work that was left could not be tried again: ${messageOf(error)}.`, null);
    }
  }

  async #open(): Promise<OpenBranch> {
    if (this.#branch === null) {
      const { openBranch, tests, warn } = this.#parts;
      const branch = await openBranch();
      const merged = (await branch.history()).map(({ workstreamId }) => workstreamId);
      const judge = new MergeJudge({ branch, tests, merged, warn: (text) => warn(text, null) });
      this.#branch = { branch, judge };
    }
    return this.#branch;
  }

  /** Merges what is in the queue, as far as one goes with the other. Git's failures are what became of the work. */
  async #mergeNext(): Promise<void> {
    let rest: readonly Item[] = this.#queue;
    this.#queue = [];
    for (let attempt = 1; rest.length > 0 && !this.#isStopped; attempt += 1) {
      try {
        rest = await this.#mergeSome(rest);
        attempt = 0;
      } catch (error) {
        if (error instanceof TestsInterrupted) throw error;
        if (attempt < TRIES) continue;
        const detail = `its work is kept, and could not be merged: ${messageOf(error)}`;
        const [first, ...others] = rest;
        if (first !== undefined) this.#publish(first, { status: 'failed', detail });
        rest = others;
        attempt = 0;
      }
    }
  }

  /** Merges the first of them, at least one. Returns those that are left to be merged. */
  async #mergeSome(items: readonly Item[]): Promise<readonly Item[]> {
    const { branch, judge } = await this.#open();
    const tip = await branch.tip();
    if (tip.checkedOutIn !== null) {
      const detail = `the run's branch is checked out in ${tip.checkedOutIn}`;
      for (const item of items) this.#publish(item, { status: 'failed', branch: tip.branch, detail });
      return [];
    }
    const chain = await this.#join(branch, tip, items);
    const rest = items.slice(chain.length);
    if (chain.length === 0) return rest.slice(1);
    const good = await judge.longestGood(tip.commit, chain);
    const links = chain.slice(0, good.length);
    const last = links.at(-1);
    if (last !== undefined) {
      if (last.commit !== tip.commit && !(await branch.advance(tip.commit, last.commit)))
        throw new Error('another process moves the branch of the run');
      this.#accept(judge, await branch.tip(), links, good);
    }
    const bad = chain[good.length];
    if (bad === undefined) return rest;
    await this.#leave({ branch, judge }, bad, good.failed);
    return [...chain.slice(good.length + 1).map(({ item }) => item), ...rest];
  }

  /**
   * Joins items with each other until one conflicts. Only a conflict with what is merged already counts: that item is left
   * where it is the first, so that nothing is returned.
   */
  async #join(branch: MergedBranch, tip: MergedTip, items: readonly Item[]): Promise<Link[]> {
    const chain: Link[] = [];
    let commit = tip.commit;
    for (const item of items) {
      const joined = await branch.join(commit, item.work);
      if (joined.kind === 'joined') {
        commit = joined.commit;
        chain.push({ item, work: item.work, commit });
        continue;
      }
      if (chain.length > 0) break;
      this.#keepLeft(item, tip.commit);
      if (joined.kind === 'failed')
        this.#publish(item, { status: 'failed', branch: tip.branch, detail: joined.detail });
      else {
        const { conflictsWith, files } = joined;
        this.#publish(item, { status: 'conflict', branch: tip.branch, conflictsWith, files });
      }
      break;
    }
    return chain;
  }

  #accept(judge: MergeJudge, { branch }: MergedTip, links: readonly Link[], verdict: TestVerdict): void {
    judge.accept(links, verdict);
    const { tested } = verdict;
    const failing = judge.failedBefore;
    const detail = failing.length === 0 ? '' : `${nameSome(failing)} failed without it too, and still does`;
    const isPredicted = this.#parts.tests === null;
    for (const { item, commit } of links) {
      if (isPredicted) this.#publish(item, { status: 'mergeable' });
      else this.#publish(item, { status: 'merged', branch, commit, detail, tested });
    }
  }

  async #leave({ branch, judge }: OpenBranch, { item }: Link, failed: readonly FailedTest[]): Promise<void> {
    const [first] = failed;
    if (first === undefined) throw new Error('work is left although no test fails with it');
    const tip = await branch.tip();
    this.#keepLeft(item, tip.commit);
    const { partner, isAlone } = await judge.blame(item.work, first);
    const { name: failingTest, logFile } = first;
    const name = nameSome([failingTest]);
    const detail =
      partner !== null
        ? `${name} fails with it and ${partner} together`
        : isAlone
          ? `${name} fails on its own commit in a fresh worktree: it may need what git ignores there (worktree.copy, link and setup of millrace.config.json)`
          : `${name} fails with it on what is merged`;
    const fields = { branch: tip.branch, detail, partner, failingTest, logFile };
    this.#publish(item, { status: 'breaks-tests', ...fields });
    this.#parts.warn(
      `The work of ${item.work.workstreamId} is not merged: ${detail}.`,
      item.work.workstreamId,
    );
  }

  /** What is merged since may be what work that was left had lacked. */
  async #tryLeftAgain(): Promise<void> {
    const { branch, judge } = await this.#open();
    for (let hasChanged = true; hasChanged && !this.#isStopped; ) {
      const { commit } = await branch.tip();
      const again = this.#left.filter(({ tip }) => tip !== commit);
      hasChanged = again.length > 0;
      for (const left of again) {
        const tip = await branch.tip();
        if (tip.checkedOutIn !== null) return;
        left.tip = tip.commit;
        const joined = await branch.join(tip.commit, left.item.work);
        if (joined.kind !== 'joined') continue;
        const links = [{ item: left.item, work: left.item.work, commit: joined.commit }];
        const verdict = await judge.judge(tip.commit, links);
        if (verdict.failed.length > 0) continue;
        if (joined.commit !== tip.commit && !(await branch.advance(tip.commit, joined.commit))) continue;
        this.#left.splice(this.#left.indexOf(left), 1);
        this.#accept(judge, await branch.tip(), links, verdict);
      }
    }
  }

  #keepLeft(item: Item, tip: string): void {
    this.#left.push({ item, tip });
  }

  #publish({ work, outsideScope }: Item, fields: Pick<Merge, 'status'> & Partial<Merge>): void {
    this.#parts.publish(work.workstreamId, mergeOf({ ...fields, outsideScope }));
  }
}

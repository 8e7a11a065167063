/**
 * Merges accepted work into the run's own branch in the order of the plan, whoever is ready first, and has the tests of
 * all that is merged run on each result before the branch moves to it.
 */
import type { AgentResult } from '../domain/agent-result.ts';
import { type Merge, mergeOf } from '../domain/changes.ts';
import type { MergedBranch, MergedTip, MergeWork } from '../domain/workspaces.ts';
import type { Workstream } from '../domain/workstream.ts';
import { messageOf } from '../text/error-message.ts';
import { nameSome } from '../text/format.ts';
import { type FailedTest, type MergedTest, type MergedTests, TestsInterrupted } from './merged-tests.ts';

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

/** Work joined with what is merged before it. */
interface Link {
  item: Item;
  commit: string;
}

/** Work that was left on its own branch. */
interface LeftItem {
  item: Item;
  /** The end of the branch with which it could not be merged. */
  tip: string;
}

/** What tests say of a commit. */
interface TestVerdict {
  /** The tests that fail there, and did not without the work. */
  failed: FailedTest[];
  /** Whether any test was run. */
  tested: boolean;
  passed: ReadonlySet<string>;
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
  #state: BranchState | null = null;
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

  async #open(): Promise<BranchState> {
    if (this.#state === null) {
      const branch = await this.#parts.openBranch();
      this.#state = new BranchState(branch, await branch.history());
    }
    return this.#state;
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
    const state = await this.#open();
    const tip = await state.branch.tip();
    if (tip.checkedOutIn !== null) {
      const detail = `the run's branch is checked out in ${tip.checkedOutIn}`;
      for (const item of items) this.#publish(item, { status: 'failed', branch: tip.branch, detail });
      return [];
    }
    const chain = await this.#join(state, tip, items);
    const rest = items.slice(chain.length);
    if (chain.length === 0) return rest.slice(1);
    const good = await this.#longestGood(state, tip, chain);
    if (good.links.length > 0) {
      const commit = good.links.at(-1)?.commit ?? tip.commit;
      if (commit !== tip.commit && !(await state.branch.advance(tip.commit, commit)))
        throw new Error('another process moves the branch of the run');
      this.#accept(state, await state.branch.tip(), good);
    }
    const bad = chain[good.links.length];
    if (bad === undefined) return rest;
    await this.#leave(state, bad, good.failed);
    return [...chain.slice(good.links.length + 1).map(({ item }) => item), ...rest];
  }

  /**
   * Joins items with each other until one conflicts. Only a conflict with what is merged already counts: that item is left
   * where it is the first, so that nothing is returned.
   */
  async #join(state: BranchState, tip: MergedTip, items: readonly Item[]): Promise<Link[]> {
    const chain: Link[] = [];
    let commit = tip.commit;
    for (const item of items) {
      const joined = await state.branch.join(commit, item.work);
      if (joined.kind === 'joined') {
        commit = joined.commit;
        chain.push({ item, commit });
        continue;
      }
      if (chain.length > 0) break;
      this.#keepLeft(item, tip.commit);
      const { branch } = tip;
      if (joined.kind === 'failed') this.#publish(item, { status: 'failed', branch, detail: joined.detail });
      else {
        const { conflictsWith, files } = joined;
        this.#publish(item, { status: 'conflict', branch, conflictsWith, files });
      }
      break;
    }
    return chain;
  }

  /** The longest beginning of a chain on which no test fails, and what fails with the link after it. */
  async #longestGood(state: BranchState, tip: MergedTip, chain: readonly Link[]): Promise<GoodLinks> {
    const verdictOf = (length: number): Promise<TestVerdict> =>
      this.#judge(state, tip.commit, chain.slice(0, length));
    const whole = await verdictOf(chain.length);
    if (whole.failed.length === 0) return { ...whole, links: chain, failed: [] };
    let good: TestVerdict = { failed: [], tested: false, passed: NOTHING };
    let [low, high, failed] = [0, chain.length, whole.failed];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const verdict = await verdictOf(middle);
      if (verdict.failed.length === 0) [low, good] = [middle, verdict];
      else [high, failed] = [middle, verdict.failed];
    }
    return { ...good, links: chain.slice(0, low), failed };
  }

  /** Runs the tests of all that is merged with these links. A test counts as failed when it fails twice. */
  async #judge(state: BranchState, tip: string, links: readonly Link[]): Promise<TestVerdict> {
    const { tests } = this.#parts;
    const commit = links.at(-1)?.commit ?? tip;
    const added = new Set(links.map(({ item }) => item.work.workstreamId));
    const all = tests?.of([...state.merged, ...added]) ?? [];
    if (tests === null || all.length === 0) return { failed: [], tested: false, passed: NOTHING };
    const first = await tests.run(state.branch, commit, all);
    // What failed before is held against nobody, but for those whose own test it is.
    const isOwn = ({ test }: FailedTest): boolean => test?.owners.some((id) => added.has(id)) === true;
    const suspects = first.failed.filter((each) => isOwn(each) || !state.failedBefore.has(each.key));
    const passed = new Set(first.passed);
    const failed: FailedTest[] = [];
    for (const suspect of await this.#failAgain(state, commit, all, suspects)) {
      if (isOwn(suspect) || !(await this.#failsWithout(state, tip, all, suspect))) failed.push(suspect);
    }
    for (const { key } of suspects) if (!failed.some((each) => each.key === key)) passed.add(key);
    const tested = first.passed.size + first.failed.length > 0;
    return { failed, tested, passed };
  }

  /** Those that fail again in another worktree; a warning names the others. */
  async #failAgain(
    { branch }: BranchState,
    commit: string,
    all: readonly MergedTest[],
    suspects: readonly FailedTest[],
  ): Promise<FailedTest[]> {
    const { tests } = this.#parts;
    if (tests === null || suspects.length === 0) return [];
    const again = await tests.run(branch, commit, testsOf(suspects, all));
    const keys = new Set(suspects.map(({ key }) => key));
    const failed = again.failed.filter(({ key }) => keys.has(key));
    const flaky = suspects.filter(({ key }) => !failed.some((each) => each.key === key));
    if (flaky.length > 0) {
      const names = nameSome(flaky.map(({ name }) => name));
      this.#parts.warn(
        `On the merged tree ${names} failed and passed when run again: counted as passed.`,
        null,
      );
    }
    return failed;
  }

  /** Whether a test fails on what was merged before too: then no work is to blame, and it is not held against any. */
  async #failsWithout(
    state: BranchState,
    tip: string,
    all: readonly MergedTest[],
    suspect: FailedTest,
  ): Promise<boolean> {
    const { tests } = this.#parts;
    if (tests === null || state.passed.has(suspect.key)) return false;
    const before = await tests.run(state.branch, tip, testsOf([suspect], all));
    if (!before.failed.some(({ key }) => key === suspect.key)) return false;
    state.failedBefore.set(suspect.key, suspect.name);
    const where = state.merged.length === 0 ? 'before any merge' : 'without the work that was to be merged';
    this.#parts.warn(
      `${nameSome([suspect.name])} fails on ${tip.slice(0, 12)} ${where}: it is held against no workstream.`,
      null,
    );
    return true;
  }

  #accept(state: BranchState, { branch }: MergedTip, { links, passed, tested }: GoodLinks): void {
    state.passed = passed;
    const failing = [...state.failedBefore.values()];
    const detail = failing.length === 0 ? '' : `${nameSome(failing)} failed without it too, and still does`;
    const isPredicted = this.#parts.tests === null;
    for (const { item, commit } of links) {
      state.merged.push(item.work.workstreamId);
      if (isPredicted) this.#publish(item, { status: 'mergeable' });
      else this.#publish(item, { status: 'merged', branch, commit, detail, tested });
    }
  }

  async #leave(state: BranchState, { item }: Link, [first]: readonly FailedTest[]): Promise<void> {
    if (first === undefined) throw new Error('work is left although no test fails with it');
    const tip = await state.branch.tip();
    this.#keepLeft(item, tip.commit);
    const { partner, isAlone } = await this.#findPartner(state, item, first);
    const { name: failingTest, logFile } = first;
    const name = nameSome([failingTest]);
    const detail =
      partner !== null
        ? `${name} fails with it and ${partner} together`
        : isAlone
          ? `${name} fails on its own commit in a fresh worktree: it may need what git ignores there (worktree.copy, link and setup of millrace.config.json)`
          : `${name} fails with it on what is merged`;
    const { branch } = tip;
    this.#publish(item, { status: 'breaks-tests', branch, detail, partner, failingTest, logFile });
    this.#parts.warn(
      `The work of ${item.work.workstreamId} is not merged: ${detail}.`,
      item.work.workstreamId,
    );
  }

  /**
   * The workstream merged before with which the test begins to fail: where it is only another's test, the first that has
   * it; otherwise found by halves among what is merged.
   */
  async #findPartner(
    state: BranchState,
    { work }: Item,
    failed: FailedTest,
  ): Promise<{ partner: string | null; isAlone: boolean }> {
    const { branch, merged } = state;
    const { test } = failed;
    const isShared = test === null || test.isConfigured || test.owners.includes(work.workstreamId);
    if (!isShared) {
      const partner = test.owners.find((id) => merged.includes(id)) ?? null;
      return { partner, isAlone: false };
    }
    const steps = await branch.history();
    const all = this.#parts.tests?.of([...merged, work.workstreamId]) ?? [];
    const fails = async (onto: string): Promise<boolean> => {
      const joined = await branch.join(onto, work);
      if (joined.kind !== 'joined' || this.#parts.tests === null) return false;
      const run = await this.#parts.tests.run(branch, joined.commit, testsOf([failed], all));
      return run.failed.some(({ key }) => key === failed.key);
    };
    // Merged with its own commit it is as it was accepted.
    if (await fails(work.commit)) return { partner: null, isAlone: true };
    let [low, high] = [-1, steps.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const step = steps[middle];
      if (step !== undefined && (await fails(step.commit))) high = middle;
      else low = middle;
    }
    return { partner: steps[high]?.workstreamId ?? null, isAlone: false };
  }

  /** What is merged since may be what work that was left had lacked. */
  async #tryLeftAgain(): Promise<void> {
    const state = await this.#open();
    for (let hasChanged = true; hasChanged && !this.#isStopped; ) {
      const { commit } = await state.branch.tip();
      const again = this.#left.filter(({ tip }) => tip !== commit);
      hasChanged = again.length > 0;
      for (const left of again) {
        const tip = await state.branch.tip();
        if (tip.checkedOutIn !== null) return;
        left.tip = tip.commit;
        const joined = await state.branch.join(tip.commit, left.item.work);
        if (joined.kind !== 'joined') continue;
        const links = [{ item: left.item, commit: joined.commit }];
        const verdict = await this.#judge(state, tip.commit, links);
        if (verdict.failed.length > 0) continue;
        if (joined.commit !== tip.commit && !(await state.branch.advance(tip.commit, joined.commit)))
          continue;
        this.#left.splice(this.#left.indexOf(left), 1);
        this.#accept(state, await state.branch.tip(), { ...verdict, links });
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

/** The beginning of a chain that can be merged, and what fails with the link after it. */
interface GoodLinks extends TestVerdict {
  links: readonly Link[];
}

const NOTHING: ReadonlySet<string> = new Set();

/** The tests of failures; all of them where something else than a test failed. */
const testsOf = (failed: readonly FailedTest[], all: readonly MergedTest[]): readonly MergedTest[] => {
  const tests = failed.flatMap(({ test }) => (test === null ? [] : [test]));
  return tests.length === failed.length ? tests : all;
};

/** What is known of the branch. */
class BranchState {
  readonly branch: MergedBranch;
  /** Ids of the workstreams whose work is in it. */
  readonly merged: string[];
  /** Keys of tests that passed at its end. */
  passed: ReadonlySet<string> = NOTHING;
  /** Tests that failed without the work that was to be merged, by key; their names. */
  readonly failedBefore = new Map<string, string>();

  constructor(branch: MergedBranch, history: readonly { workstreamId: string }[]) {
    this.branch = branch;
    this.merged = history.map(({ workstreamId }) => workstreamId);
  }
}

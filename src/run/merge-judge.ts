/**
 * Whether the tests of all that is merged pass with more work, and which work is to blame where they do not: what fails
 * once, or failed before, is held against none.
 */
import type { MergedBranch, MergeWork } from '../domain/workspaces.ts';
import { nameSome } from '../text/format.ts';
import type { FailedTest, MergedTest, MergedTests } from './merged-tests.ts';

export interface MergeJudgeParts {
  branch: MergedBranch;
  /** Null where nothing is tested: then everything passes. */
  tests: MergedTests | null;
  /** Ids of the workstreams whose work is in the branch. */
  merged: readonly string[];
  /** Called with what a person should know, in a sentence. */
  warn: (text: string) => void;
}

/** Work joined with what is merged before it. */
export interface ChainLink {
  work: MergeWork;
  commit: string;
}

/** What tests say of a commit. */
export interface TestVerdict {
  /** The tests that fail there, and did not without the work. */
  failed: FailedTest[];
  /** Whether any test was run. */
  tested: boolean;
  passed: ReadonlySet<string>;
}

/** How much of a chain can be merged, with what tests say of that; `failed` is what fails with the link after it. */
export interface GoodLinks extends TestVerdict {
  length: number;
}

/** What a test fails with. */
interface Blame {
  /** The workstream merged before with which it begins to fail; null for none that is known. */
  partner: string | null;
  /** Whether it fails on the work's own commit already. */
  isAlone: boolean;
}

export class MergeJudge {
  readonly #branch: MergedBranch;
  readonly #tests: MergedTests | null;
  readonly #warn: (text: string) => void;
  readonly #merged: string[];
  /** Keys of tests that passed at the end of the branch. */
  #passed: ReadonlySet<string> = NOTHING;
  /** Tests that failed without the work that was to be merged, by key; their names. */
  readonly #failedBefore = new Map<string, string>();

  constructor({ branch, tests, merged, warn }: MergeJudgeParts) {
    this.#branch = branch;
    this.#tests = tests;
    this.#warn = warn;
    this.#merged = [...merged];
  }

  /** Names of the tests that fail whether work is merged or not. */
  get failedBefore(): string[] {
    return [...this.#failedBefore.values()];
  }

  /** To be called when the branch has moved to the last of these. */
  accept(links: readonly ChainLink[], { passed }: TestVerdict): void {
    this.#passed = passed;
    for (const { work } of links) this.#merged.push(work.workstreamId);
  }

  /**
   * The longest beginning of a chain on which no test fails, found by halves.
   * @param tip the end of the branch, on which the chain is.
   */
  async longestGood(tip: string, chain: readonly ChainLink[]): Promise<GoodLinks> {
    const verdictOf = (length: number): Promise<TestVerdict> => this.judge(tip, chain.slice(0, length));
    const whole = await verdictOf(chain.length);
    if (whole.failed.length === 0) return { ...whole, length: chain.length };
    let good: TestVerdict = { failed: [], tested: false, passed: NOTHING };
    let [low, high, failed] = [0, chain.length, whole.failed];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const verdict = await verdictOf(middle);
      if (verdict.failed.length === 0) [low, good] = [middle, verdict];
      else [high, failed] = [middle, verdict.failed];
    }
    return { ...good, length: low, failed };
  }

  /** Runs the tests of all that is merged with these links. A test counts as failed when it fails twice. */
  async judge(tip: string, links: readonly ChainLink[]): Promise<TestVerdict> {
    const commit = links.at(-1)?.commit ?? tip;
    const added = new Set(links.map(({ work }) => work.workstreamId));
    const all = this.#tests?.of([...this.#merged, ...added]) ?? [];
    if (this.#tests === null || all.length === 0) return { failed: [], tested: false, passed: NOTHING };
    const first = await this.#tests.run(this.#branch, commit, all);
    // What failed before is held against nobody, but for those whose own test it is.
    const isOwn = ({ test }: FailedTest): boolean => test?.owners.some((id) => added.has(id)) === true;
    const suspects = first.failed.filter((each) => isOwn(each) || !this.#failedBefore.has(each.key));
    const passed = new Set(first.passed);
    const failed: FailedTest[] = [];
    for (const suspect of await this.#failAgain(commit, all, suspects)) {
      if (isOwn(suspect) || !(await this.#failsWithout(tip, all, suspect))) failed.push(suspect);
    }
    for (const { key } of suspects) if (!failed.some((each) => each.key === key)) passed.add(key);
    const tested = first.passed.size + first.failed.length > 0;
    return { failed, tested, passed };
  }

  /** Those that fail again in another worktree; a warning names the others. */
  async #failAgain(
    commit: string,
    all: readonly MergedTest[],
    suspects: readonly FailedTest[],
  ): Promise<FailedTest[]> {
    if (this.#tests === null || suspects.length === 0) return [];
    const again = await this.#tests.run(this.#branch, commit, testsOf(suspects, all));
    const keys = new Set(suspects.map(({ key }) => key));
    const failed = again.failed.filter(({ key }) => keys.has(key));
    const flaky = suspects.filter(({ key }) => !failed.some((each) => each.key === key));
    if (flaky.length > 0) {
      const names = nameSome(flaky.map(({ name }) => name));
      this.#warn(`On the merged tree ${names} failed and passed when run again: counted as passed.`);
    }
    return failed;
  }

  /** Whether a test fails on what was merged before too: then no work is to blame, and it is not held against any. */
  async #failsWithout(tip: string, all: readonly MergedTest[], suspect: FailedTest): Promise<boolean> {
    if (this.#tests === null || this.#passed.has(suspect.key)) return false;
    const before = await this.#tests.run(this.#branch, tip, testsOf([suspect], all));
    if (!before.failed.some(({ key }) => key === suspect.key)) return false;
    this.#failedBefore.set(suspect.key, suspect.name);
    const where = this.#merged.length === 0 ? 'before any merge' : 'without the work that was to be merged';
    this.#warn(
      `${nameSome([suspect.name])} fails on ${tip.slice(0, 12)} ${where}: it is held against no workstream.`,
    );
    return true;
  }

  /**
   * With what a test fails that fails with this work: where it is only another's test, the first merged that has it;
   * otherwise found by halves among what is merged.
   */
  async blame(work: MergeWork, failed: FailedTest): Promise<Blame> {
    const { test } = failed;
    const isShared = test === null || test.isConfigured || test.owners.includes(work.workstreamId);
    if (!isShared) {
      const partner = test.owners.find((id) => this.#merged.includes(id)) ?? null;
      return { partner, isAlone: false };
    }
    const steps = await this.#branch.history();
    // Merged with its own commit it is as it was accepted.
    if (await this.#failsOn(work.commit, work, failed)) return { partner: null, isAlone: true };
    let [low, high] = [-1, steps.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const step = steps[middle];
      if (step !== undefined && (await this.#failsOn(step.commit, work, failed))) high = middle;
      else low = middle;
    }
    return { partner: steps[high]?.workstreamId ?? null, isAlone: false };
  }

  /** Whether a test fails on work that is joined with this commit. */
  async #failsOn(commit: string, work: MergeWork, failed: FailedTest): Promise<boolean> {
    const joined = await this.#branch.join(commit, work);
    if (joined.kind !== 'joined' || this.#tests === null) return false;
    const all = this.#tests.of([...this.#merged, work.workstreamId]);
    const run = await this.#tests.run(this.#branch, joined.commit, testsOf([failed], all));
    return run.failed.some(({ key }) => key === failed.key);
  }
}

const NOTHING: ReadonlySet<string> = new Set();

/** The tests of failures; all of them where something else than a test failed. */
const testsOf = (failed: readonly FailedTest[], all: readonly MergedTest[]): readonly MergedTest[] => {
  const tests = failed.flatMap(({ test }) => (test === null ? [] : [test]));
  return tests.length === failed.length ? tests : all;
};

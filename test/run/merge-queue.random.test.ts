/**
 * Random backlogs are merged with real git and compared with a simple model; processes are killed at any moment of it and
 * resumed. MILLRACE_TEST_MERGES=100 tries more of them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Merge } from '../../src/domain/changes.ts';
import { cleanEnvironment, writeFiles } from '../kit/command.ts';
import { seededRandom } from '../kit/random.ts';
import { git, makeRepository, RUN } from '../kit/repository.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const SEEDS = Number(process.env['MILLRACE_TEST_MERGES'] ?? 6);
const program = fileURLToPath(new URL('merge-program.mjs', import.meta.url));

/** Fails where all files are there that it forbids together, or one is not that it needs; a flaky one every other time. */
interface FileTest {
  forbids?: string[];
  needs?: string[];
  isFlaky?: true;
}

interface Work {
  id: string;
  /** What it writes, by path. */
  files: Record<string, string>;
  tests: FileTest[];
  commit: string;
}

interface Scenario {
  works: Work[];
  /** Ids in the order in which work is accepted, and how much later the next one is. */
  arrivals: { id: string; pause: number }[];
  configured: FileTest[];
}

type Random = () => number;
const upTo = (random: Random, n: number): number => Math.floor(random() * n);
const pick = <T>(random: Random, from: readonly T[]): T => {
  const found = from[upTo(random, from.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
};

function shuffled<T>(random: Random, all: readonly T[]): T[] {
  const keys = new Map(all.map((each) => [each, random()]));
  return all.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
}

/** @param mayNeed whether tests may need the files of others, so that work is red until those are merged. */
function makeScenario(random: Random, mayNeed: boolean): Scenario {
  const ids = Array.from({ length: 3 + upTo(random, 4) }, (_, index) => `ws-${'abcdefg'[index]}`);
  const fileOf = (id: string): string => `${id}.txt`;
  const all = ['base.txt', ...ids.map(fileOf)];
  const makeTest = (): FileTest => {
    const kind = random();
    if (kind < 0.15) return { isFlaky: true };
    if (kind < 0.25) return { needs: ['never.txt'] };
    if (mayNeed && kind < 0.5) return { needs: [pick(random, all)] };
    return { forbids: shuffled(random, all).slice(0, 2 + upTo(random, 2)) };
  };
  const works = ids.map((id): Work => {
    const isShared = random() < 0.3;
    const files = { [fileOf(id)]: id, ...(isShared ? { 'shared.txt': `${id}\n` } : {}) };
    return { id, files, tests: Array.from({ length: upTo(random, 3) }, makeTest), commit: '' };
  });
  return {
    works,
    arrivals: shuffled(random, ids).map((id) => ({ id, pause: upTo(random, 3) * upTo(random, 200) })),
    configured: random() < 0.6 ? [makeTest()] : [],
  };
}

/** A repository in which each work is a commit on a branch of its own. Fills in the commits. */
function makeWorks({ works }: Scenario): string {
  const repo = makeRepository({ 'base.txt': 'base\n', 'shared.txt': 'neither\n' });
  const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const commands = works.map(({ id, files }) => {
    const writes = Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`);
    return `commit ${branchOf(id)}\ncommitter a <a@b> 1700000000 +0000\n${data(id)}from refs/heads/main^0\n${writes.join('')}\n`;
  });
  execFileSync('git', ['fast-import', '--quiet'], { cwd: repo, input: commands.join('') });
  for (const work of works) work.commit = git(repo, 'rev-parse', branchOf(work.id)).trim();
  return repo;
}

const branchOf = (id: string): string => `refs/heads/millrace/${RUN}/${id}`;

const keyOf = (each: FileTest): string => JSON.stringify(each);

function holds({ forbids = [], needs = [] }: FileTest, files: ReadonlySet<string>): boolean {
  return (
    (forbids.length === 0 || !forbids.every((file) => files.has(file))) &&
    needs.every((file) => files.has(file))
  );
}

/** What a person would do by hand: one after another, and in the end once more, as long as that changes something. */
class Model {
  readonly #scenario: Scenario;
  readonly merged: Work[] = [];
  /** Tests that failed without the work that was to be merged. */
  readonly failedBefore = new Set<string>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  get files(): Set<string> {
    return new Set(['base.txt', 'shared.txt', ...this.merged.flatMap(({ files }) => Object.keys(files))]);
  }

  /** The tests of what is merged, with this work. */
  testsWith(work: Work): FileTest[] {
    return [...[...this.merged, work].flatMap(({ tests }) => tests), ...this.#scenario.configured];
  }

  conflicts(work: Work): boolean {
    return 'shared.txt' in work.files && this.merged.some(({ files }) => 'shared.txt' in files);
  }

  /** The tests that fail with this work and are its fault. */
  failing(work: Work): FileTest[] {
    const after = new Set([...this.files, ...Object.keys(work.files)]);
    const own = new Set(work.tests.map(keyOf));
    return this.testsWith(work).filter((each) => {
      if (holds(each, after)) return false;
      if (own.has(keyOf(each))) return true;
      if (!holds(each, this.files)) this.failedBefore.add(keyOf(each));
      return !this.failedBefore.has(keyOf(each));
    });
  }

  /** Whether it was merged. */
  merge(work: Work): boolean {
    if (this.conflicts(work) || this.failing(work).length > 0) return false;
    this.merged.push(work);
    return true;
  }
}

function greedy(scenario: Scenario): Model {
  const model = new Model(scenario);
  let left = scenario.works.filter((work) => !model.merge(work));
  for (let before = -1; before !== left.length; ) {
    before = left.length;
    left = left.filter((work) => !model.merge(work));
  }
  return model;
}

/** The last that was said of each work. */
interface End {
  merges: Map<string, Merge>;
  /** In their order in the branch. */
  merged: string[];
  calls: number;
}

/** A git that kills the process that calls it, with all that it started, before or after its call of a number. */
const DEADLY_GIT = `#!/bin/sh
printf x >> "$KILL_COUNT"
if [ "$(wc -c < "$KILL_COUNT")" -ne "$KILL_AT" ]; then exec "$REAL_GIT" "$@"; fi
if [ "$KILL_HOW" = after ]; then "$REAL_GIT" "$@"; fi
kill -9 $PPID 0
`;

interface Killing {
  at: number;
  how: 'before' | 'after';
}

/** Merges in a process of its own, which is killed where `killing` says, and then in another one. */
async function mergeAll(scenario: Scenario, killing: Killing | null = null): Promise<End> {
  const repo = makeWorks(scenario);
  const tools = temporaryFolder();
  writeFiles(tools, { git: DEADLY_GIT, count: '', journal: '', scenario: JSON.stringify(scenario) });
  chmodSync(join(tools, 'git'), 0o755);
  const env = {
    ...cleanEnvironment(),
    PATH: `${tools}:${process.env['PATH'] ?? ''}`,
    REAL_GIT: execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim(),
    KILL_COUNT: join(tools, 'count'),
    KILL_AT: String(killing?.at ?? 0),
    KILL_HOW: killing?.how ?? 'before',
  };
  const run = async (how: 'begin' | 'resume'): Promise<number | null> => {
    const args = [program, repo, RUN, join(tools, 'scenario'), join(tools, 'journal'), how];
    // A group of its own, so that only it is killed.
    const child = spawn(process.execPath, args, { env, detached: true, stdio: 'inherit' });
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  };
  const code = await run('begin');
  expect(code ?? (await run('resume'))).toBe(0);
  expect(git(repo, 'worktree', 'list').trim()).not.toContain('\n');
  return endOf(repo, tools, scenario);
}

function endOf(repo: string, tools: string, { works }: Scenario): End {
  const lines = readFileSync(join(tools, 'journal'), 'utf8').trim().split('\n');
  const said = lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { id: string; merge: Merge });
  const merged = existsSync(join(repo, `.git/refs/heads/millrace/${RUN}/_merged`))
    ? git(repo, 'log', '--first-parent', '--reverse', '--format=%s', `main..millrace/${RUN}/_merged`)
    : '';
  // All that was not merged is where it was.
  for (const { id, commit } of works) expect(git(repo, 'rev-parse', branchOf(id)).trim()).toBe(commit);
  return {
    merges: new Map(said.map(({ id, merge }) => [id, merge])),
    merged: merged.split('\n').flatMap((subject) => /^Merge (.+)/.exec(subject)?.[1] ?? []),
    calls: readFileSync(join(tools, 'count')).length,
  };
}

/** The model after what was really merged, in that order. */
function modelOf(scenario: Scenario, { merged }: End): Model {
  const model = new Model(scenario);
  const works = new Map(scenario.works.map((work) => [work.id, work]));
  for (const id of merged) {
    const work = works.get(id);
    if (work === undefined) throw new Error(`${id} is no work`);
    model.failing(work);
    model.merged.push(work);
  }
  return model;
}

/** What holds of any end: what is merged is green, and each of the others is named with what keeps it out. */
function check(scenario: Scenario, end: End): void {
  const model = modelOf(scenario, end);
  const { files } = model;
  for (const work of scenario.works) {
    const merge = end.merges.get(work.id);
    if (model.merged.includes(work)) {
      expect(merge?.status).toBe('merged');
      // Its own tests hold whatever failed before.
      expect(work.tests.filter((each) => !holds(each, files))).toEqual([]);
      continue;
    }
    expect(['conflict', 'breaks-tests']).toContain(merge?.status);
    // Nothing is left out that could be merged.
    expect(model.conflicts(work) || model.failing(work).length > 0).toBe(true);
    if (merge?.status === 'breaks-tests') checkNamed(scenario, work, merge, end);
    else expect(merge?.files).toEqual(['shared.txt']);
  }
}

function checkNamed(scenario: Scenario, work: Work, merge: Merge, { merged }: End): void {
  const named = JSON.parse(merge.failingTest ?? 'null') as FileTest;
  const tests = [...scenario.works.flatMap(({ tests: own }) => own), ...scenario.configured];
  expect(tests.map(keyOf)).toContain(keyOf(named));
  expect(named.isFlaky).toBeUndefined();
  if (merge.partner === null) return;
  expect(merged).toContain(merge.partner);
  expect(merge.partner).not.toBe(work.id);
  expect(merge.detail).toContain(merge.partner);
}

const statuses = ({ merges }: End): Record<string, string> =>
  Object.fromEntries([...merges].map(([id, { status }]) => [id, status]));

const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1);

describe('random backlogs', () => {
  const seen = { conflict: 0, breaks: 0, merged: 0 };

  test.each(seeds)(
    'of changes that break each other end as greedy would, in whatever order they come (%i)',
    async (seed) => {
      const scenario = makeScenario(seededRandom(seed), false);
      const end = await mergeAll(scenario);
      check(scenario, end);
      expect(end.merged).toEqual(greedy(scenario).merged.map(({ id }) => id));
      for (const { status } of end.merges.values()) {
        if (status === 'conflict') seen.conflict += 1;
        if (status === 'breaks-tests') seen.breaks += 1;
        if (status === 'merged') seen.merged += 1;
      }
    },
    60_000,
  );

  test('had conflicts, broken tests and merges among them', () => {
    expect(Math.min(seen.conflict, seen.breaks, seen.merged)).toBeGreaterThan(0);
  });

  test.each(seeds)(
    'of changes that need each other end green, and nothing is left that could be merged (%i)',
    async (seed) => {
      const scenario = makeScenario(seededRandom(1000 + seed), true);
      check(scenario, await mergeAll(scenario));
    },
    60_000,
  );

  test.each(seeds)(
    'end the same where the process is killed and the run resumed (%i)',
    async (seed) => {
      const random = seededRandom(2000 + seed);
      const scenario = makeScenario(random, false);
      const whole = await mergeAll(scenario);
      const at = 1 + upTo(random, whole.calls);
      const resumed = await mergeAll(scenario, { at, how: pick(random, ['before', 'after']) });
      expect(statuses(resumed)).toEqual(statuses(whole));
      expect(resumed.merged).toEqual(whole.merged);
    },
    60_000,
  );
});

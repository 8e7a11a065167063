/** Kills runs at random moments until there were enough kills, and resumes each until it has ended. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { seededRandom } from '../kit/random.ts';
import { type Backlog, readBegun, writeBacklog } from './backlog.ts';
import {
  checkAnnounced,
  checkBegunIsKnown,
  checkBegunOnce,
  checkDatabase,
  checkEnd,
  finishedOf,
  type Stored,
  wholeLines,
} from './checks.ts';
import { type Kill, type Moment, type Ran, runAndKill, type Whom } from './killed.ts';

export interface CrashOptions {
  seed: number;
  /** How many runs, first ones and resumed ones, are killed at least. */
  kills: number;
  workstreams: number;
}

/** How many kills hit what: by who was killed, and by what was being done. */
export interface Kills {
  total: number;
  /** Runs that were resumed to their end. */
  runs: number;
  ofResumed: number;
  of: Record<Whom, number>;
  while: Record<NonNullable<Ran['killedWhile']>, number>;
}

/** How long a run takes that is not killed, in milliseconds. */
const LONGEST_MS = 3_000;
/** How long one takes to consolidate and report. */
const ENDING_MS = 150;
/** Most sessions of one run that are killed. */
const SESSIONS = 4;

export async function crash({ seed, kills, workstreams }: CrashOptions): Promise<Kills> {
  const random = seededRandom(seed);
  const count: Kills = {
    total: 0,
    runs: 0,
    ofResumed: 0,
    of: { run: 0, 'run-then-both': 0, watcher: 0, both: 0, host: 0 },
    while: { loading: 0, executing: 0, ending: 0 },
  };
  while (count.total < kills) {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-crash-')));
    try {
      await killAndResume(writeBacklog(folder, workstreams, random), random, count);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return count;
}

async function killAndResume(backlog: Backlog, random: () => number, count: Kills): Promise<void> {
  const { folder } = backlog;
  const sessions = 1 + Math.floor(random() * SESSIONS);
  let stored: Stored | null = null;
  let finished = new Map<string, number>();
  let whom = EVERYBODY;
  /** How many processes executed workstreams, and hosts were killed. */
  let processes = 0;
  let hosts = 0;
  for (let session = 0; session < sessions; session += 1) {
    const kill = drawKill(random, backlog, whom);
    // What was running at two such deaths is to blame, as far as can be known.
    if (kill.whom.startsWith('run')) whom = ['watcher', 'both', 'host'];
    let begun = new Map<string, number>();
    let announced = new Map<string, number>();
    const onKilled = (stdout: string): void => {
      begun = readBegun(folder);
      announced = begunOf(begun, announcedIn(stdout));
    };
    const ran = await runAndKill(folder, argumentsFor(stored), { ...kill, onKilled });
    const before = stored;
    stored = checkDatabase(folder);
    checkAnnounced(ran.stdout, stored);
    checkNotRunAgain(backlog, new Map([...finished, ...announced]));
    if (ran.killedWhile !== null) {
      processes += kill.whom.startsWith('run') ? 1 : 0;
      hosts += kill.whom === 'host' ? 1 : 0;
      if (kill.whom === 'run-then-both' && stored !== null) checkBegunIsKnown(backlog, stored, begun);
    }
    processes += 1;
    checkBegunOnce(folder, processes);
    if (GOES_ON.has(kill.whom) && ran.killedWhile !== null && ran.killedWhile !== 'loading') {
      expect([ran.code, stored?.state], `${ran.stdout.slice(-2_000)}\n${ran.stderr}`).toEqual([1, 'ended']);
    }
    finished = begunOf(readBegun(folder), stored === null ? [] : finishedOf(stored));
    tally(count, ran, { whom: kill.whom, resumed: before !== null });
    if (stored?.state === 'ended') break;
  }
  if (stored?.state !== 'ended') {
    await finish(backlog, stored);
    processes += 1;
  }
  checkBegunOnce(folder, processes);
  checkNotRunAgain(backlog, finished);
  checkEnd(backlog, hosts * IN_HAND);
  count.runs += 1;
}

const EVERYBODY: readonly Whom[] = ['run', 'run-then-both', 'watcher', 'both', 'host'];
/** After whose death the run ends all the same. */
const GOES_ON: ReadonlySet<Whom> = new Set(['run', 'host']);
const AGENTS = 3;
/** Most commands that a host has at once. */
const IN_HAND = AGENTS * 8;
/** In milliseconds from the first kill to the second: longer than the next process takes to start. */
const LATEST_AGAIN_MS = 1_500;

function drawKill(random: () => number, backlog: Backlog, whom: readonly Whom[]): Omit<Kill, 'onKilled'> {
  const index = Math.floor(random() * whom.length);
  return {
    whom: whom[index] ?? 'both',
    moment: momentOf(random, backlog),
    again: random() * LATEST_AGAIN_MS,
  };
}

const argumentsFor = (stored: Stored | null): string[] => [
  'run',
  '-j',
  String(AGENTS),
  '--grace',
  '0.2',
  ...resumed(stored),
];

const resumed = (stored: Stored | null): string[] => (stored === null ? [] : ['--resume']);

async function finish(backlog: Backlog, stored: Stored | null): Promise<void> {
  const ran = await runAndKill(backlog.folder, argumentsFor(stored), null);
  expect(ran.code, `${ran.stdout.slice(-2_000)}\n${ran.stderr}`).toBe(1);
  checkAnnounced(ran.stdout, checkDatabase(backlog.folder));
}

function momentOf(random: () => number, { workstreams }: Backlog): Moment {
  const chance = random();
  const share = random();
  if (chance < 0.25) return { after: 'start', milliseconds: share * 500 };
  if (chance < 0.5) return { after: 'start', milliseconds: share * LONGEST_MS };
  if (chance < 0.75) return { after: 'lines', lines: 1 + Math.floor(share * 2 * workstreams.length) };
  return { after: 'last-result', milliseconds: share * ENDING_MS };
}

/** How often each of these had begun by then. */
const begunOf = (begun: ReadonlyMap<string, number>, ids: readonly string[]): Map<string, number> =>
  new Map(ids.map((id) => [id, begun.get(id) ?? 0]));

/** What had its result, by what was printed. */
function announcedIn(stdout: string): string[] {
  return wholeLines(stdout).flatMap((line) =>
    line['event'] === 'workstream-finished' && line['status'] !== 'skipped'
      ? [String(line['workstream_id'])]
      : [],
  );
}

function checkNotRunAgain({ folder }: Backlog, finished: ReadonlyMap<string, number>): void {
  const begun = readBegun(folder);
  for (const [id, times] of finished) expect(begun.get(id) ?? 0, `${id} was run again`).toBe(times);
}

function tally(
  count: Kills,
  { killedWhile }: Ran,
  { whom, resumed: again }: { whom: Whom; resumed: boolean },
): void {
  if (killedWhile === null) return;
  count.total += 1;
  count.while[killedWhile] += 1;
  count.of[whom] += 1;
  if (again) count.ofResumed += 1;
}

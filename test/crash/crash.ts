/** Kills runs at random moments until there were enough kills, and resumes each until it has ended. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { seededRandom } from '../kit/random.ts';
import { type Backlog, readMarkers, writeBacklog } from './backlog.ts';
import { checkAnnounced, checkDatabase, checkEnd, finishedOf, type Stored, wholeLines } from './checks.ts';
import { type Kill, type Moment, type Ran, runAndKill, type Whom } from './killed.ts';

export interface CrashOptions {
  seed: number;
  /** How many runs, first ones and resumed ones, are killed at least. */
  kills: number;
  workstreams: number;
}

/** How many kills hit what. */
export interface Kills {
  total: number;
  /** Runs that were resumed to their end. */
  runs: number;
  ofResumed: number;
  /** By who was killed. */
  ofRun: number;
  ofWatcher: number;
  ofBoth: number;
  loading: number;
  executing: number;
  ending: number;
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
    ofRun: 0,
    ofWatcher: 0,
    ofBoth: 0,
    loading: 0,
    executing: 0,
    ending: 0,
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
  const sessions = 1 + Math.floor(random() * SESSIONS);
  let stored: Stored | null = null;
  let finished = new Map<string, number>();
  let whom: readonly Whom[] = ['run', 'watcher', 'both'];
  for (let session = 0; session < sessions; session += 1) {
    const kill = drawKill(random, backlog, whom);
    // What was running at two such deaths is to blame, as far as can be known.
    if (kill.whom === 'run') whom = ['watcher', 'both'];
    let announced = new Map<string, number>();
    const onKilled = (stdout: string): void => {
      announced = markersOf(backlog, announcedIn(stdout));
    };
    const ran = await runAndKill(backlog.folder, argumentsFor(stored), { ...kill, onKilled });
    const before = stored;
    stored = checkDatabase(backlog.folder);
    checkAnnounced(ran.stdout, stored);
    checkNotRunAgain(backlog, new Map([...finished, ...announced]));
    if (kill.whom === 'run' && ran.killedWhile !== null && ran.killedWhile !== 'loading') {
      expect([ran.code, stored?.state], `${ran.stdout.slice(-2_000)}\n${ran.stderr}`).toEqual([1, 'ended']);
    }
    finished = markersOf(backlog, stored === null ? [] : finishedOf(stored));
    tally(count, ran, { whom: kill.whom, resumed: before !== null });
    if (stored?.state === 'ended') break;
  }
  if (stored?.state !== 'ended') await finish(backlog, stored);
  checkNotRunAgain(backlog, finished);
  checkEnd(backlog);
  count.runs += 1;
}

function drawKill(random: () => number, backlog: Backlog, whom: readonly Whom[]): Omit<Kill, 'onKilled'> {
  const index = Math.floor(random() * whom.length);
  return { whom: whom[index] ?? 'both', moment: momentOf(random, backlog) };
}

const argumentsFor = (stored: Stored | null): string[] => [
  'run',
  '-j',
  '3',
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

function momentOf(random: () => number, { expected }: Backlog): Moment {
  const chance = random();
  const share = random();
  if (chance < 0.25) return { after: 'start', milliseconds: share * 500 };
  if (chance < 0.5) return { after: 'start', milliseconds: share * LONGEST_MS };
  if (chance < 0.75) return { after: 'lines', lines: 1 + Math.floor(share * 2 * expected.size) };
  return { after: 'last-result', milliseconds: share * ENDING_MS };
}

/** How often each of these had been run by then. */
function markersOf({ folder }: Backlog, ids: readonly string[]): Map<string, number> {
  const markers = readMarkers(folder);
  return new Map(ids.map((id) => [id, markers.get(id) ?? 0]));
}

/** What had its result, by what was printed. */
function announcedIn(stdout: string): string[] {
  return wholeLines(stdout).flatMap((line) =>
    line['event'] === 'workstream-finished' && line['status'] !== 'skipped'
      ? [String(line['workstream_id'])]
      : [],
  );
}

function checkNotRunAgain({ folder }: Backlog, finished: ReadonlyMap<string, number>): void {
  const markers = readMarkers(folder);
  for (const [id, times] of finished) expect(markers.get(id) ?? 0, `${id} was run again`).toBe(times);
}

function tally(
  count: Kills,
  { killedWhile }: Ran,
  { whom, resumed: again }: { whom: Whom; resumed: boolean },
): void {
  if (killedWhile === null) return;
  count.total += 1;
  count[killedWhile] += 1;
  count[OF[whom]] += 1;
  if (again) count.ofResumed += 1;
}

const OF = { run: 'ofRun', watcher: 'ofWatcher', both: 'ofBoth' } as const;

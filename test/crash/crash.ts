/** Kills runs at random moments until there were enough kills, and resumes each until it has ended. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Backlog, readMarkers, writeBacklog } from './backlog.ts';
import { checkAnnounced, checkDatabase, checkEnd, finishedOf, type Stored } from './checks.ts';
import { type Moment, type Ran, runAndKill } from './killed.ts';
import { seededRandom } from './random.ts';

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
  ofGroup: number;
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
  const count: Kills = { total: 0, runs: 0, ofResumed: 0, ofGroup: 0, loading: 0, executing: 0, ending: 0 };
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
  for (let session = 0; session < sessions; session += 1) {
    const whole = random() < 0.5;
    const ran = await runAndKill(backlog.folder, argumentsFor(stored), momentOf(random, backlog), whole);
    const before = stored;
    stored = checkDatabase(backlog.folder);
    checkAnnounced(ran.stdout, stored);
    checkNotRunAgain(backlog, finished);
    finished = markersOf(backlog, stored);
    tally(count, ran, { whole, resumed: before !== null });
    if (stored?.state === 'ended') break;
  }
  if (stored?.state !== 'ended') await finish(backlog, stored);
  checkNotRunAgain(backlog, finished);
  checkEnd(backlog);
  count.runs += 1;
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
  const ran = await runAndKill(backlog.folder, argumentsFor(stored), null, false);
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

/** How often what has its result had been run by then. */
function markersOf({ folder }: Backlog, stored: Stored | null): Map<string, number> {
  const markers = readMarkers(folder);
  return new Map((stored === null ? [] : finishedOf(stored)).map((id) => [id, markers.get(id) ?? 0]));
}

function checkNotRunAgain({ folder }: Backlog, finished: ReadonlyMap<string, number>): void {
  const markers = readMarkers(folder);
  for (const [id, times] of finished) expect(markers.get(id) ?? 0, `${id} was run again`).toBe(times);
}

function tally(
  count: Kills,
  { killedWhile }: Ran,
  { whole, resumed: again }: { whole: boolean; resumed: boolean },
): void {
  if (killedWhile === null) return;
  count.total += 1;
  count[killedWhile] += 1;
  if (whole) count.ofGroup += 1;
  if (again) count.ofResumed += 1;
}

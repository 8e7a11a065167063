/** What holds for an assignment alone holds for each one of a batch, whatever the others of its thread do. */
import { setMaxListeners } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { assignment, moduleStep, workstream } from '../kit/definitions.ts';
import { engineSettings } from '../kit/engine-settings.ts';

const MODULE = `
import { existsSync, writeFileSync } from 'node:fs';
let rejectLater;
let printLater;
export const ends = () => undefined;
/** Keeps its thread until this many seconds have passed. */
export const blocks = ({ seconds }, { workspace }) => {
  writeFileSync(workspace + '/blocks', '');
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end);
};
/** Goes on when it is told to. */
export const waits = async (input, { workspace }) => {
  writeFileSync(workspace + '/begun', '');
  while (!existsSync(workspace + '/go')) await new Promise(setImmediate);
};
export const loops = () => { for (;;); };
/** What it sets in motion fails only when one of the next ones says so. */
export const keepsPromise = () => { void new Promise((_, reject) => { rejectLater = reject; }); };
export const rejects = async () => {
  rejectLater(new Error('of an earlier one'));
  await new Promise(setImmediate);
};
`;

const base = mkdtempSync(join(tmpdir(), 'millrace-batch-'));
/** Loaded once: what is behind one that has to be loaded is taken back. */
const module = join(base, 'module.mjs');
writeFileSync(module, MODULE);
const late: string[][] = [];
const engine = new ThreadEngine({
  ...engineSettings(base),
  agents: 1,
  manyCommands: false,
  onLate: (id, text) => late.push([id, text]),
});
afterAll(async () => {
  await engine.close();
  rmSync(base, { recursive: true });
});

interface Member {
  does: string;
  input?: { seconds: number };
  timeoutSeconds?: number;
}

/** Assignments of these in a folder of their own. */
function assignmentsOf(members: readonly Member[]): { folder: string; assignments: Assignment[] } {
  const folder = mkdtempSync(join(base, 'folder-'));
  const assignments = members.map(({ does, input = null, timeoutSeconds = 600 }, index) =>
    assignment(folder, workstream(`ws-${index}`, [moduleStep(module, does, input && { ...input })]), {
      limits: { timeoutSeconds, graceSeconds: 0.2, maxOutputMb: 20 },
    }),
  );
  return { folder, assignments };
}

/** Their outcomes; null for what was returned. */
async function give(assignments: readonly Assignment[]): Promise<(Outcome | null)[]> {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const outcomes: (Outcome | null)[] = assignments.map(() => null);
  await engine.executeBatch(assignments, {
    signal,
    onMessage: () => undefined,
    onOutcomes: (ended) => {
      for (const { index, outcome } of ended) outcomes[index] = outcome;
    },
  });
  return outcomes;
}

/** Their outcomes: what is returned is given again. */
async function outcomesOf(members: readonly Member[]): Promise<Outcome[]> {
  let left = assignmentsOf(members).assignments;
  const outcomes: Outcome[] = [];
  while (left.length > 0) {
    const given = await give(left);
    left = left.filter((_, index) => given[index] === null);
    outcomes.push(...given.filter((outcome) => outcome !== null));
  }
  return outcomes;
}

const ends = (outcomes: readonly (Outcome | null)[]): unknown[] =>
  outcomes.map((outcome) => outcome?.failure?.reason ?? outcome?.status);

/** The outcomes of two behind the first, of which the second began after the limit since the first did. */
async function oneBehindTheOther(limit: number): Promise<(Outcome | null)[]> {
  const first = { does: 'blocks', input: { seconds: limit * 1.1 } };
  const members = [{ does: 'ends' }, first, { does: 'waits', timeoutSeconds: limit }];
  const { folder, assignments } = assignmentsOf(members);
  const outcomes = give(assignments);
  const ended = outcomes.then(() => true);
  const isBlocked = (): boolean => existsSync(join(folder, 'blocks'));
  while (!isBlocked()) if (await Promise.race([ended, nextTurn(false)])) return outcomes;
  // Nothing is taken back while this thread is blocked.
  const end = performance.now() + limit * 3_000;
  while (!existsSync(join(folder, 'begun')) && performance.now() < end);
  writeFileSync(join(folder, 'go'), '');
  return outcomes;
}

test('the limit of a member counts from its own beginning, not from that of its batch', async () => {
  let outcomes = await oneBehindTheOther(2);
  // It was taken back before this thread was blocked.
  while (outcomes.at(-1) === null) outcomes = await oneBehindTheOther(2);
  expect(ends(outcomes)).toEqual(['completed', 'completed', 'completed']);
});

test('no member is ended before its limit has passed since it began', async () => {
  const limit = 0.5;
  const blocks = { does: 'blocks', input: { seconds: 0.01 } };
  const outcomes = await outcomesOf([{ does: 'ends' }, blocks, { does: 'loops', timeoutSeconds: limit }]);
  expect(ends(outcomes)).toEqual(['completed', 'completed', 'timed-out']);
  expect(outcomes[2]?.durationSeconds).toBeGreaterThanOrEqual(limit);
});

test('a rejection that comes late is blamed on the one that made it, not on the one that is executed', async () => {
  const outcomes = await outcomesOf([{ does: 'keepsPromise' }, { does: 'rejects' }, { does: 'ends' }]);
  expect(ends(outcomes)).toEqual(['completed', 'completed', 'completed']);
  // What comes late is told in a message of its own, which may arrive after the outcomes.
  await expect.poll(() => late).toEqual([['ws-0', expect.stringContaining('of an earlier one')]]);
});

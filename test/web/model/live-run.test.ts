import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WorkstreamInHand } from '../../../src/domain/dashboard/answers.ts';
import type { PageWorkstream } from '../../../src/domain/page-document.ts';
import { type AgentLane, timelineOf } from '../../../src/web/model/lanes.ts';
import { LiveRun, Unseen } from '../../../src/web/model/live-run.ts';
import { MARKS, markOf, needingIn } from '../../../src/web/model/run.ts';
import { failed, LIVE, runOf, skippedFor, workstream } from '../kit.ts';

const inHand = (agentId: string, but: Partial<WorkstreamInHand> = {}): WorkstreamInHand => ({
  workstreamId: `of ${agentId}`,
  title: '',
  agentId,
  attempt: 1,
  since: LIVE.startedAt,
  fraction: null,
  text: null,
  logFile: null,
  host: null,
  ...but,
});

const { document: EMPTY } = runOf([]);

const liveRun = (rows: readonly PageWorkstream[], running: readonly WorkstreamInHand[] = []): LiveRun =>
  new LiveRun(EMPTY, rows, { ...LIVE, running: [...running] });

const time = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

/** One of a few workstreams, as it may come in at any moment. */
const anyRow = fc
  .record({
    id: fc.integer({ min: 0, max: 30 }).map((number) => `ws-${number}`),
    agent: fc.integer({ min: 1, max: 12 }),
    start: fc.integer({ min: -20, max: 500 }),
    seconds: fc.integer({ min: 0, max: 9 }),
    kind: fc.constantFrom('completed', 'retried', 'failed', 'odd', 'skipped'),
    merge: fc.constantFrom(null, 'pending', 'merged', 'conflict', 'outside-scope'),
  })
  .map(({ id, agent, start, seconds, kind, merge }): PageWorkstream => {
    if (kind === 'skipped') return skippedFor(id, 'ws-0');
    const but = { agentId: `agent-${agent}`, start: time(start), end: time(start + seconds), seconds };
    if (kind === 'failed') return failed(id, 'thrown', but);
    if (kind === 'odd') return failed(id, 'nothing-changed', but);
    return workstream(id, { ...but, merge, attemptCount: kind === 'retried' ? 2 : 1 });
  });

const barsOf = (lanes: readonly AgentLane[]): unknown =>
  lanes
    .filter(({ bars }) => bars.length > 0)
    .map(({ agentId, bars }) => [
      agentId,
      bars.map(({ workstream: { id }, from, to, mark }) => [from, to, mark, id].join(' ')).toSorted(),
    ]);

test('what is kept row by row is what all rows together say', () => {
  fc.assert(
    fc.property(
      fc.array(anyRow, { maxLength: 20 }),
      fc.array(fc.oneof(anyRow, fc.integer({ min: 0, max: 30 })), { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      (first, changes, each) => {
        const run = liveRun(first);
        run.count('failed');
        run.strip(each);
        for (const change of changes) {
          if (typeof change === 'number') run.remove(`ws-${change}`);
          else run.put(change);
          run.timeline();
        }
        const whole = run.snapshot();
        for (const mark of MARKS) expect(run.count(mark)).toBe(whole.count(mark));
        expect(run.needing).toBe(needingIn(whole).length);
        expect(run.strip(each).flat()).toEqual(whole.workstreams.map(markOf));
        expect(
          run.strip(each).every(({ length }, index, all) => length === each || index === all.length - 1),
        ).toBe(true);
        const timeline = run.timeline();
        const expected = timelineOf(whole);
        expect(barsOf(timeline.lanes)).toEqual(barsOf(expected.lanes));
        expect(timeline.seconds).toBe(whole.seconds);
        expect([...timeline.marks].toSorted()).toEqual([...expected.marks].toSorted());
        for (const { bars } of timeline.lanes)
          expect(bars.map(({ from }) => from)).toEqual(
            bars.map(({ from }) => from).toSorted((a, b) => a - b),
          );
      },
    ),
    { seed: 7 },
  );
});

/** 12,000 workstreams of 54 agents. */
const many = (): PageWorkstream[] =>
  Array.from({ length: 12_000 }, (_, index) => {
    const start = Math.floor(index / 54);
    const agentId = `agent-${(index % 54) + 1}`;
    return workstream(`ws-${index}`, { agentId, start: time(start), end: time(start + 1) });
  });

describe('of 12,000 workstreams', () => {
  const changedIn = (before: readonly object[], after: readonly object[]): number =>
    after.filter((each, index) => each !== before[index]).length;

  test('one that ends changes the lane of its agent, and its group of the strip', () => {
    const run = liveRun(many());
    const lanes = run.timeline().lanes;
    const groups = [...run.strip(56)];
    run.put(workstream('ws-new', { agentId: 'agent-7', start: time(300), end: time(301) }));
    expect(changedIn(lanes, run.timeline().lanes)).toBe(1);
    expect(changedIn(groups, run.strip(56))).toBe(1);
  });

  test('one that is merged changes the lane of its agent, and its group of the strip where it needs a person', () => {
    const rows = many();
    const run = liveRun(rows);
    const lanes = run.timeline().lanes;
    const strip = run.strip(56);
    const row = rows.at(-1) ?? workstream('none');
    run.put({ ...row, merge: 'merged' });
    expect(changedIn(lanes, run.timeline().lanes)).toBe(1);
    expect(run.strip(56)).toBe(strip);
    run.put({ ...row, merge: 'conflict' });
    expect(run.strip(56).at(-1)).toContain('conflict');
    expect(run.needing).toBe(1);
  });

  test('what agents do changes the rows of those that do something else, and time alone none', () => {
    const run = liveRun(many(), [inHand('agent-1'), inHand('agent-2')]);
    const { agents } = run;
    const { lanes } = run.timeline();
    run.live = { ...LIVE, now: '2026-01-01T00:11:00.000Z', running: [inHand('agent-1'), inHand('agent-2')] };
    expect(run.agents).toBe(agents);
    expect(run.timeline().lanes).toBe(lanes);
    run.live = { ...LIVE, running: [inHand('agent-1', { fraction: 0.5 }), inHand('agent-2')] };
    expect(changedIn(agents, run.agents)).toBe(1);
    run.live = { ...LIVE, running: [inHand('agent-1', { workstreamId: 'another' }), inHand('agent-2')] };
    expect(changedIn(lanes, run.timeline().lanes)).toBe(1);
  });
});

test('an agent that has nothing to do keeps its place among the others', () => {
  const run = liveRun([workstream('a', { agentId: 'agent-2' })], [inHand('agent-10'), inHand('agent-3')]);
  expect(run.agents.map(({ agentId, running }) => [agentId, running?.workstreamId ?? null])).toEqual([
    ['agent-2', null],
    ['agent-3', 'of agent-3'],
    ['agent-10', 'of agent-10'],
  ]);
  run.live = LIVE;
  expect(run.agents.map(({ agentId, running }) => [agentId, running])).toEqual([
    ['agent-2', null],
    ['agent-3', null],
    ['agent-10', null],
  ]);
});

test('a bar of what is running grows, and stays the same bar', () => {
  const run = liveRun([], [inHand('agent-1')]);
  const [before] = run.timeline().lanes[0]?.running ?? [];
  run.live = { ...LIVE, now: '2026-01-01T00:20:00.000Z', running: [inHand('agent-1')] };
  const [after] = run.timeline().lanes[0]?.running ?? [];
  expect(after).toBe(before);
  expect(after).toMatchObject({ from: 0, to: 1200, mark: 'running' });
});

test('what happened since the reader looked is counted once, whatever becomes of it', () => {
  const unseen = new Unseen();
  const row = workstream('a');
  unseen.compare('a', undefined, row);
  unseen.compare('a', undefined, failed('a', 'thrown'));
  unseen.compare('b', row, undefined);
  expect(unseen.counts).toEqual({ more: 1, changed: 1, needing: 1 });
  unseen.compare('a', undefined, undefined);
  unseen.compare('b', row, row);
  expect(unseen.counts).toEqual({ more: 0, changed: 0, needing: 0 });
});

test('what is merged is told in its place, and what could not be waits as what needs a person', () => {
  const unseen = new Unseen();
  const pending = workstream('a', { merge: 'pending' });
  const now = (merge: PageWorkstream['merge']): PageWorkstream => ({ ...pending, merge });
  for (const merge of ['merged', 'mergeable', 'nothing-to-merge'] as const) {
    unseen.compare('a', pending, now(merge));
    expect(unseen.counts, merge).toEqual({ more: 0, changed: 0, needing: 0 });
  }
  for (const merge of ['conflict', 'breaks-tests', 'outside-scope', 'failed'] as const) {
    unseen.compare('a', pending, now(merge));
    expect(unseen.counts, merge).toEqual({ more: 0, changed: 1, needing: 1 });
  }
  // Tried once more at the end, and listed as it was before.
  unseen.compare('a', now('conflict'), now('merged'));
  expect(unseen.counts).toEqual({ more: 0, changed: 1, needing: 0 });
});

test('a row takes the place of the one that is listed, and no other moves', () => {
  const rows = ['a', 'b', 'c'].map((id) => workstream(id, { merge: 'pending' }));
  const before = liveRun(rows).snapshot();
  const after = before.withMerged(new Map([['b', workstream('b', { merge: 'merged' })]]), null);
  expect(after.workstreams.map(({ id, merge }) => [id, merge])).toEqual([
    ['a', 'pending'],
    ['b', 'merged'],
    ['c', 'pending'],
  ]);
  expect(after.live).toBe(before.live);
});

import { expect, test } from 'vitest';
import type { PageWorkstream } from '../../../src/domain/page-document.ts';
import { errorsOf, MOST_ERRORS } from '../../../src/web/model/errors.ts';
import { listedAfter, NOTHING_LISTED, spreadOf } from '../../../src/web/model/listed-needs.ts';
import { countsOf, needsOf } from '../../../src/web/model/needs.ts';
import { Run } from '../../../src/web/model/run.ts';
import { errorPattern, mergedWork, whole } from '../../kit/consolidated-result.ts';
import { CONFLICT, failed, LIVE, runOf, skippedFor, workstream } from '../kit.ts';

/** A run under way of which these have ended. */
const underWay = (rows: readonly PageWorkstream[], head: Parameters<typeof runOf>[1] = {}): Run =>
  new Run(
    runOf(rows, { ...head, run: { runId: 'ma-run-20260101-000000', state: 'running', ...head.run } })
      .document,
    LIVE,
  );

const refused = (id: string, but: Partial<PageWorkstream> = {}): PageWorkstream =>
  failed(id, 'exit-non-zero', { patternId: 'p-refused', tail: `connect to ${id} refused\n`, ...but });

const refusal = errorPattern({
  id: 'p-refused',
  type: 'exit-non-zero',
  pattern: 'connect to <*> refused',
  telling: 'connect to a refused',
  count: 2,
  workstreams: ['a', 'b'],
  example: { workstreamId: 'a' },
});

test('the needs of a run under way are those that it has when it has ended', () => {
  const rows = [
    refused('a'),
    failed('x', 'thrown', { patternId: 'p-x' }),
    refused('b'),
    skippedFor('c', 'b'),
  ];
  const errors = [refusal, errorPattern({ id: 'p-x', workstreams: ['x'], example: { workstreamId: 'x' } })];
  const told = (run: Run) =>
    needsOf(run).map(({ key, badge, reason, title, lines, total, heldBack, affected }) => [
      [key, badge, reason, title, lines, total, heldBack],
      affected.map(({ id, values }) => [id, ...values]),
    ]);
  const ended = runOf(rows, { errors });
  const live = underWay(rows, { errors });
  expect(told(live)).toEqual(told(ended));
  expect(countsOf(live, needsOf(live))).toBe(countsOf(ended, needsOf(ended)));
  expect(countsOf(live, needsOf(live))).toBe('2 errors behind 3 failures');
});

test('while a run goes on rows count that its document does not have yet, and not those that were taken back', () => {
  const run = underWay([refused('b'), refused('d'), refused('e')], { errors: [refusal] });
  const [need] = needsOf(run);
  expect(need?.affected.map(({ id }) => id)).toEqual(['b', 'd', 'e']);
  expect(need?.total).toBe(3);
  expect(needsOf(underWay([workstream('a')], { errors: [refusal] }))).toEqual([]);
});

test('rows that have the id of a part of an error are of that error', () => {
  const rows = [
    refused('a'),
    refused('b', { patternId: 'p-part' }),
    refused('c', { patternId: 'p-other-part' }),
  ];
  const errors = [{ ...refusal, count: 3, merged: ['p-part', 'p-other-part'] }];
  for (const run of [underWay(rows, { errors }), runOf(rows, { errors })])
    expect(needsOf(run).map(({ key, affected }) => [key, affected.map(({ id }) => id)])).toEqual([
      ['p-refused', ['a', 'b', 'c']],
    ]);
});

test('an error that the document does not have yet says what its first workstream says', () => {
  const run = underWay([refused('a'), refused('b'), failed('x', 'thrown')]);
  expect(needsOf(run).map(({ title, total, pattern }) => [title, total, pattern?.id ?? null])).toEqual([
    [['exit-non-zero happened.'], 2, 'p-refused'],
    [['thrown happened.'], 1, null],
  ]);
});

test('what failed while a run goes on is tried again in it, all of one error at once', () => {
  const run = underWay([refused('a'), refused('b'), refused('c'), refused('d')], { errors: [refusal] });
  const [need] = needsOf(run);
  expect(need?.command).toBe('millrace retry --run ma-run-20260101-000000 a b c d');
  // The run is under way: it can't be tried again as another one.
  expect(need?.prompt).toMatch(/accepted when this passes:\n\n {4}millrace run a b c$/);
});

test('work that could not be merged is told once, and what it conflicts with is not to be tried again', () => {
  const conflict = workstream('b', { merge: 'conflict' });
  const rows = [workstream('a', { merge: 'merged' }), conflict];
  const told = needsOf(underWay(rows, { merges: mergedWork({ problems: whole(CONFLICT) }) }));
  expect(told.map(({ key, failures }) => [key, failures.map(({ id }) => id)])).toEqual([
    ['conflict:b', ['b']],
  ]);
  // Before the document tells of it.
  expect(needsOf(underWay(rows)).map(({ badge, failures }) => [badge, failures.length])).toEqual([
    ['conflict', 1],
  ]);
});

test('of more errors than have cards the most frequent are told, and all are counted', () => {
  const rows = Array.from({ length: 10_000 }, (_, index) =>
    failed(`ws-${index}`, 'thrown', { patternId: index < 9_000 ? `p-${index}` : 'p-often' }),
  );
  const run = underWay(rows);
  const { shown, total, failures } = errorsOf(run);
  expect([shown.length, total, failures]).toEqual([MOST_ERRORS, 9_001, 10_000]);
  expect(needsOf(run)[0]).toMatchObject({ key: 'p-often', total: 1_000 });
});

test('cards stay where they are when the reader looks again, and what is new has cards after them', () => {
  const keysOf = ({ needs, cards }: ReturnType<typeof listedAfter>): string[] =>
    needs.slice(0, cards).map(({ key }) => key);
  const ofKinds = (...kinds: [id: string, times: number][]) =>
    needsOf(
      underWay(
        kinds.flatMap(([id, times]) =>
          Array.from({ length: times }, (_, index) => failed(`${id}-${index}`, 'thrown', { patternId: id })),
        ),
      ),
    );
  const first = listedAfter(NOTHING_LISTED, ofKinds(['p-a', 3], ['p-b', 2], ['p-c', 1]));
  expect(keysOf(first)).toEqual(['p-a', 'p-b', 'p-c']);
  const second = listedAfter(first, ofKinds(['p-d', 9], ['p-c', 5], ['p-e', 1], ['p-a', 3]));
  expect(keysOf(second)).toEqual(['p-a', 'p-c', 'p-d', 'p-e']);

  const many = Array.from({ length: 20 }, (_, index): [string, number] => [`p-${index}`, 30 - index]);
  const third = listedAfter(NOTHING_LISTED, ofKinds(...many));
  expect(third.cards).toBe(8);
  const fourth = listedAfter(third, ofKinds(...many, ['p-new', 29]));
  expect(keysOf(fourth)).toEqual([...keysOf(third), 'p-new']);
  expect(fourth.needs).toHaveLength(21);
});

test('where and when an error came up is said with the most frequent first', () => {
  const end = (minute: number): string => `2026-01-01T00:0${minute}:00.000Z`;
  const by = (agentId: string, minute: number, tool: string | null = null): PageWorkstream =>
    failed(`ws-${minute}`, 'thrown', { agentId, tool, end: end(minute) });
  expect(spreadOf([by('agent-1', 2), by('agent-2', 1), by('agent-2', 3)])).toEqual({
    first: end(1),
    newest: end(3),
    by: 'agent-2 (2) and agent-1 (1)',
  });
  expect(spreadOf([by('agent-1', 1, 'claude'), by('agent-2', 2, 'claude')]).by).toBe('claude');
  const five = [1, 2, 3, 4, 5].map((number) => by(`agent-${number}`, number));
  expect(spreadOf(five).by).toBe('agent-1 (1), agent-2 (1), agent-3 (1) and 2 others');
});

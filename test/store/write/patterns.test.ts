import { describe, expect, test } from 'vitest';
import type { AgentResult } from '../../../src/domain/agent-result.ts';
import type { ErrorPattern } from '../../../src/domain/history/pattern.ts';
import { errorPatterns } from '../../../src/store/read/errors.ts';
import { failurePatterns } from '../../../src/store/read/patterns.ts';
import type { Connection } from '../../../src/store/schema/connection.ts';
import { settlePatterns } from '../../../src/store/write/patterns.ts';
import { failed, opened, record, result, rowsOf } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const runId = (number: number): string => `ma-run-2026010${number}-030405`;

/** Records a run and settles its patterns, as the end of a run does. */
function ran(connection: Connection, number: number, results: AgentResult[]): ErrorPattern[] {
  recordRun(connection, number, results);
  settlePatterns(connection, runId(number));
  return patternsOf(connection, number);
}

function recordRun(connection: Connection, number: number, results: AgentResult[]): void {
  const id = runId(number);
  const at = `2026-01-0${number}T03:04:05.000Z`;
  record(
    connection,
    results.map((each) => ({ ...each, runId: id })),
    { runId: id, at },
  );
}

const patternsOf = (connection: Connection, number: number): ErrorPattern[] =>
  errorPatterns(connection, runId(number), 100).shown;

const missing = (workstream: string, module: string): AgentResult =>
  failed(workstream, `Error: Cannot find module ${module}`);

test('errors of one kind have one pattern in every run', () => {
  const connection = opened(temporaryFolder());
  const [first] = ran(connection, 1, [failed('ws-1', 'Error: row 7 is locked')]);
  const [second] = ran(connection, 2, [failed('ws-2', 'Error: row 8 is locked')]);
  expect(first?.id).toMatch(/^p-[\da-f]{8}$/);
  expect(second?.id).toBe(first?.id);
});

test('an error of another reason is another pattern, whatever it says', () => {
  const connection = opened(temporaryFolder());
  const patterns = ran(connection, 1, [
    failed('ws-1', 'no'),
    failed('ws-2', 'no', { errors: [{ type: 'timed-out', message: 'no' }] }),
  ]);
  expect(new Set(patterns.map(({ id }) => id)).size).toBe(2);
});

describe('patterns that turn out to be one', () => {
  test('become one with the oldest id, under which all their errors are found from then on', () => {
    const connection = opened(temporaryFolder());
    const [oldest] = ran(connection, 1, [missing('ws-1', 'lodash')]);
    const [other] = ran(connection, 2, [missing('ws-1', 'express')]);
    expect(other?.id).not.toBe(oldest?.id);
    const [united] = ran(connection, 3, [missing('ws-1', 'zod')]);
    expect(united).toMatchObject({ id: oldest?.id, pattern: 'Cannot find module <*>' });
    expect(patternsOf(connection, 2)).toMatchObject([{ id: oldest?.id, pattern: 'Cannot find module <*>' }]);
    expect(
      rowsOf(connection, 'SELECT pattern_id, merged_into FROM error_patterns WHERE merged_into IS NOT NULL'),
    ).toEqual([{ pattern_id: other?.id, merged_into: oldest?.id }]);
  });

  test('stay one', () => {
    const connection = opened(temporaryFolder());
    ran(
      connection,
      1,
      ['lodash', 'express', 'zod'].map((name, index) => missing(`ws-${index}`, name)),
    );
    const patterns = ran(connection, 2, [missing('ws-1', 'lodash'), missing('ws-2', 'yargs')]);
    expect(patterns).toHaveLength(1);
  });
});

test('the same errors have the same patterns in one run and in many', () => {
  const words = ['lodash', 'express', 'zod', 'yargs', 'pino', 'chalk'];
  const results = words.flatMap((name, index) => [
    missing(`ws-a${index}`, name),
    failed(`ws-b${index}`, `Error: ${name} stopped`),
  ]);
  const at_once = opened(temporaryFolder());
  ran(at_once, 1, results);
  const apart = opened(temporaryFolder());
  for (const [index, name] of words.entries()) {
    ran(
      apart,
      index + 1,
      results.filter((each) => each.errors[0]?.message.includes(name)),
    );
  }
  const partition = (connection: Connection): unknown[] =>
    rowsOf(
      connection,
      'SELECT group_concat(shape) AS shapes FROM (SELECT * FROM error_shapes ORDER BY shape) GROUP BY pattern_id ORDER BY 1',
    );
  expect(partition(apart)).toEqual(partition(at_once));
});

test('a run that has not ended is grouped as its end will group it', () => {
  const connection = opened(temporaryFolder());
  ran(connection, 1, [missing('ws-1', 'lodash'), missing('ws-2', 'express')]);
  recordRun(connection, 2, [missing('ws-1', 'zod'), missing('ws-2', 'lodash')]);
  const before = patternsOf(connection, 2);
  settlePatterns(connection, runId(2));
  expect(before).toHaveLength(1);
  const [only] = before;
  expect(only?.merged).toHaveLength(1);
  expect(patternsOf(connection, 2).map((each) => ({ ...each, merged: only?.merged }))).toEqual(before);
});

test('until a run has ended its patterns name the ids that the failures in them go by', () => {
  const connection = opened(temporaryFolder());
  ran(connection, 1, [missing('ws-1', 'lodash'), missing('ws-2', 'express')]);
  recordRun(connection, 2, [missing('ws-1', 'zod'), missing('ws-2', 'lodash'), failed('ws-3', 'Error: no')]);
  const idsOf = (): string[] => [...failurePatterns(connection, runId(2)).values()].map(({ id }) => id);
  const [missed, no] = patternsOf(connection, 2);
  const ids = new Set(idsOf());
  expect(ids.size).toBe(3);
  expect(no).not.toHaveProperty('merged');
  expect(new Set([missed?.id, ...(missed?.merged ?? []), no?.id])).toEqual(
    new Set([missed?.id, no?.id, ...ids]),
  );
  settlePatterns(connection, runId(2));
  expect(new Set(idsOf())).toEqual(new Set([missed?.id, no?.id]));
  expect(patternsOf(connection, 2).map(({ merged }) => merged)).toEqual([undefined, undefined]);
});

test('failed attempts have a shape, those that a later one healed too', () => {
  const connection = opened(temporaryFolder());
  const attempt = {
    attempt: 1,
    agentId: 'agent-1',
    tool: null,
    model: null,
    reason: 'thrown',
    explanation: 'Error: row 7 is locked',
    failure: null,
    pattern: 'row <*> is locked',
    startTime: '2026-01-01T03:04:05.000Z',
    durationSeconds: 1,
    costUsd: null,
    inputTokens: null,
    outputTokens: null,
    contentHash: null,
    logFile: null,
  };
  ran(connection, 1, [result('ws-1', { attempts: 2, metadata: { earlierAttempts: [attempt] } })]);
  const [pattern] = ran(connection, 2, [failed('ws-1', 'Error: row 9 is locked')]);
  expect(
    rowsOf(
      connection,
      'SELECT a.attempt, s.pattern_id FROM workstream_attempts a LEFT JOIN error_shapes s USING (shape_id)',
    ),
  ).toEqual([
    { attempt: 1, pattern_id: pattern?.id },
    { attempt: 2, pattern_id: null },
  ]);
});

test('of a failed command the line of its output that tells counts, and not the command', () => {
  const connection = opened(temporaryFolder());
  const command = (id: string, name: string, tail: string): AgentResult => {
    const message = `\`${name}\` ended with exit code 1.`;
    return failed(id, message, { errors: [{ type: 'exit-non-zero', message }], metadata: { tail } });
  };
  const patterns = ran(connection, 1, [
    command('ws-1', 'npm test', '> t\nTypeError: x.map is not a function\n    at a.js:1:1\n1 failed'),
    command('ws-2', 'node b.mjs', 'TypeError: x.map is not a function\n    at b.mjs:1:1'),
    command('ws-3', 'npm test', "src/a.ts(3,4): error TS2345: Argument of type 'A' is wrong."),
  ]);
  expect(patterns.map(({ telling, count }) => [telling, count])).toEqual([
    ['TypeError: x.map is not a function', 2],
    ["src/a.ts(3,4): error TS2345: Argument of type 'A' is wrong.", 1],
  ]);
});

test('the values of a pattern and the places of its errors are counted', () => {
  const connection = opened(temporaryFolder());
  const [pattern] = ran(
    connection,
    1,
    ['lodash', 'express', 'zod', 'zod'].map((name, index) => missing(`ws-${index}`, name)),
  );
  expect(pattern?.values).toEqual([
    {
      hole: 0,
      distinct: 3,
      shown: [
        { text: 'zod', count: 2 },
        { text: 'lodash', count: 1 },
        { text: 'express', count: 1 },
      ],
    },
  ]);
  expect(pattern?.places).toEqual([{ place: '/a/b.js f', count: 4 }]);
});

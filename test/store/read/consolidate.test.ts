import { describe, expect, test } from 'vitest';
import type { AgentResult } from '../../../src/domain/agent-result.ts';
import type { ConsolidatedResult } from '../../../src/domain/run-record.ts';
import type { ToolReport } from '../../../src/domain/tool-report.ts';
import { type ConsolidationCaps, consolidate, DEFAULT_CAPS } from '../../../src/store/read/consolidate.ts';
import { outputsOf } from '../../../src/store/read/outputs.ts';
import { testResult } from '../../kit/definitions.ts';
import { failed, opened, RUN, record, result, skipped } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

function consolidated(results: AgentResult[], caps: Partial<ConsolidationCaps> = {}): ConsolidatedResult {
  const connection = opened(temporaryFolder());
  record(connection, results);
  const found = consolidate(connection, RUN, 'runs.db', { ...DEFAULT_CAPS, ...caps });
  if (found === null) throw new Error('the run is missing');
  return found;
}

const CLAUDE: ToolReport = {
  tool: 'claude',
  version: null,
  model: null,
  sessionId: null,
  text: 'All tests pass.',
  tokens: { input: null, output: null, cacheRead: null, cacheWrite: null, reasoning: null },
  costUsd: null,
  turns: null,
  toolCalls: null,
  limit: null,
  durationSeconds: 1,
};

const many = (count: number, make: (index: number) => AgentResult): AgentResult[] =>
  Array.from({ length: count }, (_, index) => make(index));
const ids = (shown: { workstreamId: string }[]): string[] => shown.map(({ workstreamId }) => workstreamId);
const at = (second: number): string => new Date(Date.UTC(2026, 0, 2, 3, 5, second)).toISOString();

test('a run that is not there gives null', () => {
  expect(consolidate(opened(temporaryFolder()), RUN, 'runs.db')).toBeNull();
});

test.each(['agent_results', 'consolidated_errors'])(
  'whatever column of %s holds bytes in place of text, the run can be shown',
  (table) => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1'), failed('ws-2', 'Error: no'), failed('ws-3', 'Error: no')]);
    const columns = connection.pragma(`table_info(${table})`) as { name: string }[];
    for (const name of columns.map((column) => column.name).filter((each) => !/^(run_)?id$/.test(each))) {
      connection.exec('BEGIN');
      connection.exec(`UPDATE ${table} SET ${name} = x'ff' WHERE id = (SELECT MAX(id) FROM ${table})`);
      expect.soft(() => consolidate(connection, RUN, 'runs.db'), name).not.toThrow();
      connection.exec('ROLLBACK');
    }
  },
);

describe('error patterns', () => {
  test('group by reason and template, the most frequent first, with one whole example', () => {
    const { patterns } = consolidated([
      failed('ws-1', 'Error: 1 is odd'),
      failed('ws-2', 'TypeError: x is not a function', { metadata: { tail: 'last words' } }),
      failed('ws-3', 'Error: 3 is odd'),
      failed('ws-4', 'Error: 4 is odd', { errors: [{ type: 'timed-out', message: 'Error: 4 is odd' }] }),
      failed('ws-5', 'TypeError: x is not a function'),
      failed('ws-6', 'Error: 6 is odd'),
    ]);
    const short = patterns.shown.map(({ type, pattern, count, workstreams }) => ({
      type,
      pattern,
      count,
      workstreams,
    }));
    expect(short).toEqual([
      { type: 'thrown', pattern: '<*> is odd', count: 3, workstreams: ['ws-1', 'ws-3', 'ws-6'] },
      { type: 'thrown', pattern: 'TypeError: x is not a function', count: 2, workstreams: ['ws-2', 'ws-5'] },
      { type: 'timed-out', pattern: '<*> is odd', count: 1, workstreams: ['ws-4'] },
    ]);
    expect(patterns.total).toBe(3);
    expect(patterns.shown[1]?.example).toEqual({
      workstreamId: 'ws-2',
      agentId: 'agent-1',
      message: 'TypeError: x is not a function',
      stack: 'TypeError: x is not a function\n    at f (/a/b.js:1:1)',
      tail: 'last words',
      logFile: '.state/logs/ws-2.log',
    });
  });

  test('name the first 20 workstreams, each once, in the order of their results', () => {
    const error = { type: 'thrown', message: 'boom' };
    const { patterns } = consolidated(
      many(30, (index) => failed(`ws-${30 - index}`, 'boom', { errors: [error, error] })),
    );
    expect(patterns.shown[0]?.count).toBe(60);
    expect(patterns.shown[0]?.workstreams).toEqual(
      Array.from({ length: 20 }, (_, index) => `ws-${30 - index}`),
    );
  });

  test('are cut, and counted exactly', () => {
    const results = many(12, (index) => failed(`ws-${index}`, `it is ${'very '.repeat(index)}late`));
    const { patterns } = consolidated(results, { patterns: 5 });
    expect([patterns.shown.length, patterns.total]).toEqual([5, 12]);
  });
});

test('failures and skipped ones are listed in the order of their results', () => {
  const results = [
    skipped('ws-1'),
    failed('ws-2', 'boom'),
    result('ws-3'),
    failed('ws-4', 'bang'),
    skipped('ws-5'),
  ];
  const { failures, skipped: left } = consolidated(results, { failures: 1 });
  expect(failures).toEqual({
    shown: [
      {
        workstreamId: 'ws-2',
        title: 'Title of ws-2',
        agentId: 'agent-1',
        status: 'failed',
        reason: 'thrown',
        explanation: 'boom',
        failure: { reason: 'thrown', how: 'thrown', thrown: { name: 'Error', message: 'boom' } },
        startTime: '2026-01-02T03:04:06.000Z',
        endTime: '2026-01-02T03:04:07.000Z',
        durationSeconds: 1,
        logFile: '.state/logs/ws-2.log',
      },
    ],
    total: 2,
  });
  expect([ids(left.shown), left.total]).toEqual([['ws-1', 'ws-5'], 2]);
});

const unknownChange = { status: null, linesAdded: null, linesRemoved: null };

test('warnings, files and commits of all agents together', () => {
  const found = consolidated(
    [
      result('ws-1', {
        filesModified: ['b.ts', 'a.ts'],
        commitsCreated: ['c2', 'c1'],
        warnings: ['one', 'two'],
      }),
      ...many(7, (index) =>
        result(`ws-b-${index}`, { filesModified: ['b.ts'], commitsCreated: ['c1', 'c3'] }),
      ),
      result('ws-9', { warnings: ['three'] }),
    ],
    { warnings: 2 },
  );
  expect(found.warnings).toEqual({
    shown: [
      { workstreamId: 'ws-1', text: 'one' },
      { workstreamId: 'ws-1', text: 'two' },
    ],
    total: 3,
  });
  expect(found.files).toEqual({
    shown: [
      { path: 'a.ts', workstreams: ['ws-1'], ...unknownChange },
      { path: 'b.ts', workstreams: ['ws-1', 'ws-b-0', 'ws-b-1', 'ws-b-2', 'ws-b-3'], ...unknownChange },
    ],
    total: 2,
  });
  expect(found.commits).toEqual({
    shown: [
      { workstreamId: 'ws-1', commit: 'c2' },
      { workstreamId: 'ws-1', commit: 'c1' },
      { workstreamId: 'ws-b-0', commit: 'c3' },
    ],
    total: 3,
  });
});

test('tests are summed up, and those that failed or wait for a person are named', () => {
  const tests = (...statuses: ('passed' | 'failed' | 'manual')[]): AgentResult['testResults'] => ({
    total: statuses.filter((status) => status !== 'manual').length,
    passed: statuses.filter((status) => status === 'passed').length,
    failed: statuses.filter((status) => status === 'failed').length,
    manual: statuses.filter((status) => status === 'manual').length,
    cases: null,
    tests: statuses.map((status, index) =>
      testResult(`t${index}`, status, { detail: status === 'failed' ? 'exit code 1' : '' }),
    ),
  });
  const found = consolidated([
    result('ws-1', { testResults: tests('passed', 'manual') }),
    failed('ws-2', 'boom', { testResults: tests('failed', 'passed', 'failed') }),
    result('ws-3'),
  ]);
  expect(found.tests).toEqual({ total: 4, passed: 2, failed: 2, manual: 1 });
  expect(found.failedTests).toEqual({
    shown: [
      { workstreamId: 'ws-2', name: 't0', detail: 'exit code 1' },
      { workstreamId: 'ws-2', name: 't2', detail: 'exit code 1' },
    ],
    total: 2,
  });
  expect(found.manualChecks).toEqual({ shown: [{ workstreamId: 'ws-1', name: 't1', detail: '' }], total: 1 });
  expect([found.testCases, found.failedCases]).toEqual([null, { shown: [], total: 0 }]);
});

test('what the tests ran is summed up, and the failed cases are named in the order of their results', () => {
  const ran = (failures: number, cases: AgentResult['testResults']['cases']): AgentResult['testResults'] => ({
    total: 1,
    passed: 0,
    failed: 1,
    manual: 0,
    cases,
    tests: [
      testResult('npm test', 'failed', {
        format: 'tap',
        counts: cases,
        cases: Array.from({ length: failures + 1 }, (_, index) => ({
          suite: 's',
          name: `c${index}`,
          status: index < failures ? ('failed' as const) : ('passed' as const),
          durationSeconds: null,
          message: index === 0 ? 'why' : null,
        })),
      }),
    ],
  });
  const found = consolidated(
    [
      failed('ws-2', 'boom', { testResults: ran(2, { total: 9, passed: 6, failed: 2, skipped: 1 }) }),
      result('ws-3'),
      failed('ws-1', 'boom', { testResults: ran(1, null) }),
      failed('ws-4', 'boom', { testResults: ran(1, { total: 2, passed: 1, failed: 1, skipped: 0 }) }),
    ],
    { tests: 3 },
  );
  expect(found.testCases).toEqual({ total: 11, passed: 7, failed: 3, skipped: 1 });
  const one = { acceptanceTest: 'npm test', suite: 's' };
  expect(found.failedCases).toEqual({
    shown: [
      { workstreamId: 'ws-2', ...one, name: 'c0', message: 'why' },
      { workstreamId: 'ws-2', ...one, name: 'c1', message: null },
      { workstreamId: 'ws-1', ...one, name: 'c0', message: 'why' },
    ],
    total: 4,
  });
});

describe('outputs', () => {
  test('and metrics are shown, very long ones only counted', () => {
    const { outputs } = consolidated([
      result('ws-1', { metadata: { output: { primes: 25 } } }),
      result('ws-2'),
      result('ws-3', { metadata: { output: 'x'.repeat(70_000) } }),
      result('ws-4', { metadata: { metrics: { loss: 0.5 } } }),
    ]);
    const verdict = { status: 'completed', reason: null, explanation: null, tool: null };
    const tests = { passed: 0, failed: 0 };
    expect(outputs).toEqual({
      shown: [
        {
          ...verdict,
          tests,
          workstreamId: 'ws-1',
          title: 'Title of ws-1',
          output: { primes: 25 },
          metrics: {},
        },
        {
          ...verdict,
          tests,
          workstreamId: 'ws-4',
          title: 'Title of ws-4',
          output: null,
          metrics: { loss: 0.5 },
        },
      ],
      total: 3,
    });
  });

  test('of what failed, and the words of tools, have their verdict beside them', () => {
    const said = failed('ws-1', 'it was not accepted');
    said.metadata.output = { text: 'All tests pass.' };
    said.metadata.tools = [CLAUDE];
    said.testResults = { ...said.testResults, total: 1, failed: 1 };
    const { outputs } = consolidated([said]);
    expect(outputs.shown[0]).toMatchObject({
      status: 'failed',
      reason: 'thrown',
      explanation: expect.stringContaining('it was not accepted'),
      tool: 'claude',
      tests: { passed: 0, failed: 1 },
    });
  });

  test('of named workstreams come from this run, or from where they last completed', () => {
    const connection = opened(temporaryFolder());
    const gives = (id: string, output: string): AgentResult => result(id, { metadata: { output } });
    record(connection, [gives('ws-1', 'old'), gives('ws-2', 'old')], { runId: `${RUN}-0` });
    record(connection, [gives('ws-1', 'new'), result('ws-3'), failed('ws-2', 'boom')]);
    const outputs = (runId: string): unknown =>
      outputsOf(connection, runId, ['ws-1', 'ws-2', 'ws-3', 'ws-4']);
    expect(outputs(RUN)).toEqual({ 'ws-1': 'new', 'ws-2': null, 'ws-3': null, 'ws-4': null });
    expect(outputs('ma-run-20990101-000000')).toEqual({
      'ws-1': 'new',
      'ws-2': 'old',
      'ws-3': null,
      'ws-4': null,
    });
  });
});

describe('timeline', () => {
  test('of a small run has everything in the order of start, and at its end what never started', () => {
    const { timeline } = consolidated([
      skipped('ws-1'),
      result('ws-2', { startTime: at(5) }),
      result('ws-3', { startTime: at(1) }),
    ]);
    expect([ids(timeline.shown), timeline.total]).toEqual([['ws-3', 'ws-2', 'ws-1'], 3]);
  });

  test('of a large one has the first failures and the longest', () => {
    const results = many(30, (index) => {
      const fields = { startTime: at(index), durationSeconds: index === 3 ? 99 : index };
      return index % 10 === 0 ? failed(`ws-${index}`, 'boom', fields) : result(`ws-${index}`, fields);
    });
    const { timeline } = consolidated(results, { timeline: { all: 29, failures: 2, longest: 3 } });
    expect([ids(timeline.shown), timeline.total]).toEqual([['ws-0', 'ws-3', 'ws-10', 'ws-28', 'ws-29'], 30]);
  });
});

test('the database is named as a person would type it', () => {
  const connection = opened(temporaryFolder());
  record(connection, [result('ws-1')]);
  const named = (path: string): string | undefined => consolidate(connection, RUN, path)?.database;
  expect(named(`${process.cwd()}/.state/runs.db`)).toBe('.state/runs.db');
  expect(named('.state/runs.db')).toBe('.state/runs.db');
  expect(named('/var/lib/runs.db')).toBe('/var/lib/runs.db');
});

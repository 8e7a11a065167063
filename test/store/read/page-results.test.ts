import { describe, expect, test } from 'vitest';
import type { AgentResult } from '../../../src/domain/agent-result.ts';
import type { PackedWorkstream, PlainText } from '../../../src/domain/page-document.ts';
import { pageResults } from '../../../src/store/read/page-results.ts';
import type { Connection } from '../../../src/store/schema/connection.ts';
import { testResult } from '../../kit/definitions.ts';
import { failed, opened, RUN, record, result, skipped } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

function stored(results: AgentResult[]): Connection {
  const connection = opened(temporaryFolder());
  record(connection, results);
  return connection;
}

function packed(text: PlainText): PackedWorkstream {
  const workstream: PackedWorkstream = JSON.parse(text);
  return workstream;
}

/** All that the page of a run reads, plain results parsed. */
const resultsOf = (connection: Connection): (AgentResult | PackedWorkstream)[] =>
  Array.from(pageResults(connection, RUN, 10).results, (each) =>
    typeof each === 'string' ? packed(each) : each,
  );

const idOf = (each: AgentResult | PlainText): string =>
  typeof each === 'string' ? packed(each).id : each.workstreamId;
const idsOf = (connection: Connection, most: number): string[] =>
  Array.from(pageResults(connection, RUN, most).results, idOf);

const step = { id: 's', kind: 'module', status: 'completed', duration_seconds: 1, exit_code: null } as const;

test('a result that has nothing to tell is read short, with its dependencies', () => {
  const constraints = {
    dependsOn: [{ id: 'ws-0', when: 'completed' as const }],
    conflictGroup: null,
    scopes: [],
    parallelOk: true,
    gate: null,
  };
  const connection = stored([result('ws-1', { metadata: { kind: 'codec', constraints, steps: [step] } })]);
  expect(resultsOf(connection)).toEqual([
    {
      id: 'ws-1',
      title: 'Title of ws-1',
      kind: 'codec',
      file: 'workstreams/ws-1.json',
      agentId: 'agent-1',
      start: '2026-01-02T03:04:06.000Z',
      end: '2026-01-02T03:04:07.000Z',
      seconds: 1,
      cpuSeconds: 0.5,
      cpuWaitSeconds: 0.25,
      dependsOn: ['ws-0'],
    },
  ]);
});

test.each<[string, Parameters<typeof result>[1]]>([
  ['an output', { metadata: { output: 1 } }],
  ['metrics', { metadata: { metrics: { a: 1 } } }],
  ['values of a matrix', { metadata: { matrix: { seed: 1 } } }],
  ['a warning', { warnings: ['w'] }],
  ['a changed file', { filesModified: ['f'] }],
  ['a log', { logFile: '/l' }],
  ['two attempts', { attempts: 2 }],
  ['several steps', { metadata: { steps: [step, step] } }],
  ['what it used', { usage: { cpus: 1, memoryMb: null, cpuSeconds: 1, peakMemoryMb: 5 } }],
  ['another run that it is from', { fromRun: 'ma-run-20250101-000000' }],
  [
    'a manual check',
    {
      testResults: {
        total: 0,
        passed: 0,
        failed: 0,
        manual: 1,
        cases: null,
        tests: [testResult('look', 'manual')],
      },
    },
  ],
])('a result with %s is read whole', (_, fields) => {
  const expected = result('ws-1', fields);
  expect([...pageResults(stored([expected]), RUN, 10).results]).toEqual([expected]);
});

test('a plain result has its texts as they were, and no title that is its id', () => {
  const title = 'a "title"\\ \u202e\n';
  const connection = stored([
    result('ws "1"', { agentId: 'agent\t1', metadata: { title, file: '\u0000é.json' } }),
    result('ws-2', { metadata: { title: 'ws-2' } }),
  ]);
  expect(resultsOf(connection)).toMatchObject([
    { id: 'ws "1"', title, agentId: 'agent\t1', file: '\u0000é.json' },
    { id: 'ws-2' },
  ]);
  expect(resultsOf(connection)[1]).not.toHaveProperty('title');
});

test('seconds are rounded to microseconds, and unknown ones are null', () => {
  const connection = stored([
    result('ws-1', { durationSeconds: 1.23456789, cpuSeconds: 1e-9, cpuWaitSeconds: null }),
  ]);
  expect(resultsOf(connection)).toMatchObject([{ seconds: 1.234568, cpuSeconds: 0, cpuWaitSeconds: null }]);
});

test.each([
  ['metadata that is no JSON', "metadata = '{'"],
  ['metadata of another version', `metadata = '{"title":"t","file":"f","later":1}'`],
  ['a title that is no text', `metadata = '{"title":1,"file":"f"}'`],
  [
    'dependencies of another shape',
    `metadata = '{"title":"t","file":"f","constraints":{"dependsOn":["a"]}}'`,
  ],
  ['a time of another form', "start_time = '2026-01-02 03:04:05'"],
])('a result with %s is read whole', (_, change) => {
  const connection = stored([result('ws-1')]);
  connection.exec(`UPDATE agent_results SET ${change}`);
  expect(resultsOf(connection)).toMatchObject([{ workstreamId: 'ws-1', status: 'completed' }]);
});

test('results are in the order in which they arrived, whole ones and short ones', () => {
  const connection = stored([result('ws-3'), failed('ws-1', 'no'), result('ws-2'), skipped('ws-0')]);
  expect(idsOf(connection, 10)).toEqual(['ws-3', 'ws-1', 'ws-2', 'ws-0']);
});

describe('of more results than a page shows', () => {
  const seconds = (index: number): Parameters<typeof result>[1] => ({
    agentId: `agent-${(index % 2) + 1}`,
    durationSeconds: index,
    startTime: `2026-01-02T03:00:0${index % 10}.000Z`,
    endTime: `2026-01-02T03:00:0${(index % 10) + 0}.500Z`,
    metadata: { kind: index < 10 ? 'short' : 'long' },
  });
  const many = (): Connection =>
    stored([
      ...Array.from({ length: 20 }, (_, index) => result(`ws-${index}`, seconds(index))),
      failed('bad-1', 'no'),
      failed('bad-2', 'no'),
    ]);

  test('the failures are there, and the longest', () => {
    expect(idsOf(many(), 10)).toEqual(['ws-18', 'ws-19', 'bad-1', 'bad-2']);
  });

  test('all of them are counted', () => {
    expect(pageResults(many(), RUN, 10).aggregates?.byKind).toEqual([
      { kind: 'long', completed: 10, failed: 0, skipped: 0, seconds: 145 },
      { kind: 'short', completed: 10, failed: 0, skipped: 0, seconds: 45 },
      { kind: null, completed: 0, failed: 2, skipped: 0, seconds: 2 },
    ]);
  });

  test('how busy each agent was is there over time', () => {
    const load = pageResults(many(), RUN, 10).aggregates?.load;
    expect(load?.from).toBe('2026-01-02T03:00:00.000Z');
    expect(load?.agents.map(({ agentId }) => agentId)).toEqual(['agent-1', 'agent-2']);
    // agent-1 was busy in the first half of every other second, and with both failures a second at the end.
    const [first] = load?.agents ?? [];
    expect(first?.busy.every((share) => share >= 0 && share <= 1)).toBe(true);
    expect(first?.busy[0]).toBe(1);
    expect(first?.busy.at(-1)).toBe(1);
    expect(first?.busy[100]).toBe(0);
  });
});

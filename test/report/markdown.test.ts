import { describe, expect, test } from 'vitest';
import type { ErrorPattern } from '../../src/domain/history/pattern.ts';
import type { Json } from '../../src/domain/json.ts';
import type { ConsolidatedResult, ShortResult } from '../../src/domain/run-record.ts';
import { documentHead } from '../../src/report/document.ts';
import { markdownReport } from '../../src/report/markdown.ts';
import {
  agent,
  because,
  COMPLETED_OUTPUT,
  emptyResult,
  executionSummary,
  RUN_ID,
  runSummary,
  shortResult,
  tool,
  toolTask,
  unknownChange,
  whole,
} from '../kit/consolidated-result.ts';
import { resultsOf } from '../kit/results-of.ts';
import { tableRows } from '../kit/table-cells.ts';
import { comparison, exampleResult, reportOf } from './example-result.ts';
import { largeResult, TOTAL } from './large-result.ts';

/** The lines after the title, up to the table of totals; the first is the verdict. */
function opening(markdown: string): string[] {
  const lines = markdown.split('\n').slice(1);
  return lines
    .slice(
      0,
      lines.findIndex((line) => line.startsWith('|')),
    )
    .filter((line) => line !== '')
    .map((line, index) => (index === 0 ? line.replace(/^\*\*(.*)\*\*$/, '$1') : line));
}

function row(markdown: string, name: string): string[] | undefined {
  return tableRows(markdown)
    .flat()
    .find(([first]) => first === name);
}

/** The cell that says what is the least possible time of a run with this summary. */
function bounded(changes: Parameters<typeof executionSummary>[0]): string[] | undefined {
  const run = runSummary({ executionSummary: executionSummary(changes) });
  return row(reportOf(emptyResult({ run })), 'Least possible time');
}

function headings(markdown: string): string[] {
  return markdown.split('\n').filter((line) => line.startsWith('## '));
}

test('the report of a small run', async () => {
  await expect(reportOf(exampleResult())).toMatchFileSnapshot('./example.md');
});

describe('what it opens with', () => {
  const totals = runSummary().totals;

  test('a run in which everything completed', () => {
    const run = runSummary({ totals: { ...totals, completed: 6, failed: 0, skipped: 0, errors: 0 } });
    const markdown = reportOf(emptyResult({ run }));
    expect(opening(markdown)).toEqual(['All 6 workstreams completed.']);
    expect(headings(markdown)).toEqual(['## Speed', '## The run']);
  });

  test('a run that was interrupted', () => {
    const run = runSummary({
      state: 'interrupted',
      executionSummary: executionSummary({ interruptedBy: 'SIGINT' }),
    });
    expect(opening(reportOf(emptyResult({ run })))[0]).toBe(
      'This run was interrupted by SIGINT: 3 of 6 workstreams completed, 2 failed and 1 did not run to the end.',
    );
  });

  test('a run in which all that is left waits for a usage limit', () => {
    const waitsForLimit = { tool: 'claude', until: '2026-07-14T14:00:00.000Z' };
    const run = runSummary({
      state: 'interrupted',
      executionSummary: executionSummary({ exitCode: 5, waitsForLimit }),
    });
    expect(opening(reportOf(emptyResult({ run })))[0]).toBe(
      'This run waits for a usage limit: 3 of 6 workstreams completed, 2 failed, and 1 can go on when that of claude resets at 2026-07-14T14:00:00.000Z, with `millrace run --resume ma-run-20260714-093000`.',
    );
  });

  test('a run whose process died', () => {
    const run = runSummary({ state: 'interrupted', executionSummary: null, endedAt: null });
    const markdown = reportOf(emptyResult({ run }));
    expect(opening(markdown)).toEqual([
      'This run was interrupted: 3 of 6 workstreams completed, 2 failed and 1 did not run to the end.',
      'The process of this run ended before it could sum up: wall time, speed-up and exit code are not known. `millrace run --resume ma-run-20260714-093000` runs what is left of it.',
    ]);
    expect(row(markdown, 'Ended (UTC)')).toEqual(['Ended (UTC)', '– (not recorded)']);
  });

  test('a run that is under way', () => {
    const run = runSummary({ state: 'running', executionSummary: null, endedAt: null });
    const markdown = reportOf(emptyResult({ run }));
    expect(opening(markdown)[0]).toBe(
      'This run is still under way: 6 of 6 workstreams have ended (3 completed, 2 failed, 1 skipped).',
    );
    expect(markdown).toContain('what to do next are known when the run has ended.');
  });

  test('a run of an older system: what is not known is a dash and never 0', () => {
    const run = runSummary({ executionSummary: null, createdAt: '2024-02-03 04:05:06', endedAt: null });
    const markdown = reportOf(emptyResult({ run }));
    expect(opening(markdown)).toEqual([
      '2 of 6 workstreams failed and 1 was skipped.',
      'An older version recorded this run: wall time, speed-up and exit code are not known.',
    ]);
    for (const name of [
      'Wall time',
      'Work in all',
      'Speed-up against one agent',
      'Critical path',
      'Exit code',
    ]) {
      expect(row(markdown, name)).toEqual([name, '–']);
    }
    expect(row(markdown, 'Started (UTC)')).toEqual(['Started (UTC)', '2024-02-03 04:05:06']);
  });

  test('many failures of one error', () => {
    const failures = whole(shortResult({ workstreamId: 'ws-b', status: 'failed', reason: 'thrown' }));
    const example = { agentId: 'agent-1', message: 'no', stack: null, tail: null, logFile: null };
    const pattern = {
      id: 'p-00000001',
      type: 'thrown',
      pattern: 'no',
      telling: 'no',
      count: 2,
      workstreams: ['ws-b', 'ws-c'],
      values: [],
      places: [],
      history: null,
      goesWith: [],
    };
    const patterns = whole({ ...pattern, example: { ...example, workstreamId: 'ws-b' } });
    expect(opening(reportOf(emptyResult({ failures, patterns })))).toEqual([
      '2 of 6 workstreams failed, 2 of them with the same error, and 1 was skipped; start with `ws-b` (thrown).',
    ]);
  });

  test('a failure that holds up more workstreams than any error explains comes first', () => {
    const failed = (workstreamId: string) =>
      shortResult({ workstreamId, status: 'failed', reason: 'thrown' });
    const skipped = (workstreamId: string, dependency: string) =>
      shortResult({
        workstreamId,
        status: 'skipped',
        ...because({ reason: 'dependency-failed', dependency, detail: 'failed' }),
      });
    const failures = whole(failed('ws-a'), failed('ws-root'), failed('ws-b'));
    const waiting = [skipped('ws-1', 'ws-root'), skipped('ws-2', 'ws-1'), skipped('ws-3', 'ws-b')];
    const first = (...held: ShortResult[]) =>
      opening(reportOf(emptyResult({ failures, skipped: whole(...held) })))[0];
    expect(first(...waiting)).toContain('start with `ws-root` (thrown)');
    expect(first(...waiting.slice(2))).toContain('start with `ws-b` (thrown)');
    expect(first(skipped('ws-1', 'ws-elsewhere'))).toContain('start with `ws-a` (thrown)');
  });
});

test('what to do is below the verdict, most important first, and a rate of nothing is not 0 %', () => {
  const totals = { ...runSummary().totals, completed: 0, failed: 0, skipped: 6 };
  const run = runSummary({ totals, recommendations: ['Fix it: `millrace validate`.', 'Then rest.'] });
  const markdown = reportOf(emptyResult({ run }));
  expect(opening(markdown).slice(1)).toEqual([
    '**Next**:',
    '1. Fix it: `millrace validate`.',
    '2. Then rest.',
  ]);
  expect(row(markdown, 'Success rate')).toEqual(['Success rate', '– (none ran)']);
});

test('what bounds the run', () => {
  const speed = { ...executionSummary().speed, criticalPathSeconds: 8.625 };
  expect(bounded({})?.[1]).toBe('8.6s, set by the cores; the run reached 91.8 % of that speed');
  const needed = { ...executionSummary().speed, oneAgentSeconds: 25.875 };
  expect(bounded({ speed: needed })?.[1]).toMatch(/^8\.6s, set by the number of agents;/);
  expect(bounded({ speed })?.[1]).toMatch(/^8\.6s, set by the critical path;/);
});

describe('a run of 100,000 workstreams', () => {
  const markdown = reportOf(largeResult());

  test('can be opened', () => {
    expect(Buffer.byteLength(markdown)).toBeLessThan(1_000_000);
  });

  test('says what it leaves out and how to ask for it', () => {
    const lines = markdown.split('\n');
    const begins = (start: string): string[] => lines.filter((line) => line.startsWith(start));
    expect(begins('500 of ')).toEqual([
      `500 of ${TOTAL} workstreams: those that failed and those that took longest. 99500 workstreams left out; all of them, in order of start:`,
    ]);
    expect(begins('sqlite3 ')).toEqual([
      `sqlite3 .state/multi_agent_consolidated.db "SELECT workstream_id, agent_id, status, start_time, duration_seconds FROM agent_results WHERE run_id = '${RUN_ID}' ORDER BY start_time"`,
    ]);
    expect(begins('and ').map((line) => line.slice(0, line.indexOf(':')))).toEqual([
      'and 4900 more groups',
      'and 29900 more failures',
      'and 9900 more skipped workstreams',
      'and 400 more manual checks',
      'and 19900 more failed tests',
      'and 59900 more failed test cases',
      'and 89950 more warnings',
      'and 79970 more files',
      'and 69990 more commits',
    ]);
    expect(begins('```mermaid')).toEqual([]);
  });

  test('every row of every table has all its cells', () => {
    for (const rows of tableRows(markdown)) {
      expect(new Set(rows.map((each) => each.length)).size).toBe(1);
    }
  });
});

test('up to 60 workstreams are drawn, more are not', () => {
  const items = Array.from({ length: 61 }, (_, index) => shortResult({ workstreamId: `ws-${index}` }));
  const report = (count: number): string =>
    reportOf(emptyResult({ timeline: whole(...items.slice(0, count)) }));
  expect(report(60)).toContain('```mermaid\ngantt\n');
  expect(report(61)).not.toContain('```mermaid');
});

/** A green run of 54 workstreams, each with what `more` says of its output. */
function greenRun(output: (index: number) => Json): ConsolidatedResult {
  const ids = Array.from({ length: 54 }, (_, index) => `ws-${index}`);
  const totals = { ...runSummary().totals, workstreams: 54, completed: 54, failed: 0, skipped: 0, errors: 0 };
  const outputs = ids.map((id, index) => ({
    ...COMPLETED_OUTPUT,
    workstreamId: id,
    title: id,
    output: output(index),
    metrics: {},
  }));
  return emptyResult({
    run: runSummary({ totals, recommendations: ['Everything completed.'] }),
    agents: [agent('agent-1'), agent('agent-2'), agent('agent-3')],
    tests: { total: 54, passed: 54, failed: 0, manual: 0 },
    files: whole(...ids.map((id) => ({ path: `src/${id}.ts`, workstreams: [id], ...unknownChange }))),
    commits: whole(...ids.map((id) => ({ workstreamId: id, commit: 'f'.repeat(40) }))),
    outputs: whole(...outputs),
    results: resultsOf(outputs),
    timeline: whole(...ids.map((id) => shortResult({ workstreamId: id }))),
  });
}

describe('a green run of 54 workstreams', () => {
  test.each<[string, (index: number) => Json]>([
    ['of which each says the same', (index) => ({ seed: index, loss: index / 7 })],
    [
      'of which each says something else',
      (index) => ({ [`key ${index}`]: { deep: [index] }, [`b${index}`]: 1 }),
    ],
    ['of which each says much', (index) => ({ text: `${index}\n`.repeat(1000) })],
  ])('%s has a report of fewer than 300 lines', (_, output) => {
    const lines = reportOf(greenRun(output)).split('\n');
    expect(lines.length).toBeLessThan(300);
    expect(headings(lines.join('\n'))).not.toContain('## What needs a person');
  });

  test('has its outputs in one table where they have the same fields', () => {
    const rows = tableRows(reportOf(greenRun((index) => ({ seed: index, loss: index / 8 }))));
    const table = rows.find(([head]) => head?.[1] === 'seed');
    expect(table?.[0]).toEqual(['Workstream', 'seed', 'loss']);
    expect(table).toHaveLength(2 + 54);
    expect(table?.[3]).toEqual(['`ws-1`', '1', '0.125']);
  });
});

test('the sections answer the questions of a reader in their order', () => {
  const head = { ...documentHead(exampleResult(), comparison()) };
  expect(headings(markdownReport(head))).toEqual([
    '## What needs a person',
    '## What was done',
    '## Compared with the last run',
    '## Tests',
    '## Warnings',
    '## Files and commits',
    '## Timeline',
    '## Agents and tools',
    '## Speed',
    '## The run',
  ]);
});

test('what passed too seldom to be fixed is not called so', () => {
  const [change] = comparison().regressed.shown;
  if (change === undefined) throw new Error('the example has no changes');
  const fixed = (['fixed', 'passing'] as const).map((state, index) => {
    return { ...change, workstreamId: `ws-${index}`, history: { ...change.history, state } };
  });
  const rows = tableRows(
    markdownReport(documentHead(exampleResult(), { ...comparison(), fixed: whole(...fixed) })),
  );
  const states = rows.find(([head]) => head?.[0] === 'What')?.slice(-2);
  expect(states?.map((row) => row.slice(0, 2))).toEqual([
    ['**fixed**', '`ws-0`'],
    ['**passing**', '`ws-1`'],
  ]);
});

test('a run that was too large to be compared at its end says how that is done', () => {
  const { run, ...rest } = exampleResult();
  const reportOfRun = (workstreams: number): string =>
    markdownReport(documentHead({ ...rest, run: { ...run, totals: { ...run.totals, workstreams } } }, null));
  expect(reportOfRun(100_001)).toContain(`It is done by \`millrace compare ${run.runId}\`.`);
  expect(reportOfRun(6)).not.toContain('Compared with the last run');
});

describe('a group of errors', () => {
  const group = (fields: Partial<ErrorPattern>): string => {
    const [first] = exampleResult().patterns.shown;
    if (first === undefined) throw new Error('the example has no errors');
    return reportOf(emptyResult({ patterns: whole({ ...first, ...fields }) }));
  };

  test('says how it stands and what earlier runs say of it', () => {
    const history = comparison().regressed.shown[0]?.history ?? null;
    const markdown = group({ history });
    expect(markdown).toContain('### 1. thrown: once, **regressed**\n');
    expect(markdown).toContain(
      '- **Before**: first seen in `ma-run-20260713-093000` (2026-07-13 09:30:00); last passed in `ma-run-20260713-093000` (2026-07-13 09:30:00); since then `aaaaaaaaaaaa..bbbbbbbbbbbb`; fails so in 25.0 % of 20 runs (10.0 % to 46.0 %)\n',
    );
  });

  test('shows the line that tells, what differs, and the command that runs its workstreams again', () => {
    const markdown = group({
      pattern: "Cannot find module '<*>'",
      telling: "Error: Cannot find module 'a'",
      count: 3,
      workstreams: ['ws-a', 'ws-b', 'ws-c'],
      values: [
        {
          hole: 0,
          distinct: 2,
          shown: [
            { text: 'a', count: 2 },
            { text: 'b', count: 1 },
          ],
        },
      ],
    });
    expect(markdown).toContain("`Cannot find module '<*>'`\n\n```text\nError: Cannot find module 'a'\n```\n");
    expect(markdown).toContain('- **With**: `a` (2), `b`\n');
    expect(markdown).toContain('- **Run again**: `millrace run ws-a ws-b ws-c`\n');
  });

  test('of many workstreams is run again by the run', () => {
    const markdown = group({ count: 34, workstreams: ['ws-a', 'ws-b'] });
    expect(markdown).toContain('- **In**: `ws-a`, `ws-b` and 32 more\n');
    expect(markdown).toContain(
      `- **Run again**: \`millrace run --retry-failed ${RUN_ID} --pattern p-0c0dec00\`\n`,
    );
  });
});

test('each task of a coding agent has a row', () => {
  const tasks = whole(
    toolTask(),
    toolTask({ workstreamId: 'ws-b', title: 'ws-b', status: 'failed', reason: 'no-changes', attempts: 2 }),
  );
  const rows = tableRows(reportOf(emptyResult({ tools: [tool()], tasks })));
  const table = rows.find(([head]) => head?.[0] === 'Task');
  expect(table?.slice(2)).toEqual([
    [
      '`ws-a` Add a flag',
      'claude (opus)',
      'completed',
      '2 of 2 passed',
      String.raw`\$0.25`,
      '1m',
      '+12 −3',
      '`millrace/run/ws-a`',
      'merged',
    ],
    [
      '`ws-b`',
      'claude (opus)',
      '**failed**: no-changes, 2 attempts',
      '2 of 2 passed',
      String.raw`\$0.25`,
      '1m',
      '+12 −3',
      '`millrace/run/ws-a`',
      'merged',
    ],
  ]);
});

test('what changed since the last run is a table, with durations that one run does not explain below it', () => {
  const markdown = markdownReport(documentHead(exampleResult(), comparison()));
  const section = markdown.slice(markdown.indexOf('## Compared'), markdown.indexOf('## Tests'));
  expect(section).toContain('1 new failure, 1 failing again, 1 fixed since ma-run-20260713-093000.');
  expect(tableRows(section).map((rows) => rows.slice(2).map((cells) => cells.slice(0, 2)))).toEqual([
    [
      ['**new**', '`ws-lint`'],
      ['**regressed**', '`ws-codec`'],
      ['**fixed**', '`ws-report`'],
    ],
    [['`ws-mandelbrot`', '6s']],
  ]);
  expect(section).toContain('- **Not run this time**: `ws-publish`\n');
  expect(section).toContain('`ws-sieve` is slower since `ma-run-20260713-093000`: 3s before, 4.2s now');
});

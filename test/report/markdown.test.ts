import { describe, expect, test } from 'vitest';
import {
  emptyResult,
  executionSummary,
  RUN_ID,
  runSummary,
  shortResult,
  whole,
} from '../kit/consolidated-result.ts';
import { tableRows } from '../kit/table-cells.ts';
import { exampleResult, reportOf } from './example-result.ts';
import { largeResult, TOTAL } from './large-result.ts';

/** The lines after "## Executive summary", up to the table. */
function opening(markdown: string): string[] {
  const lines = markdown.slice(markdown.indexOf('## Executive summary')).split('\n').slice(2);
  return lines
    .slice(
      0,
      lines.findIndex((line) => line.startsWith('|')),
    )
    .filter((line) => line !== '');
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
    expect(headings(markdown)).toEqual(['## Executive summary']);
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
    expect(markdown).toContain('They are made when the run has ended.');
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
    };
    const patterns = whole({ ...pattern, example: { ...example, workstreamId: 'ws-b' } });
    expect(opening(reportOf(emptyResult({ failures, patterns })))).toEqual([
      '2 of 6 workstreams failed, 2 of them with the same error, and 1 was skipped; start with `ws-b` (thrown).',
    ]);
  });
});

test('the next step is the first recommendation, and a rate of nothing is not 0 %', () => {
  const totals = { ...runSummary().totals, completed: 0, failed: 0, skipped: 6 };
  const run = runSummary({ totals, recommendations: ['Fix it: `millrace validate`.', 'Then rest.'] });
  const markdown = reportOf(emptyResult({ run }));
  expect(opening(markdown)).toContain('**Next**: Fix it: `millrace validate`.');
  expect(markdown).toContain('1. Fix it: `millrace validate`.\n2. Then rest.\n');
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
      'and 29900 more failures',
      'and 9900 more skipped workstreams',
      'and 4880 more groups',
      'and 89900 more warnings',
      'and 19900 more failed tests',
      'and 59900 more failed test cases',
      'and 400 more manual checks',
      'and 79900 more files',
      'and 69900 more commits',
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

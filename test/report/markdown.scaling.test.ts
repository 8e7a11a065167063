import { expect, test } from 'vitest';
import { emptyResult, executionSummary, runSummary } from '../kit/consolidated-result.ts';
import { reportOf } from './example-result.ts';

test('a run whose number of agents followed the load says how and why', () => {
  const scaling = { start: 2, final: 4, least: 2, most: 8, changes: 2 };
  const report = reportOf(
    emptyResult({
      run: runSummary({ executionSummary: executionSummary({ agentsCount: 8, scaling }) }),
      scaling: {
        total: 3,
        shown: [
          { at: '2026-07-14T09:30:00.100Z', from: null, to: 2, reason: 'start', explanation: 'two cores' },
          { at: '2026-07-14T09:30:01.100Z', from: 2, to: 8, reason: 'waiting', explanation: 'a | b' },
        ],
      },
    }),
  );
  expect(report).toMatch(/^\| Agents +\| auto: 2 at the start, 8 at most, dynamic distribution +\|$/m);
  expect(report).toContain(
    'The number followed the load: 2 at the start, 4 at the end, between 2 and 8 in 2 changes.',
  );
  expect(report).toMatch(/^\| 09:30:00\.100 +\| +– \| +2 \| start +\| two cores +\|$/m);
  expect(report).toMatch(/^\| 09:30:01\.100 +\| +2 \| +8 \| they waited +\| a \\\| b +\|$/m);
  expect(report).toContain('agent_counts');
});

test('a run with a fixed number has no such section', () => {
  expect(reportOf(emptyResult())).not.toContain('Number of agents');
});

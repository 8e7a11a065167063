import { expect, test } from 'vitest';
import { emptyResult } from '../kit/consolidated-result.ts';
import { reportOf } from './example-result.ts';

test('a run over a queue says what each host did', () => {
  const report = reportOf(
    emptyResult({
      hosts: [
        { host: 'node-1', agents: 2, workstreams: 5, completed: 4, failed: 1, busySeconds: 12, lost: 0 },
        { host: 'a|b', agents: 1, workstreams: 0, completed: 0, failed: 0, busySeconds: 0, lost: 3 },
      ],
    }),
  );
  expect(report).toMatch(
    /^\| Host +\| Agents \| Workstreams \| Completed \| Failed \| Worked \| Host lost \|$/m,
  );
  expect(report).toMatch(/^\| node-1 +\| +2 \| +5 \| +4 \| +1 \| +12s \| +0 \|$/m);
  expect(report).toMatch(/^\| a\\\|b +\| +1 \| +0 \| +0 \| +0 \| +0ms \| +3 \|$/m);
});

test('a run on this machine says nothing of hosts', () => {
  expect(reportOf(emptyResult())).not.toContain('| Host ');
});

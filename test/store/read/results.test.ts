import { describe, expect, test } from 'vitest';
import { readResults } from '../../../src/store/read/results.ts';
import { testResult } from '../../kit/definitions.ts';
import { failed, opened, RUN, record, result, skipped } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { OLD_RUN, olderDatabases } from '../older-system.ts';

describe('results', () => {
  test('are read as they were recorded, in the order in which they arrived', () => {
    const connection = opened(temporaryFolder());
    const tests = {
      total: 1,
      passed: 0,
      failed: 1,
      manual: 0,
      cases: { total: 3, passed: 1, failed: 1, skipped: 1 },
      tests: [
        testResult('make lint', 'manual'),
        testResult('npm test', 'failed', {
          durationSeconds: 1,
          detail: 'exit code 1',
          logFile: '/state/ws-2.test-2.log',
          format: 'junit',
          counts: { total: 3, passed: 1, failed: 1, skipped: 1 },
          cases: [
            { suite: 's', name: 'b', status: 'failed', durationSeconds: 0.5, message: "isn't; DROP" },
            { suite: '', name: 'a', status: 'passed', durationSeconds: null, message: null },
            { suite: 's', name: 'c', status: 'skipped', durationSeconds: null, message: null },
          ],
        }),
      ],
    };
    const results = [
      failed('ws-2', 'Error: 7 is odd\nand long', { pattern: 'Error: <n> is odd', testResults: tests }),
      result('ws-1', {
        metadata: { output: { primes: [2, 3] }, metrics: { loss: 0.5 } },
        filesModified: ['a.ts'],
        commitsCreated: ['c1'],
        warnings: ['odd \u0000 \ud83d\ude00'],
      }),
      skipped('ws-3'),
    ];
    record(connection, results);
    expect([...readResults(connection, RUN)]).toEqual(results);
    expect([...readResults(connection, 'ma-run-20990101-000000')]).toEqual([]);
  });

  test('of the older system are read as far as they go', () => {
    for (const connection of olderDatabases()) {
      const [first, second, third, fourth] = [...readResults(connection, OLD_RUN)];
      expect(first).toMatchObject({
        workstreamId: 'ws-1',
        status: 'completed',
        startTime: '2024-05-06T07:08:10.000Z',
        durationSeconds: 10,
        filesModified: ['a.py', 'b.py'],
        commitsCreated: ['abc1234'],
        testResults: { total: 0, passed: 3, failed: 0, manual: 0, cases: null, tests: [] },
        metadata: { title: 'ws-1', output: null, steps: [] },
        failure: null,
        cpuSeconds: null,
        attempts: 0,
        stack: null,
      });
      expect(second).toMatchObject({
        status: 'failed',
        filesModified: [],
        errors: [
          { type: 'unknown', message: 'Timeout after 30 seconds' },
          { type: 'unknown', message: '{"code":7}' },
        ],
        warnings: ['slow'],
        metadata: { title: 'ws-2' },
        stack: 'Traceback',
        pattern: 'Timeout after <duration>',
      });
      expect(third).toMatchObject({ status: 'skipped', explanation: 'The row says "blocked".', errors: [] });
      expect(fourth).toMatchObject({
        workstreamId: 'ws-1',
        filesModified: [],
        commitsCreated: [],
        errors: [],
      });
    }
  });
});

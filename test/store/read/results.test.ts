import { describe, expect, test } from 'vitest';
import { agentResultSchema } from '../../../src/domain/agent-result.ts';
import { readResults, resultTexts } from '../../../src/store/read/results.ts';
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
      failed('ws-2', 'Error: 7 is odd\nand long', { pattern: '<*> is odd', testResults: tests }),
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
        pattern: 'Timeout after <*>',
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

describe('a result as text', () => {
  const usual = {
    filesModified: ['a "b".ts'],
    errors: [],
    metadata: {
      output: JSON.parse('{"__proto__":{"x":[1e21]},"text":"é\\n\\u2028"}'),
      metrics: { loss: 0.5 },
      steps: [{ id: 's', kind: 'run', status: 'completed' as const, duration_seconds: 1, exit_code: null }],
      definition: { extra: [] },
    },
  };

  test('is the JSON of the record, on one line', () => {
    const connection = opened(temporaryFolder());
    const results = [result('ws-1', usual), failed('ws-2', 'no', { pattern: 'no' }), skipped('ws-3')];
    record(connection, results);
    const texts = [...resultTexts(connection, RUN)];
    expect(texts.map((text): unknown => JSON.parse(text))).toEqual(results);
    expect(texts.filter((text) => text.includes('\n'))).toEqual([]);
    for (const text of texts) expect(agentResultSchema.safeParse(JSON.parse(text)).error).toBeUndefined();
  });

  test.each([
    ['metadata', '{"title":"T","file":"f","position":0,"priority":0,"steps":[{"id":"s"}]}', { steps: [] }],
    ['metadata', '{"title":"T","file":"f","position":0,"priority":0,"tools":[7]}', { tools: [] }],
    [
      'metadata',
      '{"title":"T","file":"f","position":"0","priority":0,"tail":4}',
      { position: 0, tail: null },
    ],
    ['metadata', '{"title":"T","file":"f","position":0,"priority":0,"foreign":1}', { title: 'T' }],
    ['metadata', '{"title":"T",\n"file":"f","position":0,"priority":0}', { file: 'f', output: null }],
    ['metadata', '{"title":"T","file":"f","position":0,"priority":0} ', { file: 'f', definition: {} }],
    ['metadata', '{"title":"T","file":"f"', { title: 'ws-1', metrics: {} }],
    ['metadata', '[]', { title: 'ws-1' }],
    ['metadata', null, { title: 'ws-1' }],
    ['filesModified', '["a",7]', ['a']],
    ['filesModified', '["a",\n"b"]', ['a', 'b']],
    ['filesModified', 'a, b', []],
    ['filesModified', null, []],
    ['errors', '["old",{"type":"thrown","message":"no","x":1}]', [{ type: 'unknown' }, { type: 'thrown' }]],
    ['testResults', '{"total":1}', { total: 1, passed: 0, tests: [] }],
    ['durationSeconds', 'long', null],
    ['startTime', '2024-05-06 07:08:09', '2024-05-06T07:08:09.000Z'],
    ['startTime', 'noon', null],
    ['reason', 'no-reason-of-ours', null],
    ['failure', '{"reason":"thrown"}', null],
    ['attempts', null, 0],
  ])('of a row in which somebody wrote into %s: %j', (field, cell, expected) => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1', usual)]);
    const column = field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    connection.prepare(`UPDATE agent_results SET ${column} = ?`).run(cell);
    const [text = ''] = resultTexts(connection, RUN);
    const read = agentResultSchema.parse(JSON.parse(text));
    expect(text).not.toContain('\n');
    expect(text).not.toContain('foreign');
    expect(read).toMatchObject({ [field]: expected });
  });

  test('that a caller has in hand keeps nobody from writing; what is removed before its turn is left out', () => {
    const connection = opened(temporaryFolder());
    record(
      connection,
      Array.from({ length: 600 }, (_, index) => result(`ws-${index}`)),
    );
    const left: string[] = [];
    for (const { workstreamId } of readResults(connection, RUN)) {
      if (left.length === 0) {
        connection.exec("DELETE FROM agent_results WHERE workstream_id IN ('ws-500', 'ws-599')");
      }
      left.push(workstreamId);
    }
    expect(left.length).toBe(598);
    expect(left).not.toContain('ws-500');
  });

  test('is read a few at a time where outputs are large, each once', () => {
    const connection = opened(temporaryFolder());
    const output = 'x'.repeat(700_000);
    const ids = Array.from({ length: 9 }, (_, index) => `ws-${index}`);
    record(
      connection,
      ids.map((id) => result(id, { metadata: { output } })),
    );
    expect([...readResults(connection, RUN)].map(({ workstreamId }) => workstreamId)).toEqual(ids);
  });
});

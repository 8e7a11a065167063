/** What the program says of why a workstream failed, was skipped, or had to wait. */
import { describe, expect, test } from 'vitest';
import { whyDocumentSchema } from '../../src/domain/history/why-document.ts';
import { openDatabase } from '../../src/store/schema/database.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { millrace, writeFiles } from '../kit/command.ts';
import {
  databaseIn,
  end,
  finished,
  opened,
  RUN,
  record,
  result,
  START,
  SUMMARY,
  started,
} from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const lines = (text: string): string[] => text.split('\n').map((line) => line.trimEnd());

async function ran(): Promise<string> {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-base', steps: [{ run: 'true' }] },
      { id: 'ws-fails', depends_on: ['ws-base'], steps: [{ run: 'echo no such thing; exit 3' }] },
      { id: 'ws-needs', depends_on: ['ws-fails', 'ws-base'], steps: [{ run: 'true' }] },
      {
        id: 'ws-again',
        conflict_group: 'database',
        circuit_breaker: { max_attempts: 3 },
        steps: [{ run: 'mkdir .state/once && exit 4; true' }],
      },
    ],
  });
  await millrace(folder, ['run', '-j', '2']);
  return folder;
}

describe('why', () => {
  test('tells why a workstream failed, and what that did to others', async () => {
    const { code, stdout } = await millrace(await ran(), ['why', 'ws-fails']);
    const text = lines(stdout);
    expect(code).toBe(0);
    expect(text[0]).toMatch(/^ws-fails failed in ma-run-\S+: .* exit code 3/);
    expect(text).toContain('1 workstream that depends on it was skipped because of that.');
    expect(stdout).toMatch(/^ws-base +complete +completed /m);
    expect(stdout).toMatch(/Z +all that it depends on had ended$/m);
    expect(stdout).toMatch(/Z +it ended: exit-non-zero$/m);
  });

  test('tells why one was skipped', async () => {
    const { stdout } = await millrace(await ran(), ['why', 'ws-needs', 'latest']);
    expect(lines(stdout)[0]).toMatch(/^ws-needs was skipped in ma-run-\S+: .*ws-fails/);
    expect(stdout).toMatch(/^ws-fails +complete +failed +exit-non-zero /m);
    expect(stdout).toContain('it was never started: dependency-failed');
  });

  test('tells each attempt, and what was held', async () => {
    const folder = await ran();
    const { stdout } = await millrace(folder, ['why', 'ws-again']);
    expect(lines(stdout)[0]).toMatch(/^ws-again completed in ma-run-\S+ on agent-\d in .+, at attempt 2\.$/);
    expect(stdout).toMatch(/attempt 1 ended: exit-non-zero: .*exit code 4/);
    expect(stdout).toContain('the conflict group database');
    const json = await millrace(folder, ['why', 'ws-again', '--json']);
    const { workstream } = whyDocumentSchema.parse(JSON.parse(json.stdout));
    expect(workstream.earlierAttempts).toMatchObject([{ attempt: 1, reason: 'exit-non-zero' }]);
    const markdown = await millrace(folder, ['why', 'ws-again', '--format', 'md']);
    expect(markdown.stdout).toContain('## What happened');
  });

  test('refuses a workstream that the run did not have', async () => {
    const { code, stderr } = await millrace(await ran(), ['why', 'ws-none']);
    expect([code, stderr]).toEqual([
      4,
      expect.stringMatching(/^millrace: ws-none was no part of ma-run-\S+\. See: /),
    ]);
  });
});

describe('a wait', () => {
  const at = (second: number): string => `2026-01-02T03:04:${String(5 + second).padStart(2, '0')}.000Z`;
  const held = (conflictGroup: string | null) => ({
    constraints: { dependsOn: [], conflictGroup, scopes: [], parallelOk: true, gate: null },
  });
  const executed = (id: string, agent: number, [from, to]: [number, number], group: string | null = null) =>
    result(id, {
      agentId: `agent-${agent}`,
      startTime: at(from),
      endTime: at(to),
      durationSeconds: to - from,
      metadata: group === null ? {} : held(group),
    });

  /** What is said of ws-late among these results of a run with two agents. */
  async function told(...results: ReturnType<typeof executed>[]): Promise<string[]> {
    const folder = temporaryFolder();
    const connection = openDatabase(databaseIn(folder));
    record(connection, results);
    connection.close();
    return lines((await millrace(folder, ['why', 'ws-late'])).stdout);
  }

  test('is for a lock where something held the same', async () => {
    const text = await told(
      executed('ws-other', 1, [0, 9]),
      executed('ws-holder', 2, [0, 4], 'database'),
      executed('ws-late', 2, [4, 5], 'database'),
    );
    expect(text).toContain('It waited 4s for what it may not run beside: ws-holder.');
    expect(text.filter((line) => line.startsWith('ws-holder'))).toHaveLength(1);
  });

  test('is for an agent where all were busy', async () => {
    const text = await told(
      executed('ws-a', 1, [0, 3]),
      executed('ws-b', 2, [0, 4]),
      executed('ws-late', 1, [3, 5]),
    );
    expect(text).toContain('It waited 3s for a free agent: all were busy, with ws-a, ws-b.');
  });

  test('is not for an agent where each was busy, one after another', async () => {
    const text = await told(
      executed('ws-a', 1, [0, 2]),
      executed('ws-b', 2, [2, 4]),
      executed('ws-late', 1, [4, 5]),
    );
    expect(text.find((line) => line.startsWith('It waited'))).toContain(
      'processors or memory that others had reserved',
    );
  });

  test('is for nothing that is known where an agent was free', async () => {
    const text = await told(executed('ws-a', 1, [0, 3]), executed('ws-late', 2, [3, 5]));
    expect(text.find((line) => line.startsWith('It waited'))).toMatch(
      /^It waited 3s, for something that is not kept/,
    );
  });

  test('is none for what was started at once', async () => {
    expect(await told(executed('ws-late', 1, [0, 5]))).toContain('It was started as soon as it was ready.');
  });

  test('may be for the start of the run, where it was ready from then on', async () => {
    const text = await told(executed('ws-late', 1, [1, 5]));
    expect(text.find((line) => line.startsWith('It waited'))).toContain(': the start of the run, a lower');
  });
});

test('a wait that locks of other runs may explain names these runs, and how long they were waited for', async () => {
  const folder = temporaryFolder();
  const connection = opened(folder);
  const late = result('ws-a', { startTime: '2026-01-02T03:04:09.000Z', endTime: '2026-01-02T03:04:10.000Z' });
  const recorder = new SqliteRecorder(connection);
  recorder.claim(RUN, START, { options: null, retryOf: null, label: null });
  recorder.take([started(['ws-a']), finished(late)]);
  const waitedForRuns = { seconds: 3, runIds: ['ma-run-20260102-030000'] };
  recorder.finish(end({ summary: { ...SUMMARY, waitedForRuns } }));
  recorder.close();
  connection.close();
  const { stdout } = await millrace(folder, ['why', 'ws-a']);
  expect(stdout).toContain(
    'Workstreams of this run waited 3s for locks of other runs: ma-run-20260102-030000.',
  );
});

/** Tiny workstreams that travel together: one job, with one lease and one answer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import { type BatchOptions, MemberStops } from '../../src/domain/engine.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { QueueRun, type QueueRunOptions } from '../../src/engine/queue/coordinator/queue-run.ts';
import { Host } from '../../src/engine/queue/host/host.ts';
import { QueueKey } from '../../src/engine/queue/sealing.ts';
import { writeFiles } from '../kit/command.ts';
import { assignment, moduleStep, workstream } from '../kit/definitions.ts';
import { hasRedis, QUEUE_KEY, RedisServer } from '../kit/redis.ts';
import { completed } from '../kit/scripted-engine.ts';
import { ScriptedHost, type TakenJob } from '../kit/scripted-host.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const behaviours = fileURLToPath(new URL('../fixtures/modules/behaviours.mjs', import.meta.url));

let server: RedisServer;

beforeAll(async () => {
  if (hasRedis) server = await RedisServer.start();
});
afterAll(async () => {
  if (hasRedis) await server.close();
});
beforeEach(async () => {
  if (hasRedis) await server.client.flushall();
});

const tiny = (id: string, fields: Partial<Workstream> = {}): Workstream =>
  workstream(id, [moduleStep(behaviours, 'nothing')], fields);

async function startRun(fields: Partial<QueueRunOptions> = {}): Promise<QueueRun> {
  process.env['MILLRACE_QUEUE_KEY'] = QUEUE_KEY;
  const run = await QueueRun.open({
    url: server.url,
    caFile: null,
    keyFile: null,
    source: 'shared',
    waitSeconds: 60,
    project: temporaryFolder(),
    excluded: [],
    setup: null,
    redact: { names: [], keep: [] },
    logLevel: 'info',
    workstreams: [tiny('ws-0')],
    earlier: null,
    keepsSource: false,
    ...fields,
  });
  onTestFinished(() => run.engine.close());
  return run;
}

/** Has a batch executed, and keeps what is heard of it. */
function executeBatch(
  run: QueueRun,
  given: readonly Assignment[],
  fields: Partial<BatchOptions> = {},
): { outcomes: Map<string, Outcome>; early: number[]; returned: Promise<readonly number[]> } {
  const outcomes = new Map<string, Outcome>();
  const early: number[] = [];
  const returned = run.engine.executeBatch(given, {
    signal: new AbortController().signal,
    onMessage: () => undefined,
    onOutcomes: (arrived) => {
      for (const { index, outcome } of arrived) outcomes.set(given[index]?.workstream.id ?? '', outcome);
    },
    onReturned: (indices) => early.push(...indices),
    ...fields,
  });
  return { outcomes, early, returned };
}

/** Answers with an outcome for each member; null for one that was not begun. */
async function answer(job: TakenJob, outcomes: readonly (Partial<Outcome> | null)[]): Promise<void> {
  const all = outcomes.map((outcome) => (outcome === null ? null : { ...completed(), ...outcome }));
  const returned = await job.receipt({}, { outcome: { inline: JSON.stringify(all) } });
  await job.complete({}, { returned });
}

describe.runIf(hasRedis)('a batch, to its run', () => {
  const scripted = (): ScriptedHost => {
    const host = new ScriptedHost(server);
    onTestFinished(() => host.close());
    return host;
  };
  const three = (folder = '/project'): Assignment[] =>
    ['ws-0', 'ws-1', 'ws-2'].map((id) => assignment(folder, tiny(id), { logFile: `${folder}/${id}.log` }));

  test('is one job, which is removed when the results of all members are on the disk', async () => {
    const run = await startRun();
    const { outcomes, returned } = executeBatch(run, three());
    const job = await scripted().take();
    expect(job.remote.others).toHaveLength(2);
    await answer(job, [{ output: '0' }, { output: '1' }, { output: '2' }]);
    expect(await returned).toEqual([]);
    expect([...outcomes.values()].map(({ output, executedBy }) => [output, executedBy?.agentId])).toEqual([
      ['0', 'host-a/agent-1'],
      ['1', 'host-a/agent-1'],
      ['2', 'host-a/agent-1'],
    ]);
    run.engine.acknowledge('ws-0');
    run.engine.acknowledge('ws-1');
    expect(await server.client.exists(`millrace:v1:${job.id}`)).toBe(1);
    run.engine.acknowledge('ws-2');
    await expect.poll(() => server.client.exists(`millrace:v1:${job.id}`)).toBe(0);
  });

  test('returns at once what its host says another agent may begin', async () => {
    const run = await startRun();
    const { early, outcomes, returned } = executeBatch(run, three());
    const job = await scripted().take();
    await job.send({ type: 'returned', members: [1, 2] });
    await expect.poll(() => early).toEqual([1, 2]);
    await answer(job, [{}, {}, null]);
    expect(await returned).toEqual([1, 2]);
    expect([...outcomes.keys()]).toEqual(['ws-0']);
  });

  test('returns members that a host interrupted and its run did not', async () => {
    const run = await startRun();
    const { outcomes, returned } = executeBatch(run, three());
    const failure = { reason: 'interrupted', detail: 'stopped' } as const;
    await answer(await scripted().take(), [{}, { status: 'failed', failure }, null]);
    expect(await returned).toEqual([1, 2]);
    expect([...outcomes.keys()]).toEqual(['ws-0']);
  });

  test('that has lost its host is executed one by one from then on, with that host counted', async () => {
    const run = await startRun();
    const first = executeBatch(run, three());
    const host = scripted();
    await (await host.take()).fail('job stalled more than allowable limit');
    expect(await first.returned).toEqual([0, 1, 2]);
    const second = executeBatch(run, three());
    for (const id of ['ws-0', 'ws-1', 'ws-2']) {
      const job = await host.take();
      expect([job.remote.assignment.workstream.id, job.remote.others, job.remote.lost]).toEqual([
        id,
        undefined,
        1,
      ]);
      await job.complete();
    }
    expect(await second.returned).toEqual([]);
  });

  test('has what Redis lost of it returned', async () => {
    const host = scripted();
    await host.beat({ leaseMs: 100 });
    const run = await startRun();
    const { returned } = executeBatch(run, three());
    await host.take();
    await server.client.flushall();
    expect(await returned).toEqual([0, 1, 2]);
  });

  test('tells its host which member to stop', async () => {
    const run = await startRun();
    const stops = new MemberStops();
    const { outcomes, returned } = executeBatch(run, three(), { stops });
    const job = await scripted().take();
    await job.begin();
    stops.stop(1);
    await expect.poll(() => job.cancelled()).toBe('members 1');
    const failure = { reason: 'cancelled', detail: 'it was told to' } as const;
    await answer(job, [{}, { status: 'failed', failure }, {}]);
    expect(await returned).toEqual([]);
    expect(outcomes.get('ws-1')?.failure).toEqual(failure);
  });

  test('that no host has taken is returned whole when the run is interrupted', async () => {
    const run = await startRun();
    const stop = new AbortController();
    const { returned } = executeBatch(run, three(), { signal: stop.signal });
    await expect.poll(() => server.client.llen('millrace:v1:wait')).toBe(1);
    stop.abort('interrupted');
    expect(await returned).toEqual([0, 1, 2]);
    expect(await server.client.llen('millrace:v1:wait')).toBe(0);
  });

  test('has its outcomes taken by the session that resumes the run', async () => {
    const project = temporaryFolder();
    const first = await startRun({ project });
    const batch = executeBatch(first, three(project));
    await answer(await scripted().take(), [{ output: '0' }, { output: '1' }, null]);
    await batch.returned;
    await first.engine.close();
    const second = await startRun({ project, earlier: first.stored });
    const { outcomes, returned } = executeBatch(second, three(project));
    const again = await scripted().take();
    expect(again.remote.assignment.workstream.id).toBe('ws-2');
    await again.complete({ output: '2' });
    expect(await returned).toEqual([]);
    expect([...outcomes.values()].map(({ output }) => output)).toEqual(['0', '1', '2']);
  });
});

describe.runIf(hasRedis)('a batch, to a host', () => {
  const startHost = async (): Promise<void> => {
    const host = await Host.start({
      address: { url: server.url, caFile: null },
      key: new QueueKey(QUEUE_KEY),
      name: 'host-a',
      agents: 1,
      agentMemoryMb: null,
      provides: [],
      leaseMs: 5_000,
      folder: temporaryFolder(),
      version: '0.0.0',
      onEvent: () => undefined,
    });
    onTestFinished(() => host.close());
  };

  /** As often as some are returned, which happens where the machine is slow. */
  async function executeAll(run: QueueRun, given: readonly Assignment[]): Promise<Map<string, Outcome>> {
    const all = new Map<string, Outcome>();
    for (let round = 0; round < 100; round += 1) {
      const left = given.filter(({ workstream: { id } }) => !all.has(id));
      if (left.length === 0) return all;
      const { outcomes, returned } = executeBatch(run, left);
      await returned;
      for (const [id, outcome] of outcomes) all.set(id, outcome);
    }
    throw new Error('some of the batch are returned again and again');
  }

  test('has the outcomes that its members have alone, and the log of each', async () => {
    const project = temporaryFolder();
    const run = await startRun({ project });
    await startHost();
    const names = ['default', 'throwsError', 'prints', 'nothing', 'exits', 'returnsNumber'];
    const given = names.map((name, index) =>
      assignment(project, workstream(`ws-${index}`, [moduleStep(behaviours, name)]), {
        logFile: join(project, `ws-${index}.log`),
      }),
    );
    const outcomes = await executeAll(run, given);
    expect(given.map(({ workstream: { id } }) => outcomes.get(id)?.failure?.reason ?? null)).toEqual([
      null,
      'thrown',
      null,
      null,
      'worker-crashed',
      'invalid-result',
    ]);
    expect(readFileSync(outcomes.get('ws-2')?.logFile ?? '', 'utf8')).toContain('to standard output');
  });

  test('shares a copy of its project until a workstream has been seen to write into it', async () => {
    const project = temporaryFolder();
    writeFiles(project, {
      'writes.mjs': `import { existsSync, writeFileSync } from 'node:fs';
        export default (_input, { workspace }) => {
          const found = existsSync(workspace + '/left.txt');
          writeFileSync(workspace + '/left.txt', '');
          return { output: found };
        };`,
    });
    const run = await startRun({ project, source: 'snapshot' });
    await startHost();
    const writes = (id: string): Assignment =>
      assignment(project, workstream(id, [moduleStep(join(project, 'writes.mjs'))]), {
        workspace: project,
        logFile: join(project, `${id}.log`),
      });
    await executeAll(run, ['ws-0', 'ws-1', 'ws-2'].map(writes));
    await executeAll(run, ['ws-3', 'ws-4'].map(writes));
    const outcomes = await executeAll(run, ['ws-5', 'ws-6', 'ws-7'].map(writes));
    expect([...outcomes.values()].map(({ failure, output }) => [failure, output])).toEqual([
      [null, 'false'],
      [null, 'false'],
      [null, 'false'],
    ]);
  });
});

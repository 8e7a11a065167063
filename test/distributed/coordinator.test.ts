/** The coordinator's side of a queue, against a real Redis and a host that does what the test says. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { bodiesIn, OWNERS } from '../../src/engine/queue/bodies.ts';
import type { QueueRunOptions, StoredQueueRun } from '../../src/engine/queue/coordinator/queue-run.ts';
import { QUEUE_CHANNEL, queueName } from '../../src/engine/queue/protocol.ts';
import { assignment, runStep, workstream } from '../kit/definitions.ts';
import { openSession, type QueueSession } from '../kit/queue-session.ts';
import { hasRedis, RedisServer } from '../kit/redis.ts';
import { ScriptedHost } from '../kit/scripted-host.ts';

describe.runIf(hasRedis)('the coordinator of a queue', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    await server.client.flushall();
  });

  const echo = (id: string, fields: Partial<Workstream> = {}): Workstream =>
    workstream(id, [runStep('echo')], fields);

  const session = (
    fields: Partial<QueueRunOptions> = {},
    workstreams: readonly Workstream[] = [echo('ws-a')],
  ): Promise<QueueSession> => openSession(server.url, fields, workstreams);

  function host(fields: ConstructorParameters<typeof ScriptedHost>[1] = {}): ScriptedHost {
    const made = new ScriptedHost(server, fields);
    onTestFinished(() => made.close());
    return made;
  }

  const inQueue = (): Promise<string[]> => server.client.keys('millrace:v1:n*');

  test('passes on what a host says, and takes its outcome after that', async () => {
    const { execute, folder } = await session();
    const { outcome, messages } = execute(assignment(folder, echo('ws-a')));
    const job = await host().take();
    await job.begin();
    await job.send({ type: 'progress', fraction: 0.5, text: 'half way' });
    await job.complete({ output: '7' });
    expect(await outcome).toMatchObject({
      status: 'completed',
      output: '7',
      executedBy: { host: 'host-a', agentId: 'host-a/agent-1' },
    });
    expect(messages).toEqual([
      { type: 'began', agentId: 'host-a/agent-1', at: expect.any(Number) },
      { type: 'progress', fraction: 0.5, text: 'half way' },
    ]);
  });

  test('finds what was completed without a hint', async () => {
    const { execute, folder } = await session();
    const jobs = Array.from({ length: 200 }, (_, index) => execute(assignment(folder, echo(`ws-${index}`))));
    const worker = host();
    for (const _ of jobs) await (await worker.take()).complete({}, { hinted: false });
    const outcomes = await Promise.all(jobs.map(({ outcome }) => outcome));
    expect(outcomes.every(({ status }) => status === 'completed')).toBe(true);
  });

  test('removes a job, and all that came with it, when its result is on the disk', async () => {
    const { run, execute, folder } = await session({}, [echo('ws-a', { outputs: ['out/*'] })]);
    const { outcome } = execute(assignment(folder, echo('ws-a', { outputs: ['out/*'] })));
    const worker = host();
    const job = await worker.take();
    const body = await bodiesIn(worker.redis, worker.key).store(OWNERS.receipt(job.id, job.token), [
      Buffer.alloc(10_000_000, 'x'),
    ]);
    const file = { path: 'out/a', bytes: 10_000_000, executable: false, body };
    const made = { path: 'out/a', bytes: 10_000_000, sha256: null, problem: null };
    const returned = await job.receipt({ outputs: [made] }, { files: [file] });
    await job.complete({}, { returned });
    await outcome;
    expect(readFileSync(join(folder, 'out/a')).length).toBe(10_000_000);
    expect(await inQueue()).not.toEqual([]);
    run.engine.acknowledge('ws-a');
    await run.engine.close();
    expect(await inQueue()).toEqual([]);
    expect(await server.client.keys('millrace:v1:body:*')).toEqual([]);
  });

  test('puts no file in place that is none of the declared outputs', async () => {
    const { execute, folder } = await session();
    const { outcome } = execute(assignment(folder, echo('ws-a')));
    const job = await host().take();
    const file = { path: '../evil', bytes: 0, executable: false, body: [] };
    const made = { path: '../evil', bytes: 0, sha256: null, problem: null };
    await job.complete({}, { returned: await job.receipt({ outputs: [made] }, { files: [file] }) });
    expect((await outcome).failure).toMatchObject({ reason: 'remote-refused' });
    expect(existsSync(join(folder, '../evil'))).toBe(false);
  });

  describe('refuses what came back', () => {
    test.each([
      ['that is not sealed', () => 'bm90IHNlYWxlZA=='],
      ['that is no text', () => ''],
    ])('%s', async (_, returned) => {
      const { execute, folder } = await session();
      const { outcome } = execute(assignment(folder, echo('ws-a')));
      const job = await host().take();
      await job.complete({}, { returned: returned() || '-' });
      expect((await outcome).failure).toMatchObject({ reason: 'remote-refused' });
    });

    test('for another job', async () => {
      const { execute, folder } = await session();
      const worker = host();
      const other = execute(assignment(folder, echo('ws-b')));
      const stranger = await worker.take();
      const { outcome } = execute(assignment(folder, echo('ws-a')));
      const job = await worker.take();
      await job.complete({}, { returned: await stranger.receipt() });
      expect((await outcome).failure).toMatchObject({ reason: 'remote-refused' });
      await stranger.complete();
      await other.outcome;
    });

    test('with the token that BullMQ lets pass', async () => {
      const { execute, folder } = await session();
      const { outcome } = execute(assignment(folder, echo('ws-a')));
      const job = await host().take();
      await job.complete({}, { returned: await job.receipt({}, { token: '0' }) });
      expect((await outcome).failure).toMatchObject({ reason: 'remote-refused' });
    });
  });

  test('does not show what a host says whose lease another one has taken', async () => {
    const { execute, folder } = await session();
    const { outcome, messages } = execute(assignment(folder, echo('ws-a')));
    const job = await host().take();
    await job.begin(1);
    await job.send({ type: 'began', host: 'host-b', agent: 'agent-1', at: 1, lease: 2 }, { token: 'newer' });
    await job.send({ type: 'progress', fraction: null, text: 'of the zombie' });
    await job.complete();
    await outcome;
    expect(messages.map(({ type }) => type)).toEqual(['began', 'began']);
  });

  test('says why a host did not execute it, and when hosts were lost', async () => {
    const { execute, folder } = await session();
    const worker = host();
    const refused = execute(assignment(folder, echo('ws-a')));
    await (await worker.take()).fail('Its snapshot is not there any more.');
    expect((await refused.outcome).failure).toEqual({
      reason: 'remote-refused',
      detail: 'Its snapshot is not there any more',
    });
    const lost = execute(assignment(folder, echo('ws-b')));
    await (await worker.take()).fail('job stalled more than allowable limit');
    expect((await lost.outcome).failure).toMatchObject({ reason: 'host-lost' });
  });

  describe('when it is interrupted', () => {
    test('in the tick of the start, nothing is executed', async () => {
      const { execute, folder } = await session();
      const stop = new AbortController();
      const { outcome } = execute(assignment(folder, echo('ws-a')), stop.signal);
      stop.abort('interrupted');
      expect((await outcome).failure).toMatchObject({ reason: 'interrupted' });
      expect(await server.client.llen('millrace:v1:wait')).toBe(0);
    });

    test('removes what no host has taken', async () => {
      const { run, execute, folder } = await session();
      const stop = new AbortController();
      const { outcome } = execute(assignment(folder, echo('ws-a')), stop.signal);
      await (await host().take()).complete();
      await outcome;
      const waiting = execute(assignment(folder, echo('ws-b')), stop.signal);
      await until(async () => (await server.client.llen('millrace:v1:wait')) === 1);
      stop.abort('interrupted');
      expect((await waiting.outcome).failure).toMatchObject({ reason: 'interrupted' });
      expect(await server.client.llen('millrace:v1:wait')).toBe(0);
      await run.engine.close();
    });

    test('tells the host, and takes what that answers', async () => {
      const { execute, folder } = await session();
      const stop = new AbortController();
      const { outcome } = execute(assignment(folder, echo('ws-a')), stop.signal);
      const job = await host().take();
      await job.begin();
      stop.abort('cancelled');
      await until(async () => (await job.cancelled()) === 'cancelled');
      await job.complete({ status: 'failed', failure: { reason: 'cancelled', detail: 'it was told to' } });
      expect((await outcome).failure).toMatchObject({ detail: 'it was told to' });
    });
  });

  describe('when the run is resumed', () => {
    const resumed = ({ run, folder }: QueueSession): Promise<QueueSession> =>
      session({ earlier: run.stored satisfies StoredQueueRun, project: folder });

    test('takes an outcome that was completed and not acknowledged', async () => {
      const first = await session();
      const given = assignment(first.folder, echo('ws-a'));
      const { outcome } = first.execute(given);
      const worker = host();
      await (await worker.take()).complete({ output: '1' });
      await outcome;
      await first.run.engine.close();
      const second = await resumed(first);
      expect(await second.execute(given).outcome).toMatchObject({ status: 'completed', output: '1' });
    });

    test('does not take an outcome that says it was interrupted: it is executed again', async () => {
      const first = await session();
      const given = assignment(first.folder, echo('ws-a'));
      const stop = new AbortController();
      const { outcome } = first.execute(given, stop.signal);
      const worker = host();
      const job = await worker.take();
      stop.abort('interrupted');
      await job.complete({ status: 'failed', failure: { reason: 'interrupted', detail: 'stopped' } });
      await outcome;
      await first.run.engine.close();
      const second = await resumed(first);
      const again = second.execute(given);
      const next = await worker.take();
      expect(next.id).toBe(job.id);
      await next.complete();
      expect((await again.outcome).failure).toBeNull();
    });

    test('does not take the outcome of a definition that has changed since', async () => {
      const first = await session();
      const { outcome } = first.execute(assignment(first.folder, echo('ws-a')));
      const worker = host();
      const old = await worker.take();
      await old.complete({ output: '"old"' });
      await outcome;
      await first.run.engine.close();
      const second = await resumed(first);
      const changed = workstream('ws-a', [runStep('other')]);
      const again = second.execute(assignment(first.folder, changed));
      const next = await worker.take();
      expect(next.id).not.toBe(old.id);
      await next.complete({ output: '"new"' });
      expect((await again.outcome).output).toBe('"new"');
      expect(await server.client.exists(`millrace:v1:${old.id}`)).toBe(0);
    });
  });

  test('gives attempts, candidates and compensations ids of their own', async () => {
    const { execute, folder } = await session();
    const names = ['ws-a', 'ws-a.2', 'ws-a.claude', 'ws-a.compensation'];
    const worker = host();
    const ids = new Set<string>();
    for (const name of names) {
      const { outcome } = execute(assignment(folder, echo('ws-a'), { logFile: `${folder}/${name}.log` }));
      const job = await worker.take();
      ids.add(job.id);
      await job.complete();
      await outcome;
    }
    expect(ids.size).toBe(4);
  });

  test('executes the same work once more when it is wanted once more', async () => {
    const { execute, folder } = await session();
    const given = assignment(folder, echo('ws-a'));
    const worker = host();
    for (const output of ['1', '2']) {
      const { outcome } = execute(given);
      await (await worker.take()).complete({ output });
      expect((await outcome).output).toBe(output);
    }
  });

  test('keeps two runs of one id apart', async () => {
    const [one, other] = [await session(), await session()];
    const given = assignment('/project', echo('ws-a'));
    const worker = host();
    const outcomes = [one, other].map(({ execute }) => execute(given).outcome);
    const jobs = [await worker.take(), await worker.take()];
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(2);
    for (const job of jobs) await job.complete({ output: JSON.stringify(job.remote.nonce) });
    const nonces = await Promise.all(outcomes.map(async (outcome) => (await outcome).output));
    expect(nonces).toEqual([one, other].map(({ run }) => JSON.stringify(run.stored.nonce)));
  });

  test('adds a job again that Redis has lost, when no host can have it any more', async () => {
    const worker = host();
    await worker.beat({ leaseMs: 100 });
    const { execute, folder, told } = await session();
    const { outcome } = execute(assignment(folder, echo('ws-a')));
    await worker.take();
    await server.client.flushall();
    const again = await worker.take();
    await again.complete();
    expect((await outcome).status).toBe('completed');
    expect(told.join(' ')).toContain('ws-a is not in the queue any more');
  });

  test('tries again what a full Redis refuses', async () => {
    const { execute, folder, told } = await session();
    onTestFinished(async () => void (await server.client.config('SET', 'maxmemory', '0')));
    await server.client.config('SET', 'maxmemory', '1mb');
    const { outcome } = execute(assignment(folder, echo('ws-a')));
    await until(async () => told.some((text) => text.includes('could not be put into the queue')));
    await server.client.config('SET', 'maxmemory', '0');
    await (await host().take()).complete();
    expect((await outcome).status).toBe('completed');
  });

  describe('hosts', () => {
    const needsGpu = echo('ws-gpu', { requires: ['gpu'] });

    test('that provide what nobody else does are said to be missing at once, by name', async () => {
      await host().beat();
      const { run, told } = await session({}, [echo('ws-a'), needsGpu]);
      expect(told.at(-1)).toContain('No host is there that provides gpu.');
      const quotas = run.capacity.quotas([echo('ws-a'), needsGpu], () => 1);
      expect([0, 1].map((kind) => quotas.quotaOf(kind))).toEqual([2, 0]);
    });

    test('that are not there in time fail what requires them', async () => {
      await host().beat();
      const { run, execute, folder } = await session({ waitSeconds: 0.01 }, [needsGpu]);
      await new Promise<void>((resolve) => run.hosts.onLook(resolve));
      const { failure } = await execute(assignment(folder, needsGpu)).outcome;
      expect(failure).toMatchObject({ reason: 'no-worker', requires: ['gpu'] });
      expect(failure && describeFailure(failure)).toContain('millrace worker --provides gpu');
    });

    test('get only what they provide for', async () => {
      const plain = host();
      const able = host({ name: 'host-gpu', provides: ['gpu'] });
      await able.beat();
      const { execute, folder } = await session({}, [echo('ws-a'), needsGpu]);
      const [gpu, any] = [execute(assignment(folder, needsGpu)), execute(assignment(folder, echo('ws-a')))];
      const job = await plain.take();
      expect(job.remote.assignment.workstream.id).toBe('ws-a');
      await job.complete();
      await (await able.take(['gpu'])).complete();
      expect((await gpu.outcome).status).toBe('completed');
      expect((await any.outcome).status).toBe('completed');
    });

    test('are told of a queue when the run has put its first job there', async () => {
      await host({ provides: ['gpu'] }).beat();
      const subscriber = server.client.duplicate();
      onTestFinished(() => subscriber.disconnect());
      const told: string[] = [];
      subscriber.on('message', (_channel, queue: string) => told.push(queue));
      await subscriber.subscribe(QUEUE_CHANNEL);
      const { execute, folder } = await session({}, [needsGpu]);
      execute(assignment(folder, needsGpu));
      await until(async () => told.length > 0);
      expect(told).toEqual([queueName(['gpu'])]);
      expect(await inQueue()).toHaveLength(0);
      expect(await server.client.keys('millrace:v1+gpu:n*')).toHaveLength(1);
    });

    test('that have all died are missed in a sentence, and the next one finishes', async () => {
      const first = host();
      await first.beat();
      const { execute, folder, told } = await session();
      const { outcome } = execute(assignment(folder, echo('ws-a')));
      await first.leave();
      await until(async () => told.some((text) => text.includes('There is no host any more')));
      await (await host({ name: 'host-b' }).take()).complete();
      expect((await outcome).status).toBe('completed');
    });

    test('with another key are named', async () => {
      await server.client.set('millrace:v1:host:stranger', 'c29tZXRoaW5n');
      const { told } = await session();
      expect(told.join(' ')).toContain('the key is another: stranger');
    });
  });

  describe('a server', () => {
    test('that evicts keys is refused', async () => {
      onTestFinished(async () => void (await server.client.config('SET', 'maxmemory-policy', 'noeviction')));
      await server.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await expect(session()).rejects.toThrow('maxmemory-policy allkeys-lru');
    });

    test('without an append-only file is warned about', async () => {
      const { told } = await session();
      expect(told.join(' ')).toContain('append-only');
    });
  });
});

/** Resolves when something has become true. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20));
}

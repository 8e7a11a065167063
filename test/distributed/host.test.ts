/** What a host does with the jobs of a queue. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { OWNERS } from '../../src/engine/queue/bodies.ts';
import { Host, type HostEvent, type HostOptions } from '../../src/engine/queue/host/host.ts';
import { readHosts } from '../../src/engine/queue/hosts.ts';
import { HOST_CHANNEL, KEYS, QUEUE_CHANNEL, queueName } from '../../src/engine/queue/protocol.ts';
import { QueueKey } from '../../src/engine/queue/sealing.ts';
import { listSnapshot, packSnapshot } from '../../src/engine/queue/snapshot.ts';
import { writeFiles } from '../kit/command.ts';
import { moduleStep, runStep, workstream } from '../kit/definitions.ts';
import { hasRedis, QUEUE_KEY, RedisServer } from '../kit/redis.ts';
import { RemoteRun } from '../kit/remote-jobs.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const behaviours = fileURLToPath(new URL('../fixtures/modules/behaviours.mjs', import.meta.url));

let server: RedisServer;
let run: RemoteRun;
let hosts: Host[];

beforeEach(async () => {
  if (!hasRedis) return;
  server = await RedisServer.start();
  run = new RemoteRun(server);
  hosts = [];
});

afterEach(async () => {
  if (!hasRedis) return;
  await Promise.all(hosts.map((host) => host.close()));
  await run.close();
  await server.close();
});

const startHost = async (
  options: Partial<HostOptions> = {},
): Promise<{ host: Host; events: HostEvent[] }> => {
  const events: HostEvent[] = [];
  const host = await Host.start({
    address: { url: server.url, caFile: null },
    key: new QueueKey(QUEUE_KEY),
    name: 'host-a',
    agents: 2,
    agentMemoryMb: null,
    provides: [],
    leaseMs: 5_000,
    folder: temporaryFolder(),
    version: '0.0.0',
    onEvent: (event) => events.push(event),
    ...options,
  });
  hosts.push(host);
  return { host, events };
};

const answerOf = async (id: string, requires: string[] = []) => {
  await expect.poll(() => run.answer(id, requires)).not.toBeNull();
  const answer = await run.answer(id, requires);
  if (answer === null) throw new Error('the answer has gone');
  return answer;
};

const refusalOf = async (id: string): Promise<string> => {
  await expect.poll(async () => (await run.job(id)).failedReason).toBeTypeOf('string');
  return (await run.job(id)).failedReason;
};

describe.skipIf(!hasRedis)('a host', () => {
  test('executes a job, and answers with a sealed receipt', async () => {
    await startHost();
    const folder = temporaryFolder();
    const id = await run.add(folder, workstream('ws-1', [runStep('echo hello; pwd > made.txt')]));
    const { receipt, outcome } = await answerOf(id);
    expect(outcome).toMatchObject({ status: 'completed', logFile: 'ws-1.log' });
    expect(receipt).toMatchObject({ host: 'host-a', agent: 'agent-1' });
    expect((await run.body(receipt, receipt.logs[0]?.body ?? [])).toString()).toBe('hello\n');
    expect(readFileSync(join(folder, 'made.txt'), 'utf8').trim()).toBe(folder);
  });

  test('says when an execution began, and everything that it reported, before its receipt', async () => {
    await startHost();
    const id = await run.add(temporaryFolder(), workstream('ws-1', [moduleStep(behaviours, 'logs')]));
    const { receipt } = await answerOf(id);
    const messages = await run.messages();
    expect(messages[0]).toMatchObject({ type: 'began', host: 'host-a', agent: 'agent-1', lease: 1, job: id });
    expect(messages.filter(({ type }) => type === 'log').length).toBeGreaterThan(0);
    expect(receipt.lastMessageId).not.toBeNull();
  });

  test('takes what requires the labels that it provides, and nothing else', async () => {
    await startHost({ provides: ['gpu', 'claude'] });
    const folder = temporaryFolder();
    const gpu = await run.add(folder, workstream('gpu', [runStep('true')], { requires: ['gpu'] }));
    const other = await run.add(folder, workstream('tpu', [runStep('true')], { requires: ['gpu', 'tpu'] }));
    await answerOf(gpu, ['gpu']);
    expect(await (await run.job(other, ['gpu', 'tpu'])).getState()).toBe('waiting');
  });

  test('takes what requires most labels first, and now and then what requires fewest', async () => {
    const folder = temporaryFolder();
    const add = (id: string, requires: string[]): Promise<string> =>
      run.add(folder, workstream(id, [runStep('true')], { requires }));
    for (const id of ['plain-1', 'plain-2']) await add(id, []);
    for (const id of ['gpu-1', 'gpu-2', 'gpu-3', 'gpu-4']) await add(id, ['gpu']);
    await startHost({ provides: ['gpu'], agents: 1 });
    const begun = async (): Promise<string[]> =>
      (await run.messages()).flatMap(({ type, job }) => (type === 'began' ? [job.split('.')[1] ?? ''] : []));
    await expect.poll(begun).toHaveLength(6);
    expect(await begun()).toEqual(['gpu-1', 'gpu-2', 'gpu-3', 'plain-1', 'gpu-4', 'plain-2']);
  });

  test('stops what listens when its run cancels it', async () => {
    await startHost();
    const folder = temporaryFolder();
    const id = await run.add(folder, workstream('ws-1', [moduleStep(behaviours, 'stopsWhenTold')]));
    await expect.poll(async () => (await run.messages()).some(({ type }) => type === 'progress')).toBe(true);
    await run.cancel(id);
    const { outcome } = await answerOf(id);
    expect(outcome.failure?.reason).toBe('cancelled');
  });

  test('tells the run of a job that it refuses', async () => {
    await startHost();
    const id = await run.add(temporaryFolder(), workstream('ws-1', [runStep('true')]), { expiresAt: 1 });
    await refusalOf(id);
    const hints = async () => JSON.stringify(await run.redis.xrange(KEYS.messages(run.nonce), '-', '+'));
    await expect.poll(hints).toContain(JSON.stringify(['answered', id]));
    expect(await run.redis.ttl(KEYS.messages(run.nonce))).toBeGreaterThan(0);
  });

  test('does not stop what somebody cancels who has no key', async () => {
    await startHost();
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'x'));
    const id = await run.add(folder, workstream('ws-1', [runStep('while [ ! -e go ]; do sleep 0.01; done')]));
    await expect.poll(() => run.begins(id)).toBe(1);
    await run.redis.hset(`millrace:v1:run:${run.nonce}:cancels`, id, 'cancelled');
    await run.redis.publish('millrace:v1:cancel', id);
    writeFileSync(join(folder, 'go'), '');
    expect((await answerOf(id)).outcome.status).toBe('completed');
  });

  test('tells runs at once when it comes, takes nothing more, and goes', async () => {
    const subscriber = run.redis.duplicate();
    onTestFinished(() => subscriber.disconnect());
    const told: string[] = [];
    subscriber.on('message', (_channel, name: string) => told.push(name));
    await subscriber.subscribe(HOST_CHANNEL);
    const { host } = await startHost();
    await expect.poll(() => told).toEqual(['host-a']);
    await host.drain();
    await expect.poll(() => told).toHaveLength(2);
    await host.close();
    await expect.poll(() => told).toHaveLength(3);
  });

  test('does not wait for jobs any more when a run tells of a queue that it does not know', async () => {
    await startHost({ agents: 1, provides: ['gpu'] });
    const folder = temporaryFolder();
    const id = await run.add(folder, workstream('ws-1', [runStep('while [ ! -e go ]; do sleep 0.01; done')]));
    await expect.poll(() => run.begins(id)).toBe(1);
    await run.redis.publish(QUEUE_CHANNEL, queueName(['tpu']));
    await run.redis.publish(QUEUE_CHANNEL, queueName(['gpu']));
    await expect.poll(() => run.redis.zcard(KEYS.wake('host-a'))).toBe(1);
    writeFileSync(join(folder, 'go'), '');
    await expect.poll(() => run.redis.zcard(KEYS.wake('host-a'))).toBe(0);
  });

  test('tells who it is and what it has in hand', async () => {
    await startHost({ provides: ['gpu'] });
    const folder = temporaryFolder();
    const id = await run.add(folder, workstream('ws-1', [runStep('while [ ! -e go ]; do sleep 0.01; done')]));
    await expect.poll(() => run.begins(id)).toBe(1);
    const seen = async () => (await readHosts(run.redis, run.key)).hosts[0];
    await expect.poll(async () => (await seen())?.inHand[0]?.workstreamId).toBe('ws-1');
    expect(await seen()).toMatchObject({ host: 'host-a', slots: 2, provides: ['gpu'], draining: false });
    writeFileSync(join(folder, 'go'), '');
    await answerOf(id);
  });
});

describe.skipIf(!hasRedis)('what has lost a host', () => {
  test('gets a process of its own from the second start on', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, { 'pid.mjs': 'export default () => ({ output: process.pid });' });
    const id = await run.add(folder, workstream('ws-1', [moduleStep(join(folder, 'pid.mjs'))]));
    await run.redis.hset(`millrace:v1:${id}`, 'stc', '1');
    await startHost();
    const { outcome } = await answerOf(id);
    expect(outcome.status).toBe('completed');
    expect(Number(outcome.output)).not.toBe(process.pid);
  });

  test('three times fails without a fourth start', async () => {
    const folder = temporaryFolder();
    const id = await run.add(folder, workstream('ws-1', [runStep('touch started')]));
    const reason = 'job stalled more than allowable limit';
    await run.redis.hset(`millrace:v1:${id}`, 'stc', '3', 'defa', reason);
    await startHost();
    expect(await refusalOf(id)).toBe(reason);
    expect(existsSync(join(folder, 'started'))).toBe(false);
  });
});

describe.skipIf(!hasRedis)('the files of a project', () => {
  const snapshotOf = async (project: string) => {
    const pieces: Buffer[] = [];
    const { hash } = await packSnapshot(project, await listSnapshot(project, []), async (piece) => {
      pieces.push(piece);
    });
    const body = await run.bodies.store(OWNERS.snapshot(hash), pieces);
    return { kind: 'snapshot', sha256: hash, bytes: 0, body } as const;
  };

  test('are unpacked and prepared once, and each workstream finds them as they were packed', async () => {
    const project = temporaryFolder();
    writeFiles(project, { 'a.txt': 'a', 'deep/b.txt': 'b' });
    const { events } = await startHost({ agents: 1 });
    const source = await snapshotOf(project);
    const setup = 'echo prepared > prepared.txt';
    const spoils =
      'cat prepared.txt a.txt; echo x > a.txt; rm -r deep; mkdir new; echo y > new/c.txt; ln -s a.txt l';
    for (const name of ['ws-1', 'ws-2']) {
      const id = await run.add(
        '.',
        workstream(name, [runStep(spoils)]),
        { source, setup },
        { workspace: '.' },
      );
      const { receipt, outcome } = await answerOf(id);
      expect(outcome.failure).toBeNull();
      expect((await run.body(receipt, receipt.logs[0]?.body ?? [])).toString()).toBe('prepared\na');
    }
    expect(events.filter(({ type }) => type === 'project-prepared')).toHaveLength(1);
  });

  test('that it declares as outputs return', async () => {
    const project = temporaryFolder();
    writeFiles(project, { 'a.txt': 'a' });
    await startHost();
    const definition = workstream('ws-1', [runStep('mkdir out; echo made > out/x.txt; chmod +x out/x.txt')], {
      outputs: ['out/**'],
    });
    const id = await run.add('.', definition, { source: await snapshotOf(project) }, { workspace: '.' });
    const { receipt } = await answerOf(id);
    expect(receipt.files).toMatchObject([{ path: 'out/x.txt', bytes: 5, executable: true }]);
    expect((await run.body(receipt, receipt.files[0]?.body ?? [])).toString()).toBe('made\n');
  });

  test('whose setup fails fail the workstream with what it printed', async () => {
    const project = temporaryFolder();
    writeFiles(project, { 'a.txt': 'a' });
    await startHost();
    const fields = { source: await snapshotOf(project), setup: 'echo no such package; exit 3' };
    const id = await run.add('.', workstream('ws-1', [runStep('true')]), fields, { workspace: '.' });
    const { outcome } = await answerOf(id);
    expect(outcome.failure).toMatchObject({
      reason: 'workspace-error',
      detail: expect.stringContaining('ended with exit code 3: no such package'),
    });
  });

  test('are removed when the host ends', async () => {
    const project = temporaryFolder();
    writeFiles(project, { 'a.txt': 'a' });
    const folder = temporaryFolder();
    const { host } = await startHost({ folder });
    const fields = { source: await snapshotOf(project) };
    await answerOf(await run.add('.', workstream('ws-1', [runStep('true')]), fields, { workspace: '.' }));
    expect(existsSync(join(folder, 'projects'))).toBe(true);
    await host.close();
    hosts.pop();
    expect(existsSync(join(folder, 'projects'))).toBe(false);
  });
});

describe.skipIf(!hasRedis)('a host executes nothing', () => {
  const touches = (folder: string) => workstream('ws-1', [runStep(`touch ${join(folder, 'executed')}`)]);
  const id = () => `${run.nonce}.ws-1.${'0'.repeat(32)}`;

  test('that was stored without a seal', async () => {
    await startHost();
    await run.store([], id(), Buffer.from('{"run":"rm -rf /"}').toString('base64'));
    expect(await refusalOf(id())).toMatch(/not sealed for this job with the key of this host/);
  });

  test('that was sealed for another job', async () => {
    await startHost();
    const folder = temporaryFolder();
    const other = run.sealed(folder, touches(folder), `${run.nonce}.ws-2.${'0'.repeat(32)}`);
    await run.store([], id(), other);
    expect(await refusalOf(id())).toMatch(/not sealed for this job/);
    expect(existsSync(join(folder, 'executed'))).toBe(false);
  });

  test('whose body was changed', async () => {
    await startHost();
    const folder = temporaryFolder();
    const sealed = Buffer.from(run.sealed(folder, touches(folder), id()), 'base64');
    sealed[40] = (sealed[40] ?? 0) ^ 1;
    await run.store([], id(), sealed.toString('base64'));
    expect(await refusalOf(id())).toMatch(/or was changed/);
    expect(existsSync(join(folder, 'executed'))).toBe(false);
  });

  test('whose time is over', async () => {
    await startHost();
    const folder = temporaryFolder();
    const sealed = run.sealed(folder, touches(folder), id(), { expiresAt: Date.now() - 1_000 });
    await run.store([], id(), sealed);
    expect(await refusalOf(id())).toMatch(/Its time was over/);
    expect(existsSync(join(folder, 'executed'))).toBe(false);
  });

  test('that it answered before, when the same is stored again', async () => {
    await startHost();
    const folder = temporaryFolder();
    const sealed = run.sealed(folder, workstream('ws-1', [runStep(`echo x >> ${folder}/executed`)]), id());
    await run.store([], id(), sealed);
    await answerOf(id());
    await (await run.job(id())).remove();
    await run.store([], id(), sealed);
    expect(await refusalOf(id())).toMatch(/was executed here before/);
    expect(readFileSync(join(folder, 'executed'), 'utf8')).toBe('x\n');
  });
});

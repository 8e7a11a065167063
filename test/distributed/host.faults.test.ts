/** What a host does when Redis, the network, or the host itself fails. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { Host, type HostEvent, type HostOptions } from '../../src/engine/queue/host/host.ts';
import { KEYS } from '../../src/engine/queue/protocol.ts';
import { QueueKey } from '../../src/engine/queue/sealing.ts';
import { moduleStep, runStep, workstream } from '../kit/definitions.ts';
import { isLiving } from '../kit/is-living.ts';
import { startWorker } from '../kit/queue-worker.ts';
import { hasRedis, QUEUE_KEY, RedisProxy, RedisServer, type RedisServerOptions } from '../kit/redis.ts';
import { RemoteRun } from '../kit/remote-jobs.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const LEASE_MS = 2_000;
const behaviours = fileURLToPath(new URL('../fixtures/modules/behaviours.mjs', import.meta.url));

const hosts: Host[] = [];
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

async function startServer(
  options: RedisServerOptions = {},
): Promise<{ server: RedisServer; run: RemoteRun }> {
  const server = await RedisServer.start(options);
  const run = new RemoteRun(server);
  onTestFinished(async () => {
    await run.close();
    await server.close();
  });
  return { server, run };
}

async function startHost(url: string, options: Partial<HostOptions> = {}) {
  const events: HostEvent[] = [];
  const host = await Host.start({
    address: { url, caFile: null },
    key: new QueueKey(QUEUE_KEY),
    name: 'host-a',
    agents: 3,
    agentMemoryMb: null,
    provides: [],
    leaseMs: LEASE_MS,
    folder: temporaryFolder(),
    version: '0.0.0',
    onEvent: (event) => events.push(event),
    ...options,
  });
  hosts.push(host);
  return { host, events };
}

/** Counts its starts in `starts`, and ends when there is a file `go`. */
const waiting = (name: string, folder: string) =>
  workstream(name, [
    runStep(`echo ${name} >> ${folder}/starts; while [ ! -e ${folder}/go ]; do sleep 0.02; done`),
  ]);
const startsIn = (folder: string): number =>
  existsSync(join(folder, 'starts'))
    ? readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n').length
    : 0;

/** Resolves when every lock that there was has ended: what is tested is what follows. */
const leaseEnds = (): Promise<void> => pause(LEASE_MS * 1.25);

const answered = (run: RemoteRun, id: string) => expect.poll(() => run.answer(id)).not.toBeNull();

describe.skipIf(!hasRedis)('work is executed once', () => {
  test('when a host is without its network for longer than its lease', async () => {
    const { server, run } = await startServer();
    const proxy = await RedisProxy.to(server);
    onTestFinished(() => proxy.close());
    const { events } = await startHost(proxy.url);
    const folder = temporaryFolder();
    const id = await run.add(folder, waiting('ws-1', folder));
    await expect.poll(() => startsIn(folder)).toBe(1);
    proxy.cut();
    await expect.poll(() => server.client.exists(`millrace:v1:${id}:lock`)).toBe(0);
    proxy.open();
    await expect.poll(() => server.client.exists(`millrace:v1:${id}:lock`)).toBe(1);
    writeFileSync(join(folder, 'go'), '');
    await answered(run, id);
    expect(startsIn(folder)).toBe(1);
    expect((await run.job(id)).stalledCounter).toBe(0);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['queue-lost', 'queue-back']));
  });

  test('when the clock of its host is an hour behind', async () => {
    const { server, run } = await startServer();
    await startWorker(server.url, 'host-a', { clock: Date.now() - 3_600_000 });
    const folder = temporaryFolder();
    const id = await run.add(folder, waiting('ws-1', folder));
    await expect.poll(() => startsIn(folder)).toBe(1);
    await startHost(server.url, { name: 'host-b' });
    await leaseEnds();
    writeFileSync(join(folder, 'go'), '');
    await answered(run, id);
    expect((await run.answer(id))?.receipt.host).toBe('host-a');
    expect(startsIn(folder)).toBe(1);
    expect((await run.job(id)).stalledCounter).toBe(0);
  });

  test('when Redis is killed for longer than the leases of six workstreams on two hosts', async () => {
    const { server, run } = await startServer({ aof: true });
    await startHost(server.url);
    await startHost(server.url, { name: 'host-b' });
    const folder = temporaryFolder();
    const names = ['1', '2', '3', '4', '5', '6'];
    const ids = await Promise.all(names.map((name) => run.add(folder, waiting(name, folder))));
    await expect.poll(() => startsIn(folder)).toBe(6);
    await server.kill();
    await leaseEnds();
    await server.start();
    await leaseEnds();
    writeFileSync(join(folder, 'go'), '');
    for (const id of ids) await answered(run, id);
    expect(startsIn(folder)).toBe(6);
  });

  test('when it ends while Redis is away', async () => {
    const { server, run } = await startServer({ aof: true });
    await startHost(server.url);
    const folder = temporaryFolder();
    const step = runStep(`echo x >> starts; while [ ! -e go ]; do sleep 0.02; done; touch ended`);
    const id = await run.add(folder, workstream('ws-1', [step]));
    await expect.poll(() => startsIn(folder)).toBe(1);
    await server.kill();
    writeFileSync(join(folder, 'go'), '');
    await expect.poll(() => existsSync(join(folder, 'ended'))).toBe(true);
    await leaseEnds();
    await server.start();
    await answered(run, id);
    expect((await run.answer(id))?.outcome.status).toBe('completed');
    expect(startsIn(folder)).toBe(1);
  });

  test('when Redis is full for longer than the lease, and the answer has to wait', async () => {
    const { server, run } = await startServer();
    await startHost(server.url);
    const folder = temporaryFolder();
    const id = await run.add(folder, waiting('ws-1', folder));
    await expect.poll(() => run.begins(id)).toBe(1);
    await server.client.config('SET', 'maxmemory', '1');
    writeFileSync(join(folder, 'go'), '');
    await leaseEnds();
    expect(await server.client.exists(`millrace:v1:${id}:lock`)).toBe(1);
    await server.client.config('SET', 'maxmemory', '0');
    await answered(run, id);
    expect(startsIn(folder)).toBe(1);
  });
});

describe.skipIf(!hasRedis)('what nothing may run beside', () => {
  test('is stopped before its lease ends, and begins again when its host is back', async () => {
    const { server, run } = await startServer();
    const proxy = await RedisProxy.to(server);
    onTestFinished(() => proxy.close());
    await startHost(proxy.url, { leaseMs: 8_000 });
    const folder = temporaryFolder();
    const step = runStep(`echo $$ >> pids; while [ ! -e go ]; do sleep 0.02; done`);
    const id = await run.add(folder, workstream('ws-1', [step]), { strictLease: true });
    const pids = (): number[] =>
      existsSync(join(folder, 'pids'))
        ? readFileSync(join(folder, 'pids'), 'utf8').trim().split('\n').map(Number)
        : [];
    await expect.poll(pids).toHaveLength(1);
    proxy.cut();
    await expect.poll(() => isLiving(pids()[0] ?? 0)).toBe(false);
    expect(await server.client.exists(`millrace:v1:${id}:lock`)).toBe(1);
    proxy.open();
    await expect.poll(pids).toHaveLength(2);
    writeFileSync(join(folder, 'go'), '');
    await answered(run, id);
  });
});

describe.skipIf(!hasRedis)('a host that died', () => {
  test('loses its work to another one after its lease', async () => {
    const { server, run } = await startServer();
    const state = temporaryFolder();
    const first = await startWorker(server.url, 'host-a', { state });
    const folder = temporaryFolder();
    const id = await run.add(folder, waiting('ws-1', folder));
    await expect.poll(() => startsIn(folder)).toBe(1);
    await startWorker(server.url, 'host-b');
    first.child.kill('SIGKILL');
    await expect.poll(() => startsIn(folder)).toBe(2);
    writeFileSync(join(folder, 'go'), '');
    await answered(run, id);
    expect((await run.answer(id))?.receipt.host).toBe('host-b');
    expect((await run.job(id)).stalledCounter).toBe(1);
  });

  test('for a while has its result refused, and its messages are of another lease', async () => {
    const { server, run } = await startServer();
    const first = await startWorker(server.url, 'host-a');
    const folder = temporaryFolder();
    const id = await run.add(folder, waiting('ws-1', folder));
    await expect.poll(() => startsIn(folder)).toBe(1);
    await startWorker(server.url, 'host-b');
    first.child.kill('SIGSTOP');
    await expect.poll(() => startsIn(folder)).toBe(2);
    writeFileSync(join(folder, 'go'), '');
    await answered(run, id);
    first.child.kill('SIGCONT');
    await expect.poll(() => first.lines().find(({ event }) => event === 'job-ended')?.['end']).toBe('lost');
    expect((await run.answer(id))?.receipt.host).toBe('host-b');
    const begins = (await run.messages()).filter(({ type }) => type === 'began');
    expect(new Set(begins.map(({ token }) => token)).size).toBe(2);
  });
});

describe.skipIf(!hasRedis)('a host that ends', () => {
  test('finishes what it has in hand on SIGTERM, takes nothing more, and leaves nothing', async () => {
    const { server, run } = await startServer();
    const { child, lines } = await startWorker(server.url, 'host-a');
    const folder = temporaryFolder();
    const id = await run.add(folder, waiting('ws-1', folder));
    await expect.poll(() => startsIn(folder)).toBe(1);
    child.kill('SIGTERM');
    await expect.poll(() => lines().some(({ event }) => event === 'worker-draining')).toBe(true);
    const later = await run.add(folder, workstream('ws-2', [runStep('true')]));
    writeFileSync(join(folder, 'go'), '');
    const [exitCode] = (await once(child, 'exit')) as [number];
    expect(exitCode).toBe(0);
    expect((await run.answer(id))?.outcome.status).toBe('completed');
    expect(await (await run.job(later)).getState()).toBe('waiting');
    expect(await server.client.exists(KEYS.host('host-a'))).toBe(0);
  });

  test('before its work does gives it back, and that does not count as stalled', async () => {
    const { server, run } = await startServer();
    const { host, events } = await startHost(server.url);
    const folder = temporaryFolder();
    const id = await run.add(folder, waiting('ws-1', folder));
    await expect.poll(() => startsIn(folder)).toBe(1);
    await host.close();
    hosts.pop();
    const job = await run.job(id);
    expect(await job.getState()).toBe('waiting');
    expect(job.stalledCounter).toBe(0);
    expect(events).toContainEqual(expect.objectContaining({ type: 'job-ended', end: 'given-back' }));
    writeFileSync(join(folder, 'go'), '');
    await startHost(server.url, { name: 'host-b' });
    await answered(run, id);
  });
});

describe.skipIf(!hasRedis)('Redis', () => {
  test('sees no secret of a host, a definition or an output', async () => {
    const { server, run } = await startServer();
    const connection = new Redis({ path: server.socket });
    const monitor = await connection.monitor();
    onTestFinished(() => [connection, monitor].forEach((each) => each.disconnect()));
    let seen = '';
    monitor.on('monitor', (_time: string, args: string[]) => {
      seen += args.join(' ');
    });
    process.env['HOST_API_TOKEN'] = 'hostsecret-4711';
    onTestFinished(() => void delete process.env['HOST_API_TOKEN']);
    await startHost(server.url);
    const step = runStep('echo $HOST_API_TOKEN $DEFINED_PASSWORD plain-output', {
      env: { DEFINED_PASSWORD: 'definedsecret-4712' },
    });
    const id = await run.add(temporaryFolder(), workstream('ws-1', [step]));
    await answered(run, id);
    await expect.poll(() => seen).toContain(id);
    const answer = await run.answer(id);
    if (answer === null) throw new Error('the answer has gone');
    const log = await run.body(answer.receipt, answer.receipt.logs[0]?.body ?? []);
    expect(log.toString()).toContain('plain-output');
    expect(log.toString()).not.toMatch(/secret-471/);
    for (const text of ['hostsecret', 'definedsecret', 'plain-output', QUEUE_KEY])
      expect(seen).not.toContain(text);
  });

  test('holds a bounded number of log lines that nobody reads', async () => {
    const { server, run } = await startServer();
    await startHost(server.url, { leaseMs: 30_000 });
    const folder = temporaryFolder();
    const module = join(folder, 'chatty.mjs');
    writeFileSync(
      module,
      `export default (_input, { log }) => { for (let i = 0; i < 100_000; i += 1) log.info({ i, text: 'x'.repeat(100) }, 'line'); };`,
    );
    const id = await run.add(folder, workstream('ws-1', [moduleStep(module)]));
    await answered(run, id);
    const bytes = Number(
      await server.client.call('MEMORY', 'USAGE', KEYS.messages(run.nonce), 'SAMPLES', '0'),
    );
    expect(bytes).toBeLessThan(10_000_000);
    expect((await run.messages()).at(-1)).toMatchObject({
      type: 'notice',
      text: expect.stringMatching(/lines of its log could not be sent/),
    });
  });

  test('that says nothing any more on an open connection is noticed within half a minute', async () => {
    const { server, run } = await startServer();
    const proxy = await RedisProxy.to(server);
    onTestFinished(() => proxy.close());
    await startHost(proxy.url);
    const folder = temporaryFolder();
    proxy.silence();
    proxy.open();
    const begin = performance.now();
    const id = await run.add(folder, workstream('ws-1', [moduleStep(behaviours, 'nothing')]));
    await expect.poll(() => run.answer(id), { timeout: 60_000 }).not.toBeNull();
    expect(performance.now() - begin).toBeLessThan(30_000);
  }, 90_000);

  test('whose open connections are silent lets a host stop what is cancelled within half a minute', async () => {
    const { server, run } = await startServer();
    const proxy = await RedisProxy.to(server);
    onTestFinished(() => proxy.close());
    await startHost(proxy.url, { leaseMs: 60_000 });
    const folder = temporaryFolder();
    const id = await run.add(folder, workstream('ws-1', [moduleStep(behaviours, 'stopsWhenTold')]));
    await expect.poll(async () => (await run.messages()).some(({ type }) => type === 'progress')).toBe(true);
    proxy.silence();
    proxy.open();
    const begin = performance.now();
    await run.cancel(id);
    await expect.poll(() => run.answer(id), { timeout: 60_000 }).not.toBeNull();
    expect(performance.now() - begin).toBeLessThan(30_000);
    expect((await run.answer(id))?.outcome.failure?.reason).toBe('cancelled');
  }, 90_000);
});

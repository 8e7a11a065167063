/** What a run does when its connection, Redis, or the process of the run itself fails. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bodiesIn, OWNERS } from '../../src/engine/queue/bodies.ts';
import { KEYS, nonceOf } from '../../src/engine/queue/protocol.ts';
import { cleanEnvironment, millrace } from '../kit/command.ts';
import { assignment, runStep, workstream } from '../kit/definitions.ts';
import { openSession } from '../kit/queue-session.ts';
import { startWorker } from '../kit/queue-worker.ts';
import { hasRedis, QUEUE_KEY, RedisProxy, RedisServer, type RedisServerOptions } from '../kit/redis.ts';
import { ScriptedHost } from '../kit/scripted-host.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const HALF_A_MINUTE_MS = 30_000;

async function startServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  onTestFinished(() => server.close());
  return server;
}

function startHost(server: RedisServer, name = 'host-a'): ScriptedHost {
  const host = new ScriptedHost(server, { name });
  onTestFinished(() => host.close());
  return host;
}

const echo = workstream('ws-a', [runStep('echo')]);

describe.skipIf(!hasRedis)('a run whose open connections say nothing any more', () => {
  /** A run behind a network, with one job in hand on a host that is not. */
  async function inHand() {
    const server = await startServer();
    const proxy = await RedisProxy.to(server);
    onTestFinished(() => proxy.close());
    const { execute, folder } = await openSession(proxy.url, {}, [echo]);
    const stop = new AbortController();
    const { outcome } = execute(assignment(folder, echo), stop.signal);
    const job = await startHost(server).take();
    await job.begin();
    // What is open now is lost without a word, and new connections are good.
    proxy.silence();
    proxy.open();
    return { job, outcome, stop, begin: performance.now() };
  }

  test('takes an outcome within half a minute', async () => {
    const { job, outcome, begin } = await inHand();
    await job.complete({ output: '7' });
    expect(await outcome).toMatchObject({ status: 'completed', output: '7' });
    expect(performance.now() - begin).toBeLessThan(HALF_A_MINUTE_MS);
  });

  test('cancels what is in hand within half a minute', async () => {
    const { job, outcome, stop, begin } = await inHand();
    stop.abort('cancelled');
    await expect.poll(() => job.cancelled(), { timeout: 60_000 }).toBe('cancelled');
    await job.complete({ status: 'failed', failure: { reason: 'cancelled', detail: 'it was told to' } });
    expect((await outcome).failure).toMatchObject({ detail: 'it was told to' });
    expect(performance.now() - begin).toBeLessThan(HALF_A_MINUTE_MS);
  });
});

describe.skipIf(!hasRedis)('a run', () => {
  test('that stands still while 12,000 workstreams complete settles all of them', async () => {
    const server = await startServer();
    const count = 12_000;
    const run = startRun(server.url, count);
    await expect.poll(() => server.client.llen('millrace:v1:wait'), { timeout: 120_000 }).toBe(count);
    run.child.kill('SIGSTOP');
    const hosts = ['host-a', 'host-b'].map((name) => startHost(server, name));
    let left = count;
    const completeAll = async (host: ScriptedHost): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await (await host.take()).complete();
      }
    };
    await Promise.all(hosts.map(completeAll));
    run.child.kill('SIGCONT');
    await run.says('settled 12000 of 12000');
  }, 180_000);

  test('whose Redis is away for many leases takes what ended meanwhile, and hosts take what is next', async () => {
    const server = await startServer({ aof: true });
    await startWorker(server.url, 'host-a', { leaseSeconds: 1 });
    const { execute, folder } = await openSession(server.url, {}, []);
    const command = 'echo x >> starts; while [ ! -e go ]; do sleep 0.02; done; touch ended';
    const first = execute(assignment(folder, workstream('ws-a', [runStep(command)])));
    await expect.poll(() => existsSync(join(folder, 'starts'))).toBe(true);
    await server.kill();
    const second = execute(assignment(folder, workstream('ws-b', [runStep('true')])));
    writeFileSync(join(folder, 'go'), '');
    await expect.poll(() => existsSync(join(folder, 'ended'))).toBe(true);
    await pause(6_000);
    await server.start();
    expect((await first.outcome).status).toBe('completed');
    expect((await second.outcome).status).toBe('completed');
    expect(readFileSync(join(folder, 'starts'), 'utf8')).toBe('x\n');
  });
});

describe.skipIf(!hasRedis)('what a run left that was killed', () => {
  /** Jobs that wait, and one that was completed with a body; nobody has been there for more than a week. */
  async function abandoned(): Promise<RedisServer> {
    const server = await startServer();
    const run = startRun(server.url, 5);
    await expect.poll(() => server.client.llen('millrace:v1:wait')).toBe(5);
    const host = startHost(server);
    const job = await host.take();
    const body = await bodiesIn(host.redis, host.key).store(OWNERS.receipt(job.id, job.token), [
      Buffer.from('x'),
    ]);
    await job.complete({}, { returned: await job.receipt({}, { outcome: { body } }), hinted: false });
    await run.kill();
    await server.client.zadd(KEYS.runs, Date.now() - 8 * 86_400_000, nonceOf(job.id));
    return server;
  }

  test('is removed when the next run of any project starts', async () => {
    const server = await abandoned();
    await openSession(server.url, {}, [echo]);
    expect(await server.client.keys('millrace:v1:n*')).toEqual([]);
    expect(await server.client.keys('millrace:v1:body:n*')).toEqual([]);
    expect(await server.client.zcard(KEYS.runs)).toBe(0);
  });

  test('is removed by `millrace workers --prune`, where it was left for so long', async () => {
    const server = await abandoned();
    const prune = (age: string) =>
      millrace(temporaryFolder(), ['workers', '--queue', server.url, '--prune', age], {
        MILLRACE_QUEUE_KEY: QUEUE_KEY,
      });
    expect((await prune('9d')).stdout).toContain('Removed 0 jobs of 0 runs that nobody went on with.');
    expect((await prune('7d')).stdout).toContain('Removed 5 jobs of 1 run that nobody went on with.');
    expect(await server.client.keys('millrace:v1:n*')).toEqual([]);
  });
});

const manyJobs = fileURLToPath(new URL('../fixtures/queue/many-jobs.mjs', import.meta.url));

/** A process that executes so many workstreams at once over a queue, and says how far it is. */
function startRun(url: string, count: number) {
  const folder = temporaryFolder();
  const file = join(folder, 'assignment.json');
  writeFileSync(file, JSON.stringify(assignment(folder, echo)));
  const child: ChildProcess = spawn(process.execPath, [manyJobs, url, String(count), file], {
    env: { ...cleanEnvironment(), MILLRACE_QUEUE_KEY: QUEUE_KEY },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  return {
    child,
    kill,
    says: (text: string) => expect.poll(() => printed, { timeout: 120_000 }).toContain(text),
  };
}

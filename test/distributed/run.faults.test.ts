/** Whole runs over hosts that are processes of their own, when a workstream, Redis or the process of the run is the problem. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bin, cleanEnvironment, writeFiles } from '../kit/command.ts';
import { noting, QueueProject, succeeds, waitFor } from '../kit/queue-project.ts';
import { startWorker } from '../kit/queue-worker.ts';
import { hasRedis, QUEUE_KEY, RedisProxy, RedisServer } from '../kit/redis.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

async function startServer(): Promise<RedisServer> {
  const server = await RedisServer.start({ aof: true });
  onTestFinished(() => server.close());
  return server;
}

describe.skipIf(!hasRedis)('a workstream that ends its host', () => {
  test('is begun three times, fails with host-lost, and what ran beside it completes', async () => {
    const server = await startServer();
    const project = new QueueProject({
      'ws-beside': `${noting}; ${waitFor('go')}`,
      'ws-later-1': 'true',
      'ws-later-2': 'true',
    });
    writeFiles(project.folder, {
      'kill-host.mjs': killHost(project.shared),
      'workstreams/ws-kills.json': {
        id: 'ws-kills',
        title: 'ws-kills',
        steps: [{ module: '../kill-host.mjs' }],
      },
    });
    const supervisor = superviseWorker(server.url);
    const run = project.run(server.url, '-j', '2');
    await expect.poll(() => supervisor.deaths(), { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
    project.make('go');
    const { code, stdout, stderr } = await run.finished;
    expect(code, stdout + stderr).toBe(1);
    expect(project.results()).toEqual({
      'ws-beside': 'completed',
      'ws-kills': 'host-lost',
      'ws-later-1': 'completed',
      'ws-later-2': 'completed',
    });
    expect(project.lines('kills')).toHaveLength(3);
  }, 120_000);
});

/** Kills its host: the first two times as soon as another workstream has begun as often beside it. */
const killHost = (shared: string): string => `
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
const count = (name) => {
  const path = '${shared}/' + name;
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\\n').length : 0;
};
export default async () => {
  appendFileSync('${shared}/kills', 'x\\n');
  const starts = count('kills');
  while (starts < 3 && count('starts') < starts) await pause(20);
  execFileSync('kill', ['-9', String(isMainThread ? process.ppid : process.pid)]);
  await pause(60_000);
};
`;

/** A worker with two agents that is started again whenever it has died, as by systemd. */
function superviseWorker(url: string): { deaths: () => number } {
  const flags = ['--queue', url, '--name', 'host-a', '--agents', '2', '--lease-seconds', '1'];
  const child = spawn(
    'sh',
    ['-c', 'while :; do "$@"; echo died; done', 'sh', process.execPath, bin, 'worker', ...flags],
    {
      cwd: temporaryFolder(),
      env: { ...cleanEnvironment(), MILLRACE_QUEUE_KEY: QUEUE_KEY },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    },
  );
  onTestFinished(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  return { deaths: () => printed.match(/^died$/gm)?.length ?? 0 };
}

describe.skipIf(!hasRedis)('after FLUSHALL', () => {
  test('what was in hand begins once more, and never while its first start goes on', async () => {
    const server = await startServer();
    const project = new QueueProject({
      'ws-1': `${noting}; kill -0 $(cat $SHARED/pid) && touch $SHARED/at-once; echo $$ > $SHARED/pid; ${waitFor('go')}`,
    });
    await startWorker(server.url, 'host-a');
    await startWorker(server.url, 'host-b');
    const run = project.run(server.url, '-j', '1');
    await expect.poll(() => project.lines('pid')).toHaveLength(1);
    await server.client.flushall();
    await expect.poll(() => project.lines('starts')).toHaveLength(2);
    project.make('go');
    await succeeds(run);
    expect(project.lines('starts')).toHaveLength(2);
    expect(existsSync(join(project.shared, 'at-once'))).toBe(false);
  });
});

describe.skipIf(!hasRedis)(
  'a run that is killed between the commit of a result and its acknowledgement',
  () => {
    test('does not execute it again when it is resumed, and leaves nothing in the queue', async () => {
      const server = await startServer();
      const proxy = await RedisProxy.to(server);
      onTestFinished(() => proxy.close());
      const project = new QueueProject({ 'ws-1': noting, 'ws-2': noting, 'ws-3': noting });
      await startWorker(server.url, 'host-a');
      const killed = project.run(proxy.url, '-j', '1');
      proxy.cutWhen(() => {
        const isCommitted = Object.values(project.results()).includes('completed');
        if (isCommitted) killed.killAll();
        return isCommitted;
      });
      expect((await killed.finished).signal).toBe('SIGKILL');
      const [done] = project.lines('starts');
      expect(await server.client.keys(`millrace:v1:n*.${done}.*`)).toHaveLength(1);
      await succeeds(project.run(server.url, '-j', '1', '--resume'));
      expect(project.lines('starts').toSorted()).toEqual(['ws-1', 'ws-2', 'ws-3']);
      await expect.poll(() => server.client.keys('millrace:v1:n*')).toEqual([]);
    });
  },
);

describe.skipIf(!hasRedis)('when the process that executes a run is killed', () => {
  test('the next one goes on with all that hosts have in hand at once', async () => {
    const server = await startServer();
    // The first ends when the successor of the second has begun, so both have to be gone on with together.
    const project = new QueueProject(
      {
        'ws-1': `${noting}; ${waitFor('third')}`,
        'ws-2': `${noting}; ${waitFor('go')}`,
        'ws-3': `${noting}; touch $SHARED/third`,
      },
      { 'ws-3': { depends_on: ['ws-2'] } },
    );
    await startWorker(server.url, 'host-a', { agents: 2 });
    const run = project.run(server.url, '-j', '2');
    await expect.poll(() => project.lines('starts')).toHaveLength(2);
    for (const pid of childrenOf(run.child.pid ?? 0)) process.kill(pid, 'SIGKILL');
    project.make('go');
    await succeeds(run);
    expect(project.lines('starts').toSorted()).toEqual(['ws-1', 'ws-2', 'ws-3']);
  });
});

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

describe.skipIf(!hasRedis)('ten outputs of ten megabytes', () => {
  test('return, and leave the memory of Redis as it was', async () => {
    const server = await startServer();
    const project = new QueueProject(
      { 'ws-1': 'mkdir out; for i in 0 1 2 3 4 5 6 7 8 9; do head -c 10000000 /dev/urandom > out/$i; done' },
      { 'ws-1': { outputs: ['out/*'] } },
    );
    await startWorker(server.url, 'host-a');
    const before = await memoryOf(server, 'used_memory');
    await succeeds(project.run(server.url));
    const out = join(project.folder, 'out');
    expect(readdirSync(out).map((name) => statSync(join(out, name)).size)).toEqual(
      Array.from({ length: 10 }, () => 10_000_000),
    );
    expect(await memoryOf(server, 'used_memory_peak')).toBeGreaterThan(100_000_000);
    await expect.poll(() => memoryOf(server, 'used_memory')).toBeLessThan(before + 2_000_000);
  });
});

async function memoryOf({ client }: RedisServer, field: string): Promise<number> {
  const info = await client.info('memory');
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
}

/** A whole run over two hosts, each a process of its own, one of whose parts is killed half way. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { millrace, type Started, startMillrace, writeFiles } from '../kit/command.ts';
import { isLiving } from '../kit/is-living.ts';
import { startWorker } from '../kit/queue-worker.ts';
import { hasRedis, QUEUE_KEY, RedisServer } from '../kit/redis.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const COUNT = 8;

/** No host is to be taken for lost, however long the machine keeps it waiting. */
const LONG_LEASE = { leaseSeconds: 60 };

interface Start {
  id: string;
  /** Of the shell that executes it. */
  pid: number;
}

/** A project of workstreams that note their starts, and end when they are let go on. */
class Project {
  readonly folder = temporaryFolder();
  /** Outside the project, at one place for all hosts. */
  readonly #notes = temporaryFolder();

  constructor() {
    const file = (name: string): string => join(this.#notes, name);
    const command = (id: string): string =>
      `echo ${id} $$ >> ${file('starts')}; while [ ! -e ${file('go')} ]; do sleep 0.02; done`;
    const ids = Array.from({ length: COUNT }, (_, index) => `ws-${index + 1}`);
    writeFiles(
      this.folder,
      Object.fromEntries(
        ids.map((id) => [`workstreams/${id}.json`, { id, title: id, steps: [{ run: command(id) }] }]),
      ),
    );
  }

  run(url: string, ...args: string[]): Started {
    const started = startMillrace(this.folder, ['run', '--queue', url, '-j', '2', ...args], {
      MILLRACE_QUEUE_KEY: QUEUE_KEY,
    });
    onTestFinished(() => {
      if (started.child.exitCode === null && started.child.signalCode === null) started.killAll();
    });
    return started;
  }

  starts(): Start[] {
    const path = join(this.#notes, 'starts');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    return lines.map((line) => {
      const [id = '', pid] = line.split(' ');
      return { id, pid: Number(pid) };
    });
  }

  /** Ids of what has begun more than once. */
  repeated(): string[] {
    const ids = this.starts().map(({ id }) => id);
    return ids.filter((id, index) => ids.indexOf(id) !== index);
  }

  goOn(): void {
    writeFileSync(join(this.#notes, 'go'), '');
  }
}

async function startServer(): Promise<RedisServer> {
  const server = await RedisServer.start({ aof: true });
  onTestFinished(() => server.close());
  return server;
}

const statusesIn = (folder: string): string[] =>
  query<{ status: string }>(folder, 'SELECT status FROM agent_results').map(({ status }) => status);
const allCompleted = Array.from({ length: COUNT }, () => 'completed');

describe.skipIf(!hasRedis)('a run over two hosts completes everything', () => {
  test('when one of them is killed: only what that had in hand begins twice', async () => {
    const server = await startServer();
    const project = new Project();
    const first = await startWorker(server.url, 'host-a');
    const run = project.run(server.url);
    await expect.poll(() => project.starts()).toHaveLength(1);
    const [inHand] = project.starts();
    await startWorker(server.url, 'host-b');
    await expect.poll(() => project.starts()).toHaveLength(2);
    first.child.kill('SIGKILL');
    await expect.poll(() => isLiving(inHand?.pid ?? 0)).toBe(false);
    project.goOn();
    const { code, stdout, stderr } = await run.finished;
    expect(code, stdout + stderr).toBe(0);
    expect(statusesIn(project.folder)).toEqual(allCompleted);
    expect(project.repeated()).toEqual([inHand?.id]);
    const print = async (...args: string[]): Promise<string> => (await millrace(project.folder, args)).stdout;
    const hosts: { host: string; workstreams: number }[] = JSON.parse(
      await print('show', 'latest', '--json'),
    ).hosts;
    expect(hosts.map(({ host }) => host)).toContain('host-b');
    expect(hosts.reduce((sum, { workstreams }) => sum + workstreams, 0)).toBe(COUNT);
    expect(JSON.parse(await print('status', '--json')).hosts).toEqual(hosts);
    expect(await print('show', 'latest')).toMatch(/^host +agents +workstreams/m);
    expect(await print('status')).toMatch(/^host +agents +workstreams/m);
  });

  test('when the run is killed and resumed: nothing begins twice', async () => {
    const server = await startServer();
    const project = new Project();
    await startWorker(server.url, 'host-a', LONG_LEASE);
    await startWorker(server.url, 'host-b', LONG_LEASE);
    const killed = project.run(server.url);
    await expect.poll(() => project.starts()).toHaveLength(2);
    killed.killAll();
    await killed.finished;
    const resumed = project.run(server.url, '--resume');
    project.goOn();
    const { code, stdout, stderr } = await resumed.finished;
    expect(code, stdout + stderr).toBe(0);
    expect(statusesIn(project.folder)).toEqual(allCompleted);
    expect(project.repeated()).toEqual([]);
  });

  test('when Redis is killed and started again with what it had: nothing begins twice', async () => {
    const server = await startServer();
    const project = new Project();
    await startWorker(server.url, 'host-a', LONG_LEASE);
    await startWorker(server.url, 'host-b', LONG_LEASE);
    const run = project.run(server.url);
    await expect.poll(() => project.starts()).toHaveLength(2);
    await server.kill();
    await server.start();
    project.goOn();
    const { code, stdout, stderr } = await run.finished;
    expect(code, stdout + stderr).toBe(0);
    expect(statusesIn(project.folder)).toEqual(allCompleted);
    expect(project.repeated()).toEqual([]);
    await expect.poll(() => server.client.keys('millrace:v1:n*')).toEqual([]);
  });
});

test.skipIf(!hasRedis)(
  'workstreams with a label that one host provides wait for it, the others go on beside them, and agents are those of hosts',
  async () => {
    const server = await startServer();
    const [folder, notes] = [temporaryFolder(), temporaryFolder()];
    const go = join(notes, 'go');
    const define = (id: string, command: string, more: object): Record<string, unknown> => ({
      [`workstreams/${id}.json`]: { id, title: id, steps: [{ run: command }], ...more },
    });
    const labelled = ['gpu-1', 'gpu-2', 'gpu-3', 'gpu-4', 'gpu-5', 'gpu-6'].map((id) =>
      define(id, `while [ ! -e ${go} ]; do sleep 0.02; done`, {
        priority: 'critical',
        requires: ['gpu'],
      }),
    );
    const plain = ['plain-1', 'plain-2', 'plain-3', 'plain-4'].map((id) => define(id, 'true', {}));
    writeFiles(folder, Object.assign({}, ...labelled, ...plain));
    await startWorker(server.url, 'with-gpu', { args: ['--provides', 'gpu'] });
    await startWorker(server.url, 'without');
    const run = startMillrace(folder, ['run', '--queue', server.url, '-j', '4'], {
      MILLRACE_QUEUE_KEY: QUEUE_KEY,
    });
    onTestFinished(() => {
      if (run.child.exitCode === null && run.child.signalCode === null) run.killAll();
    });
    const ended = (): string[] =>
      existsSync(join(folder, '.state'))
        ? query<{ id: string }>(folder, 'SELECT workstream_id AS id FROM agent_results').map(({ id }) => id)
        : [];
    await expect.poll(() => ended().toSorted()).toEqual(['plain-1', 'plain-2', 'plain-3', 'plain-4']);
    writeFileSync(go, '');
    const { code, stdout, stderr } = await run.finished;
    expect(code, stdout + stderr).toBe(0);
    expect(ended()).toHaveLength(10);
    const [{ agents } = { agents: 0 }] = query<{ agents: number }>(
      folder,
      "SELECT execution_summary ->> 'agents_count' AS agents FROM consolidated_runs",
    );
    expect(agents).toBe(2);
  },
);

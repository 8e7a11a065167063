/** How the files of a project, and the connection to Redis, come to be what a run and its hosts are told. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { QueueProject, succeeds } from '../kit/queue-project.ts';
import { startWorker } from '../kit/queue-worker.ts';
import { hasRedis, QUEUE_KEY, RedisProxy, RedisServer, type RedisServerOptions } from '../kit/redis.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

async function startServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  onTestFinished(() => server.close());
  return server;
}

/** Commits what is in a folder. */
function commit(folder: string): void {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { cwd: folder });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'all');
}

describe.skipIf(!hasRedis)('the files of a project', () => {
  test('are those of the commit with --source git:URL, without what was changed since', async () => {
    const server = await startServer();
    const project = new QueueProject({ 'ws-1': 'cat a.txt > $SHARED/found; pwd > $SHARED/where' });
    writeFiles(project.folder, { 'a.txt': 'committed', '.gitignore': '.state\nreports\n' });
    commit(project.folder);
    writeFiles(project.folder, { 'a.txt': 'changed' });
    await startWorker(server.url, 'host-a');
    const run = project.run(server.url, '--source', `git:${project.folder}`);
    await succeeds(run);
    expect(project.lines('found')).toEqual(['committed']);
    expect(project.lines('where')).not.toEqual([project.folder]);
    expect((await run.finished).stdout).toMatch(
      /Hosts get the commit [0-9a-f]{12}, without what was changed/,
    );
  });

  test('are those of the same folder on all hosts with --source shared, where what is made stays', async () => {
    const server = await startServer();
    const project = new QueueProject({ 'ws-1': 'cat a.txt > made.txt' });
    writeFiles(project.folder, { 'a.txt': 'here' });
    await startWorker(server.url, 'host-a');
    await succeeds(project.run(server.url, '--source', 'shared'));
    expect(readFileSync(join(project.folder, 'made.txt'), 'utf8')).toBe('here');
  });

  test('are prepared once on a host, whatever workstreams and agents it has, and by none in the project', async () => {
    const server = await startServer();
    const ids = Array.from({ length: 6 }, (_, index) => `ws-${index}`);
    const project = new QueueProject(
      Object.fromEntries(ids.map((id) => [id, 'cat prepared.txt'])),
      Object.fromEntries(ids.map((id) => [id, { files_scope: [`${id}/**`] }])),
    );
    const setup = `echo x >> ${project.shared}/setups; echo prepared > prepared.txt`;
    writeFiles(project.folder, { 'millrace.config.json': { worktree: { setup } } });
    await startWorker(server.url, 'host-a', { agents: 2 });
    await succeeds(project.run(server.url, '-j', '2'));
    expect(project.lines('setups')).toEqual(['x']);
  });

  test('whose preparation fails fail what needs them, and the run ends', async () => {
    const server = await startServer();
    const project = new QueueProject({ 'ws-1': 'true', 'ws-2': 'true' });
    writeFiles(project.folder, {
      'millrace.config.json': { worktree: { setup: 'echo no network; exit 7' } },
    });
    await startWorker(server.url, 'host-a');
    const { code, stdout } = await project.run(server.url).finished;
    expect(code).toBe(1);
    expect(project.results()).toEqual({ 'ws-1': 'workspace-error', 'ws-2': 'workspace-error' });
    expect(stdout).toContain('ended with exit code 7: no network');
  });
});

describe.skipIf(!hasRedis)('the heap of an agent', () => {
  test('is as large as `worker --agent-memory` says', async () => {
    const server = await startServer();
    const project = new QueueProject({});
    writeFiles(project.folder, {
      'heap.mjs': `
        import { writeFileSync } from 'node:fs';
        import { resourceLimits } from 'node:worker_threads';
        export default () => writeFileSync('${project.shared}/limit', String(resourceLimits.maxOldGenerationSizeMb));`,
      'workstreams/ws-1.json': { id: 'ws-1', title: 'ws-1', steps: [{ module: '../heap.mjs' }] },
    });
    await startWorker(server.url, 'host-a', { args: ['--agent-memory', '77'] });
    await succeeds(project.run(server.url));
    expect(project.lines('limit')).toEqual(['77']);
  });
});

describe.skipIf(!hasRedis)('Redis with TLS', () => {
  test('serves a run and its hosts that are told its authority, and is refused without that', async () => {
    const { authority, options } = certificates();
    const port = await freePort();
    await startServer({ extra: ['--tls-port', String(port), ...options] });
    const url = `rediss://localhost:${port}`;
    const project = new QueueProject({ 'ws-1': 'true' });
    await startWorker(url, 'host-a', { args: ['--queue-ca', authority] });
    await succeeds(project.run(url, '--queue-ca', authority));
    const { code, stdout } = await project.run(url).finished;
    expect(code).toBe(2);
    expect(stdout).toMatch(/can't be used: .*(certificate|self-signed)/);
  });
});

/** One that nothing listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}

/** An authority of its own, and options of a server with a certificate that it has signed. */
function certificates(): { authority: string; options: string[] } {
  const folder = temporaryFolder();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const request = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(...request, '-x509', '-days', '2', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  openssl(...request, '-subj', '/CN=localhost', '-keyout', 'redis.key', '-out', 'redis.csr');
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
  const sign = ['x509', '-req', '-in', 'redis.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
  openssl(...sign, '-days', '2', '-extfile', 'names', '-out', 'redis.crt');
  const file = (name: string): string => join(folder, name);
  const flags = {
    'tls-cert-file': file('redis.crt'),
    'tls-key-file': file('redis.key'),
    'tls-ca-cert-file': file('ca.crt'),
    'tls-auth-clients': 'no',
  };
  const options = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  return { authority: file('ca.crt'), options };
}

describe.skipIf(!hasRedis)('the user of docs/distributed.md', () => {
  test('is enough for runs, hosts and `workers`, and reaches no other key, channel or command', async () => {
    const line = /^user millrace on >PASSWORD .*$/m.exec(readDoc())?.[0] ?? '';
    expect(line).not.toBe('');
    const server = await startServer();
    const words = line.replace('>PASSWORD', '>p4ssword-of-millrace').split(' ').slice(1);
    await server.client.call('ACL', 'SETUSER', ...words);
    await server.client.call('ACL', 'SETUSER', 'default', 'off');
    const proxy = await RedisProxy.to(server);
    onTestFinished(() => proxy.close());
    const url = proxy.url.replace('redis://', 'redis://millrace:p4ssword-of-millrace@');
    const project = new QueueProject(
      { 'ws-1': 'mkdir out; head -c 200000 /dev/urandom > out/a', 'ws-2': 'true' },
      { 'ws-1': { outputs: ['out/*'] }, 'ws-2': { requires: ['gpu'] } },
    );
    await startWorker(url, 'host-a', { args: ['--provides', 'gpu'] });
    const listed = await millrace(project.folder, ['workers', '--queue', url], {
      MILLRACE_QUEUE_KEY: QUEUE_KEY,
    });
    expect(listed.stdout).toContain('host-a');
    await succeeds(project.run(url));
    const user = new Redis(url);
    onTestFinished(() => user.disconnect());
    for (const [command, ...args] of FORBIDDEN)
      await expect(user.call(command, ...args), command).rejects.toThrow('NOPERM');
  });
});

const FORBIDDEN: [string, ...string[]][] = [
  ['GET', 'other'],
  ['SET', 'other', '1'],
  ['PUBLISH', 'other', '1'],
  ['EVAL', "return redis.call('GET', KEYS[1])", '1', 'other'],
  ['FLUSHALL'],
  ['KEYS', 'millrace:*'],
  ['CONFIG', 'GET', '*'],
  ['ACL', 'LIST'],
  ['MONITOR'],
  ['SHUTDOWN'],
];

const readDoc = (): string => readFileSync(new URL('../../docs/distributed.md', import.meta.url), 'utf8');

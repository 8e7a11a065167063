/** The shipped workstreams over two machines, each with a network of its own. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { bin, cleanEnvironment, writeFiles } from '../kit/command.ts';
import { makeNetwork, whyNoNamespaces } from '../kit/network-namespaces.ts';
import { QueueProject } from '../kit/queue-project.ts';
import { startWorker } from '../kit/queue-worker.ts';
import { hasRedis, QUEUE_KEY, RedisServer } from '../kit/redis.ts';

if (whyNoNamespaces !== null) console.warn(`The test of two machines is skipped: ${whyNoNamespaces}.`);

const repository = fileURLToPath(new URL('../../', import.meta.url));
const PORT = 6379;

test.skipIf(!hasRedis || whyNoNamespaces !== null)(
  'two machines complete the shipped workstreams, one of which loses its cable and is killed half way',
  async () => {
    const { hub, machines } = makeNetwork(2);
    const extra = ['--port', String(PORT), '--protected-mode', 'no'];
    const server = await RedisServer.start({ aof: true, within: hub.within, extra });
    onTestFinished(() => server.close());
    const url = `redis://${hub.address}:${PORT}`;
    const [first, second] = await Promise.all(
      machines.map(({ within }, index) => startWorker(url, `machine-${index + 1}`, { within })),
    );
    const project = new QueueProject({});
    const completed = (): number =>
      Object.values(project.results()).filter((result) => result === 'completed').length;
    for (const name of ['workstreams', 'docs', 'src', 'README.md', 'package.json', 'tsconfig.json'])
      cpSync(join(repository, name), join(project.folder, name), { recursive: true });
    // Installing all packages would take minutes: most are links, and some are there for those workstreams that read them.
    const packages = join(repository, 'node_modules');
    const setup = `mkdir node_modules && cd node_modules && ln -s ${packages}/* . && rm zod pino yargs && cp -r ${packages}/zod ${packages}/pino ${packages}/yargs .`;
    writeFiles(project.folder, { 'millrace.config.json': { worktree: { setup } } });
    const run = startRun(project.folder, url, hub.within);
    await expect.poll(() => completed(), { timeout: 120_000 }).toBeGreaterThan(12);
    machines[1]?.unplug();
    second?.child.kill('SIGKILL');
    const { code, output } = await run;
    const failed = output.split('\n').filter((line) => line.includes('"status":"failed"'));
    expect(failed).toEqual([]);
    expect(code, output).toBe(0);
    expect(completed()).toBe(27);
    expect(first?.child.exitCode).toBeNull();
  },
  240_000,
);

async function startRun(
  folder: string,
  url: string,
  within: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const [program, ...args] = [...within, process.execPath, bin, 'run', '--queue', url, '-j', '2'];
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...cleanEnvironment(), MILLRACE_QUEUE_KEY: QUEUE_KEY },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  onTestFinished(() => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  await once(child, 'close');
  return { code: child.exitCode, output };
}

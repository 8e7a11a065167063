import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { millrace } from '../kit/command.ts';
import { startWorker } from '../kit/queue-worker.ts';
import { hasRedis, QUEUE_KEY, RedisServer } from '../kit/redis.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

describe.skipIf(!hasRedis)('millrace workers', () => {
  test('says as JSON who is there, and names apart those who have another key', async () => {
    const server = await RedisServer.start();
    onTestFinished(() => server.close());
    await startWorker(server.url, 'host-a');
    const workers = (key: string) =>
      millrace(temporaryFolder(), ['workers', '--queue', server.url, '--json'], { MILLRACE_QUEUE_KEY: key });
    const known = await workers(QUEUE_KEY);
    expect(JSON.parse(known.stdout)).toMatchObject({
      version: 1,
      hosts: [{ host: 'host-a', slots: 1, inHand: [], provides: [], draining: false }],
      strangers: [],
    });
    const unknown = await workers('f'.repeat(64));
    expect(JSON.parse(unknown.stdout)).toMatchObject({ hosts: [], strangers: ['host-a'] });
  });

  test('says why Redis can not be asked, and exits with 2', async () => {
    const url = `unix://${temporaryFolder()}/none`;
    const { code, stderr } = await millrace(temporaryFolder(), ['workers', '--queue', url], {
      MILLRACE_QUEUE_KEY: QUEUE_KEY,
    });
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(/none can't be asked: .*ENOENT/);
  });
});

describe.skipIf(!hasRedis)('millrace worker', () => {
  test('keeps the code that was compiled for it while it goes on: it may never end by itself', async () => {
    const server = await RedisServer.start();
    onTestFinished(() => server.close());
    const cache = temporaryFolder();
    const folder = join(cache, 'millrace');
    const { child } = await startWorker(server.url, 'host-a', {
      env: { XDG_CACHE_HOME: cache, NODE_V8_COVERAGE: undefined },
    });
    const kept = (): string[] => (existsSync(folder) ? readdirSync(folder) : []);
    await expect
      .poll(kept, { timeout: 30_000 })
      .toContainEqual(expect.stringMatching(/^queue-worker-.*(?<!tmp)$/));
    expect(child.exitCode).toBeNull();
  });
});

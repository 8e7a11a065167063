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

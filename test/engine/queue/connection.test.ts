import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { closeConnection, openConnection } from '../../../src/engine/queue/connection.ts';
import { hasRedis, RedisServer } from '../../kit/redis.ts';

const timers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

describe.skipIf(!hasRedis)('a connection to Redis', () => {
  test('that is closed twice leaves no timer that keeps its process from ending', async () => {
    const server = await RedisServer.start();
    onTestFinished(() => server.close());
    const redis = openConnection({ url: server.url, caFile: null }, 'test');
    await redis.ping();
    closeConnection(redis);
    await once(redis, 'end');
    const before = timers();
    closeConnection(redis);
    expect(timers()).toBe(before);
  });
});

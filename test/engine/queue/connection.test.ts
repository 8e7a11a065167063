import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { closeConnection, openConnection, unlessClosed } from '../../../src/engine/queue/connection.ts';
import { hasRedis, RedisServer } from '../../kit/redis.ts';

const timers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

/** Resolves with an event, whatever errors come before it: each attempt to reach a server that is away is one. */
const told = (redis: Redis, event: 'connect' | 'reconnecting'): Promise<void> =>
  new Promise((resolve) => redis.once(event, () => resolve()));

describe.skipIf(!hasRedis)('a connection to Redis', () => {
  test('that is closed twice leaves no timer that keeps its process from ending', async () => {
    const { redis } = await connected();
    closeConnection(redis);
    await once(redis, 'end');
    const before = timers();
    closeConnection(redis);
    expect(timers()).toBe(before);
  });

  test('that is closed between two attempts to reach Redis fails what waits for it', async () => {
    const { server, redis } = await connected();
    const between = told(redis, 'reconnecting');
    await server.kill();
    await between;
    const waiting = redis.ping();
    closeConnection(redis);
    await expect(waiting).rejects.toThrow('Connection is closed');
    expect(redis.status).toBe('end');
  });

  test('that is closed before it is ready again fails what was sent before it was lost', async () => {
    const { server, redis } = await connected();
    const answer = unlessClosed(redis, redis.blpop('nothing', 0));
    await server.kill();
    const back = told(redis, 'connect');
    await server.start();
    await back;
    closeConnection(redis);
    await expect(answer).rejects.toThrow('Connection is closed');
  });
});

async function connected() {
  const server = await RedisServer.start();
  onTestFinished(() => server.close());
  const redis = openConnection({ url: server.url, caFile: null }, 'test');
  redis.on('error', () => undefined);
  await redis.ping();
  return { server, redis };
}

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Bodies, gathered, MissingBody } from '../../../src/engine/queue/bodies.ts';
import { BrokenSeal, QueueKey } from '../../../src/engine/queue/sealing.ts';

const KEY = new QueueKey('0123456789abcdef0123456789abcdef');

/** What Redis would hold, by key. */
class Held {
  readonly values = new Map<string, Buffer>();
  readonly set = async (key: string, value: Buffer) => this.values.set(key, value);
  readonly getBuffer = async (key: string) => this.values.get(key) ?? null;
  readonly pexpire = async (key: string) => (this.values.has(key) ? 1 : 0);
  readonly unlink = async (...keys: string[]) => keys.forEach((key) => this.values.delete(key));
}

const start = (key = KEY) => {
  const redis = new Held();
  return { redis, bodies: new Bodies(redis, key, 'test:body', 1_000) };
};

test('a content of many chunks is read as it was stored, however it came', async () => {
  const { redis, bodies } = start();
  const content = randomBytes(3_500_000);
  const ids = await bodies.store('job', [content.subarray(0, 10), content.subarray(10)]);
  expect(ids).toHaveLength(4);
  expect((await gathered(bodies.read('job', ids))).equals(content)).toBe(true);
  expect([...redis.values.values()].some((sealed) => sealed.includes(content.subarray(0, 100)))).toBe(false);
});

test('an empty content has no chunks', async () => {
  const { bodies } = start();
  expect(await bodies.store('job', [])).toEqual([]);
  expect(await gathered(bodies.read('job', []))).toHaveLength(0);
});

test('chunks of one owner are removed without those of another that has the same content', async () => {
  const { bodies } = start();
  const ids = await bodies.store('one', [Buffer.from('same')]);
  await bodies.store('other', [Buffer.from('same')]);
  await bodies.remove('one', ids);
  await expect(gathered(bodies.read('one', ids))).rejects.toThrow(MissingBody);
  expect((await gathered(bodies.read('other', ids))).toString()).toBe('same');
});

test('a chunk that was changed, or put in the place of another, does not open', async () => {
  const { redis, bodies } = start();
  const [one = ''] = await bodies.store('job', [Buffer.from('one')]);
  const [other = ''] = await bodies.store('job', [Buffer.from('other')]);
  redis.values.set(`test:body:job:${one}`, redis.values.get(`test:body:job:${other}`) ?? Buffer.alloc(0));
  await expect(gathered(bodies.read('job', [one]))).rejects.toThrow(BrokenSeal);
});

test('what is published is read by the name of its owner, and only as a whole', async () => {
  const { redis, bodies } = start();
  const content = randomBytes(1_500_000);
  await bodies.publish('snapshot', [content]);
  expect(await gathered(bodies.published('snapshot'))).toEqual(content);
  expect(await bodies.keepPublished('snapshot')).toBe(true);
  await expect(gathered(bodies.published('another'))).rejects.toThrow(MissingBody);
  redis.values.delete([...redis.values.keys()][0] ?? '');
  expect(await bodies.keepPublished('snapshot')).toBe(false);
  await expect(gathered(bodies.published('snapshot'))).rejects.toThrow(MissingBody);
});

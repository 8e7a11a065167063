import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BrokenSeal, QueueKey, QueueKeyProblem, readQueueKey } from '../../../src/engine/queue/sealing.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const SECRET = '0123456789abcdef0123456789abcdef';
const key = new QueueKey(SECRET);
const job = { job: 'run.ws.1', direction: 'to-host' } as const;
const text = Buffer.from('an assignment');

describe('a sealed value', () => {
  test('opens with the same key for the same job', () => {
    const sealed = key.seal(job, text);
    expect(new QueueKey(SECRET).open(job, sealed)).toEqual(text);
  });

  test('has nothing of its content in it, and is another one each time', () => {
    const [one, other] = [key.seal(job, text), key.seal(job, text)];
    expect(one.includes(text)).toBe(false);
    expect(one.equals(other)).toBe(false);
  });

  test.each([
    ['for another job', { ...job, job: 'run.ws.2' }],
    ['the other way', { ...job, direction: 'to-run' as const }],
  ])('does not open %s', (_name, context) => {
    expect(() => key.open(context, key.seal(job, text))).toThrow(BrokenSeal);
  });

  test('does not open with another key', () => {
    const other = new QueueKey('another secret of enough characters');
    expect(() => other.open(job, key.seal(job, text))).toThrow(BrokenSeal);
  });

  test('does not open when a single bit of it was changed, or a part is missing', () => {
    const sealed = key.seal(job, text);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => key.open(job, changed)).toThrow(BrokenSeal);
      expect(() => key.open(job, sealed.subarray(0, at))).toThrow(BrokenSeal);
    }
  });
});

describe('the name of a content', () => {
  test('is the same for the same content and key only', () => {
    expect(key.idOf(text)).toBe(new QueueKey(SECRET).idOf(text));
    expect(key.idOf(text)).not.toBe(key.idOf(Buffer.from('another')));
    expect(key.idOf(text)).not.toBe(new QueueKey('another secret of enough characters').idOf(text));
  });
});

test('the mark of a key tells it from others', () => {
  expect(key.mark).toBe(new QueueKey(SECRET).mark);
  expect(key.mark).not.toBe(new QueueKey('another secret of enough characters').mark);
});

describe('the key of the queue', () => {
  const fileWith = (content: string, mode: number): string => {
    const file = join(temporaryFolder(), 'queue.key');
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  };

  test('comes from the variable, which nothing inherits afterwards', () => {
    const environment = { MILLRACE_QUEUE_KEY: `${SECRET}\n`, OTHER: 'x' };
    expect(readQueueKey(null, environment).idOf(text)).toBe(key.idOf(text));
    expect(environment).toEqual({ OTHER: 'x' });
  });

  test('comes from a file, whatever the variable says', () => {
    const environment = { MILLRACE_QUEUE_KEY: 'another secret of enough characters' };
    expect(readQueueKey(fileWith(`${SECRET}\n`, 0o600), environment).idOf(text)).toBe(key.idOf(text));
    expect(environment).toEqual({});
  });

  test('is refused where others may read its file', () => {
    expect(() => readQueueKey(fileWith(SECRET, 0o640), {})).toThrow(/mode 640.*chmod 600/);
  });

  test('is to be made where there is none, and to be given to its user where that can not read it', () => {
    expect(() => readQueueKey('/nowhere/queue.key', {})).toThrow(/ENOENT.*Make one with/);
    const folder = temporaryFolder();
    chmodSync(folder, 0o700);
    expect(() => readQueueKey(folder, {})).toThrow(/EISDIR.*belongs to the user of this process\.$/);
  });

  test('is refused where it is missing or short', () => {
    expect(() => readQueueKey(null, {})).toThrow(QueueKeyProblem);
    expect(() => readQueueKey(null, { MILLRACE_QUEUE_KEY: 'short' })).toThrow(/has 5 characters/);
    expect(() => readQueueKey('/nowhere/queue.key', {})).toThrow(/can't be read/);
  });
});

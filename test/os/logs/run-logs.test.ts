/** What all workstreams of a run print, from files that are written meanwhile. */
import { appendFileSync, linkSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { formatPosition, parsePosition } from '../../../src/os/logs/logs-position.ts';
import {
  ALL_THERE_IS,
  type BeginOfLogs,
  begunAt,
  followedLogs,
  type LogPart,
  type LogsOfRun,
  logsWithPositions,
} from '../../../src/os/logs/run-logs.ts';
import { seededRandom } from '../../kit/random.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

async function all(logs: LogsOfRun): Promise<LogPart[]> {
  const parts: LogPart[] = [];
  for await (const part of followedLogs(logs)) parts.push(part);
  return parts;
}

/** Logs of a run that is over. */
async function read(logs: Record<string, string>, begin: BeginOfLogs = ALL_THERE_IS): Promise<LogPart[]> {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(logs)) writeFileSync(join(folder, name), text);
  return all({ folder, begin, hasEnded: () => true, isOver: () => true });
}

const textsOf = (parts: readonly LogPart[]): string[] =>
  parts.map(({ workstreamId, text }) => `${workstreamId}: ${text}`);

/** The texts of a log that is written between looks, one change at each; over after the last. */
async function written(changes: readonly ((folder: string) => void)[], begin = ALL_THERE_IS) {
  const folder = temporaryFolder();
  const left = [...changes];
  const next = (): void => left.shift()?.(folder);
  const logs = { folder, begin, hasEnded: () => false, isOver: () => left.length === 0, onWait: next };
  return all(logs);
}

const append =
  (text: string, name = 'ws-a.log') =>
  (folder: string) =>
    appendFileSync(join(folder, name), text);

describe('the logs of a run', () => {
  test('are read in whole lines, with the workstream of each, also of later attempts', async () => {
    const parts = await read({ 'ws-a.log': 'one\ntwo\n', 'ws-a.2.log': 'again' });
    expect(textsOf(parts).toSorted()).toEqual(['ws-a: again', 'ws-a: one\ntwo\n']);
  });

  test('begin with the last lines of each, where so many are asked for', async () => {
    const parts = await read({ 'ws-a.log': '1\n2\n3\n4\n' }, { ...ALL_THERE_IS, lines: 2 });
    expect(parts).toMatchObject([{ from: 4, to: 8, text: '3\n4\n' }]);
  });

  test('begin with the last lines also of those that are still written', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'ws-a.log'), '1\n2\n3\n4\n');
    const parts: LogPart[] = [];
    const begin = { ...ALL_THERE_IS, lines: 2 };
    const logs = { folder, begin, hasEnded: () => false, isOver: () => parts.length > 0 };
    for await (const part of followedLogs(logs)) parts.push(part);
    expect(parts).toMatchObject([{ from: 4, to: 8, text: '3\n4\n' }]);
  });

  test('begin with whole lines of at most so many bytes', async () => {
    const parts = await read({ 'ws-a.log': '1234\n5678\n90\n' }, { ...ALL_THERE_IS, lines: 9, bytes: 10 });
    expect(parts).toMatchObject([{ from: 5, text: '5678\n90\n' }]);
  });

  test('begin within a line that has no end, where it is too long', async () => {
    const parts = await read({ 'ws-a.log': 'x'.repeat(1000) }, { ...ALL_THERE_IS, lines: 9, bytes: 10 });
    expect(parts).toMatchObject([{ from: 990, to: 1000 }]);
  });

  test('are read in whole characters, where a line is so long that it comes in parts', async () => {
    const text = `x${'🔥é'.repeat(100_000)}`;
    const parts = await read({ 'ws-a.log': `${text}\n` });
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.filter((part) => part.text.includes('\uFFFD'))).toEqual([]);
    expect(parts.map((part) => part.text).join('') === `${text}\n`).toBe(true);
  });

  test('begin with a whole character of a line that is too long', async () => {
    const parts = await read({ 'ws-a.log': '🔥🔥🔥' }, { ...ALL_THERE_IS, lines: 9, bytes: 10 });
    expect(parts).toMatchObject([{ from: 4, to: 12, text: '🔥🔥' }]);
  });

  test('begin with those that are still written, and with so many of the others', async () => {
    const folder = temporaryFolder();
    for (const id of ['a', 'b', 'c', 'd']) writeFileSync(join(folder, `${id}.log`), `${id}\n`);
    let looks = 0;
    const parts = await all({
      folder,
      begin: { ...ALL_THERE_IS, ended: 1 },
      hasEnded: (id) => id !== 'a',
      isOver: () => looks++ > 0,
    });
    expect(parts.map(({ workstreamId }) => workstreamId).toSorted()).toEqual(['a', 'd']);
  });

  test('are followed: what is added, and logs that are begun later', async () => {
    const parts = await written([append('one\n'), append('two\n'), append('other\n', 'ws-b.log')]);
    const of = (id: string): string =>
      parts.flatMap(({ workstreamId, text }) => (workstreamId === id ? [text] : [])).join('');
    expect([of('ws-a'), of('ws-b')]).toEqual(['one\ntwo\n', 'other\n']);
  });

  test('tell a file from another one of the same name that replaces it', async () => {
    const replace = (folder: string): void => {
      rmSync(join(folder, 'ws-a.log'));
      append('anew\n')(folder);
    };
    const wait = Array.from({ length: 8 }, () => () => undefined);
    const parts = await written([append('first\n'), ...wait, replace]);
    expect(parts.map(({ text, from }) => [text, from])).toEqual([
      ['first\n', 0],
      ['anew\n', 0],
    ]);
    expect(new Set(parts.map(({ log }) => log)).size).toBe(2);
  });

  test('are no links, and no other names of files elsewhere', async () => {
    const secret = join(temporaryFolder(), 'secret');
    writeFileSync(secret, 'secret\n');
    const link = (folder: string): void => {
      symlinkSync(secret, join(folder, 'ws-a.log'));
      linkSync(secret, join(folder, 'ws-b.log'));
    };
    expect(await written([link])).toEqual([]);
  });

  test('end early where nobody reads them any more', async () => {
    const folder = temporaryFolder();
    const aborter = new AbortController();
    const { signal } = aborter;
    const onWait = (): void => aborter.abort();
    const logs = { folder, begin: ALL_THERE_IS, hasEnded: () => false, isOver: () => false, onWait, signal };
    expect(await all(logs)).toEqual([]);
  });
});

/** Readers of one folder, each of which goes on where the one before was left. */
class Readers {
  readonly folder = temporaryFolder();
  readonly ended = new Set<string>();
  /** What was read, by workstream. */
  readonly read = new Map<string, string>();
  position: string | null = null;
  #isOver = false;

  append(id: string, text: string): void {
    appendFileSync(join(this.folder, `${id}.log`), text);
  }

  /** Reads until all that is written is old enough to be read, or until the end; then it is left. */
  async next({ isOver = false, looks = 8, begin = ALL_THERE_IS } = {}): Promise<void> {
    this.#isOver = isOver;
    const aborter = new AbortController();
    let left = looks;
    const logs: LogsOfRun = {
      folder: this.folder,
      begin,
      after: this.position === null ? null : parsePosition(this.position),
      hasEnded: (id) => this.ended.has(id),
      isOver: () => this.#isOver,
      onWait: () => void (--left <= 0 && aborter.abort()),
      signal: aborter.signal,
    };
    for await (const part of logsWithPositions(logs)) {
      if (typeof part === 'string') this.position = part;
      else this.read.set(part.workstreamId, (this.read.get(part.workstreamId) ?? '') + part.text);
    }
  }
}

/** Waits until files that are made now are seen to be younger than those that there are. */
async function laterFiles(folder: string): Promise<void> {
  const probe = join(folder, 'probe');
  writeFileSync(probe, '');
  const first = begunAt(probe);
  do {
    rmSync(probe);
    await setImmediate();
    writeFileSync(probe, '');
  } while (begunAt(probe) < first + 100);
  rmSync(probe);
}

describe('a reader that goes on where another was', () => {
  test('reads each line once, of logs that are written, that have ended, and that were begun meanwhile', async () => {
    const random = seededRandom(7);
    const readers = new Readers();
    const written = new Map<string, string>();
    for (let round = 0; round < 6; round += 1) {
      for (let number = 0; number < 4 * (round + 1); number += 1) {
        const id = `ws-${number}`;
        if (readers.ended.has(id)) continue;
        const text = `${id} in round ${round}\n`.repeat(1 + Math.floor(random() * 3));
        readers.append(id, text);
        written.set(id, (written.get(id) ?? '') + text);
        if (random() < 0.2) readers.ended.add(id);
      }
      await readers.next();
    }
    await readers.next({ isOver: true });
    expect(Object.fromEntries(readers.read)).toEqual(Object.fromEntries(written));
  });

  test('reads a file from its begin that another one has replaced, or that was emptied', async () => {
    const readers = new Readers();
    for (const id of ['ws-a', 'ws-b']) readers.append(id, `${id} of the first attempt, which is long\n`);
    await readers.next();
    rmSync(join(readers.folder, 'ws-a.log'));
    truncateSync(join(readers.folder, 'ws-b.log'));
    readers.read.clear();
    for (const id of ['ws-a', 'ws-b']) readers.append(id, `${id} anew\n`);
    await readers.next({ isOver: true });
    expect(Object.fromEntries(readers.read)).toEqual({ 'ws-a': 'ws-a anew\n', 'ws-b': 'ws-b anew\n' });
  });

  test('goes on also where a run was over that is resumed', async () => {
    const readers = new Readers();
    readers.append('ws-a', 'before\n');
    await readers.next({ isOver: true });
    readers.append('ws-a', 'after\n');
    readers.append('ws-b', 'new\n');
    await readers.next({ isOver: true });
    expect(Object.fromEntries(readers.read)).toEqual({ 'ws-a': 'before\nafter\n', 'ws-b': 'new\n' });
  });

  test('reads no log again that the first reader had left out as old', async () => {
    const readers = new Readers();
    const begin = { lines: 1, bytes: 100, ended: 1 };
    for (const id of ['ws-a', 'ws-b', 'ws-c']) {
      readers.append(id, `${id}\n`);
      readers.ended.add(id);
      await laterFiles(readers.folder);
    }
    await readers.next({ begin });
    await readers.next({ begin, isOver: true });
    expect([...readers.read.values()]).toEqual(['ws-c\n']);
  });
});

describe('a position', () => {
  const positionOf = (logs: number) => ({
    begun: 1_796_000_000_123,
    read: new Map(Array.from({ length: logs }, (_, index) => [9_000_000 + index, index * 1000])),
    isWhole: true,
  });

  test('is read as it was written', () => {
    const position = { ...positionOf(300), read: new Map([...positionOf(300).read, [5, null]]) };
    expect(parsePosition(formatPosition(position))).toEqual(position);
  });

  test('of more logs than it can name is as short as any, and says that there are others', () => {
    const text = formatPosition(positionOf(1000));
    expect(text.length).toBeLessThanOrEqual(6005);
    const parsed = parsePosition(text);
    expect(parsed?.isWhole).toBe(false);
    expect(parsed?.read.size).toBeGreaterThan(400);
  });

  test.each(['', '.', 'abc.', 'abc.1', 'abc.1-2-3', '12 ', 'a'.repeat(7000)])('is not %j', (text) => {
    expect(parsePosition(text)).toBeNull();
  });
});

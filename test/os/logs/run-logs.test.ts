/** What all workstreams of a run print, from files that are written meanwhile. */
import { appendFileSync, linkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ALL_THERE_IS,
  type BeginOfLogs,
  followedLogs,
  type LogPart,
  type LogsOfRun,
} from '../../../src/os/logs/run-logs.ts';
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

/** What the dashboard sends of files: logs of the run, and nothing else. */
import { linkSync, mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { followedLog } from '../../src/dashboard/logs.ts';
import { LogFile } from '../../src/os/logs/read-log.ts';
import { ask, bearer, served } from '../kit/dashboard-server.ts';
import { opened, RUN, record, result } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A dashboard with a run of which one workstream has this path of its log. */
async function withLog(logFile: string | null, make: (folder: string) => void = () => undefined) {
  const folder = temporaryFolder();
  record(opened(folder), [result('ws-a', { logFile })]);
  mkdirSync(logsOf(folder), { recursive: true });
  make(folder);
  return served(folder);
}

const logsOf = (folder: string): string => join(folder, '.state/logs', RUN);
const PATH = `/api/runs/${RUN}/logs/ws-a`;
const OWN = `.state/logs/${RUN}/ws-a.log`;

const writeLog = (text: string) => (folder: string) => writeFileSync(join(folder, OWN), text);

describe('a log', () => {
  test('is sent whole, as plain text', async () => {
    const dashboard = await withLog(OWN, writeLog('<b>one</b>\ntwo\n'));
    const { status, headers, text } = await ask(dashboard, PATH, { headers: bearer });
    expect([status, headers['content-type'], text]).toEqual([
      200,
      'text/plain; charset=utf-8',
      '<b>one</b>\ntwo\n',
    ]);
  });

  test('is sent from a byte on, and in ranges', async () => {
    const dashboard = await withLog(OWN, writeLog('0123456789'));
    expect((await ask(dashboard, `${PATH}?from=7`, { headers: bearer })).text).toBe('789');
    const range = (value: string) => ask(dashboard, PATH, { headers: { ...bearer, range: value } });
    expect(await range('bytes=2-4')).toMatchObject({ status: 206, text: '234' });
    expect(await range('bytes=-3')).toMatchObject({ status: 206, text: '789' });
    expect((await range('bytes=2-4')).headers['content-range']).toBe('bytes 2-4/10');
    expect((await range('bytes=20-')).status).toBe(416);
    expect((await range('bytes=-0')).status).toBe(416);
  });

  test.each(['lines=2-4', 'bytes=4-2', 'bytes=x', 'bytes=0-1,3-4'])(
    'is sent whole where its range is to be ignored: %s',
    async (range) => {
      const dashboard = await withLog(OWN, writeLog('0123456789'));
      const { status, headers, text } = await ask(dashboard, PATH, { headers: { ...bearer, range } });
      expect([status, headers['content-range'], text]).toEqual([200, undefined, '0123456789']);
    },
  );

  test('of any size is sent as fast as it is taken', async () => {
    const size = 20_000_000;
    const dashboard = await withLog(OWN, writeLog('x'.repeat(size)));
    const { text } = await ask(dashboard, PATH, { headers: bearer });
    expect(text.length).toBe(size);
  });
});

test.runIf(process.platform === 'linux')('a log that is only asked about is closed again', async () => {
  const dashboard = await withLog(OWN, writeLog('0123456789'));
  const { status, headers, text } = await ask(dashboard, PATH, { method: 'HEAD', headers: bearer });
  expect([status, headers['content-length'], text]).toEqual([200, '10', '']);
  expect(openFiles().filter((path) => path.endsWith(OWN))).toEqual([]);
});

/** Paths of what this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      // The folder itself was listed, and is closed again.
      return [];
    }
  });
}

describe('what is no log of the run', () => {
  test('is not sent: a workstream without one', async () => {
    expect((await ask(await withLog(null), PATH, { headers: bearer })).status).toBe(404);
  });

  test.each(['/etc/passwd', '../../../../etc/passwd', `${OWN}/../../../../../secret`, '..', ''])(
    'is not sent: the path %j in the database',
    async (path) => {
      const dashboard = await withLog(path, (folder) => writeFileSync(join(folder, 'secret'), 'secret'));
      expect((await ask(dashboard, PATH, { headers: bearer })).status).toBe(404);
    },
  );

  test('is not sent: a link in the place of the log', async () => {
    const dashboard = await withLog(OWN, (folder) => symlinkSync('/etc/passwd', join(folder, OWN)));
    expect((await ask(dashboard, PATH, { headers: bearer })).status).toBe(404);
  });

  test('is not sent: another name of a file elsewhere', async () => {
    const dashboard = await withLog(OWN, (folder) => {
      writeFileSync(join(folder, 'secret'), 'secret');
      linkSync(join(folder, 'secret'), join(folder, OWN));
    });
    expect((await ask(dashboard, PATH, { headers: bearer })).status).toBe(404);
  });

  test('is not sent: a link in the place of the folder of the run', async () => {
    const folder = temporaryFolder();
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, 'ws-a.log'), 'secret');
    record(opened(folder), [result('ws-a', { logFile: OWN })]);
    mkdirSync(join(folder, '.state/logs'), { recursive: true });
    symlinkSync(elsewhere, logsOf(folder));
    expect((await ask(await served(folder), PATH, { headers: bearer })).status).toBe(404);
  });

  test('is not sent: a file that the address names', async () => {
    const dashboard = await withLog(OWN, writeLog('log'));
    for (const name of ['..%2f..%2fmulti_agent_consolidated.db', '%2e%2e', 'ws-a.log', 'ws-a%00'])
      expect((await ask(dashboard, `/api/runs/${RUN}/logs/${name}`, { headers: bearer })).status).toBe(404);
  });
});

test('the end of a log begins with a whole character, where it is too long to be followed from its begin', async () => {
  const folder = temporaryFolder();
  const text = '🔥'.repeat(20_000);
  writeFileSync(join(folder, 'ws-a.log'), `${text}x`);
  const look = () => ({ log: LogFile.open(folder, 'ws-a.log'), isOver: true });
  const { signal } = new AbortController();
  const messages: string[] = [];
  for await (const bytes of followedLog({ look, from: null, signal }))
    messages.push(Buffer.from(bytes).toString());
  expect(messages.find((each) => each.includes('event: text'))).toMatch(/"text":"(?:🔥)+x"/u);
});

/** A run's socket: who may use it, what it takes, and what becomes of it. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ControlError, controlRun } from '../../src/control/client.ts';
import {
  CONTROL_VERSION,
  type ControlAnswer,
  type ControlRequest,
  MOST_BYTES,
} from '../../src/control/protocol.ts';
import { ControlServer } from '../../src/control/server.ts';
import { makeControlPlace, removeControlPlace } from '../../src/control/socket-place.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const RUN = 'ma-run-20260101-000000';

let opened: ControlServer[] = [];
afterEach(() => {
  for (const server of opened) server.close();
  opened = [];
});

/** A server that answers `ping`, and keeps what else it was asked. */
async function serve(
  handle: (request: ControlRequest) => Promise<ControlAnswer> = async () => answer(),
): Promise<{ socket: string; asked: ControlRequest[] }> {
  const place = makeControlPlace({ XDG_RUNTIME_DIR: temporaryFolder() });
  if (place === null) throw new Error('there is no place');
  const asked: ControlRequest[] = [];
  const server = new ControlServer({
    place,
    handle: (request) => {
      asked.push(request);
      return handle(request);
    },
  });
  opened.push(server);
  expect(await server.open()).toBeNull();
  return { socket: place.path, asked };
}

const answer = (): ControlAnswer => ({ version: CONTROL_VERSION, runId: RUN, results: [], isEnding: false });

/** What the socket answers to these bytes; an empty text where it closes the connection. */
function say(socket: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    connect(socket)
      .on('data', (chunk) => {
        said += chunk.toString();
      })
      .once('close', () => resolve(said))
      .once('error', (error) => (said === '' ? resolve('') : reject(error)))
      .end(bytes);
  });
}

const problemOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'an answer',
    (error: unknown) => (error instanceof ControlError ? error.problem : error),
  );

describe('the place of a socket', () => {
  test('is a folder of its own that only its user may enter', () => {
    const parent = temporaryFolder();
    const place = makeControlPlace({ XDG_RUNTIME_DIR: parent });
    const folder = dirname(place?.path ?? '');
    expect(dirname(folder)).toBe(parent);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('is elsewhere where its path would be too long for a socket', () => {
    const parent = join(temporaryFolder(), 'x'.repeat(60));
    mkdirSync(parent);
    const place = makeControlPlace({ XDG_RUNTIME_DIR: parent });
    expect(place?.path.startsWith(parent)).toBe(false);
    expect(Buffer.byteLength(place?.path ?? '')).toBeLessThanOrEqual(100);
    expect(readdirSync(parent)).toEqual([]);
    removeControlPlace(place?.path ?? '');
  });

  test('is elsewhere where the folder does not exist', () => {
    const place = makeControlPlace({ XDG_RUNTIME_DIR: '/nowhere' });
    expect(place).not.toBeNull();
    removeControlPlace(place?.path ?? '');
  });

  test('is a named pipe on Windows', () => {
    expect(makeControlPlace({}, 'win32')?.path).toMatch(/^\\\\\.\\pipe\\millrace-/);
  });

  test('is removed with its folder, and nothing else is, whatever path a database has', () => {
    const parent = temporaryFolder();
    const place = makeControlPlace({ XDG_RUNTIME_DIR: parent });
    removeControlPlace(place?.path ?? '');
    expect(readdirSync(parent)).toEqual([]);
    const other = join(temporaryFolder(), 'mine');
    mkdirSync(other);
    writeFileSync(join(other, 'control'), '');
    removeControlPlace(join(other, 'control'));
    expect(existsSync(join(other, 'control'))).toBe(true);
  });
});

describe('a request', () => {
  test('is answered by the run', async () => {
    const { socket, asked } = await serve();
    const stop = { type: 'stop' as const, workstreams: ['ws-a'], by: 'ann' };
    expect(await controlRun({ runId: RUN, socket }, stop)).toEqual(answer());
    expect(asked).toEqual([{ version: 1, ...stop }]);
  });

  test.each([
    ['that is no JSON', '{'],
    ['of an unknown type', '{"version":1,"type":"delete"}'],
    ['with a field that is not known', '{"version":1,"type":"ping","force":true}'],
    ['without a name of who asks', '{"version":1,"type":"stop","workstreams":[],"by":""}'],
    ['for a retry of nothing', '{"version":1,"type":"retry","workstreams":[],"by":"ann"}'],
  ])('%s is refused', async (_, line) => {
    const { socket, asked } = await serve();
    expect(JSON.parse(await say(socket, `${line}\n`))).toMatchObject({
      refused: expect.stringContaining('request'),
    });
    expect(asked).toEqual([]);
  });

  test('of another version is refused by name', async () => {
    const { socket } = await serve();
    expect(await say(socket, '{"version":2,"type":"ping"}\n')).toContain('not of version 2');
  });

  test('that is too long, or has no end, is not answered', async () => {
    const { socket, asked } = await serve();
    expect(await say(socket, 'x'.repeat(MOST_BYTES + 1))).toBe('');
    expect(await say(socket, '{"version":1,"type":"ping"}')).toBe('');
    expect(asked).toEqual([]);
  });

  test("that the run can't carry out is refused with the reason", async () => {
    const { socket } = await serve(() => Promise.reject(new Error('the disk is full')));
    const asked = controlRun({ runId: RUN, socket }, { type: 'ping' });
    await expect(asked).rejects.toThrow('the disk is full');
  });
});

describe('a run that does not answer', () => {
  test('has ended where nothing listens', async () => {
    const { socket } = await serve();
    for (const server of opened) server.close();
    expect(await problemOf(controlRun({ runId: RUN, socket }, { type: 'ping' }))).toBe('not-there');
    expect(await problemOf(controlRun({ runId: RUN, socket: null }, { type: 'ping' }))).toBe('not-there');
  });

  test('is another run where another one has its socket', async () => {
    const { socket } = await serve();
    expect(await problemOf(controlRun({ runId: 'ma-run-2', socket }, { type: 'ping' }))).toBe('not-there');
  });

  test('is not waited for beyond the time', async () => {
    const { socket } = await serve(() => new Promise(() => undefined));
    expect(await problemOf(controlRun({ runId: RUN, socket }, { type: 'ping' }, 20))).toBe('no-answer');
  });
});

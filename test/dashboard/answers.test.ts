/** What takes long to find out, which a process beside the dashboard answers. */
import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Answers, type Question } from '../../src/dashboard/answers.ts';
import { program } from '../../src/dashboard/child.ts';
import { documentPieces } from '../../src/dashboard/documents.ts';
import { connectionOf, failureOf } from '../../src/dashboard/failure.ts';
import { runNow } from '../../src/store/read/live/run-changes.ts';
import { WatchedDatabase } from '../../src/store/read/live/watched-database.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { ask, bearer, type Served, served, session, TOKEN } from '../kit/dashboard-server.ts';
import { isLiving } from '../kit/is-living.ts';
import { databaseIn, failed, finished, opened, RUN, record, result, started } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const TOOLS: Question = { kind: 'tools' };
const HISTORY = ['/api/patterns', '/api/trends', '/api/tools', '/api/workstreams', '/api/workstreams/ws-a'];

/** Process id of what answers for the dashboard of a folder. */
function answering(folder: string): number {
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.includes('--answers') && words.includes(`${folder}/.state`);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
  if (found === undefined) throw new Error('nothing answers for the dashboard');
  return Number(found);
}

/** What a dashboard sends of a run, up to some text. */
async function follow(
  { address }: Served,
  runId: string,
): Promise<{ until: (text: string) => Promise<void> }> {
  const { body } = await fetch(`${address}/api/runs/${runId}/events?after=0.0.0`, { headers: bearer });
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let read = '';
  return {
    until: async (text) => {
      while (!read.includes(text)) {
        const next = await reader?.read();
        if (next?.done !== false) throw new Error(`the stream ended before ${text}`);
        read += next.value;
      }
    },
  };
}

describe.runIf(process.platform === 'linux')('a question about many runs', () => {
  let folder = '';
  let dashboard: Served;
  let recorder: SqliteRecorder;

  beforeEach(async () => {
    folder = temporaryFolder();
    const connection = opened(folder);
    record(connection, [result('ws-a'), failed('ws-b', 'It broke.')], { runId: 'ma-run-20260101-000001' });
    recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-a', 'ws-b'])]);
    recorder.commit();
    vi.stubEnv('MILLRACE_DASHBOARD_TOKEN', TOKEN);
    dashboard = await served(folder);
    // The process that answers is there from now on.
    await ask(dashboard, '/api/tools', { headers: bearer });
  });

  afterEach(() => void vi.unstubAllEnvs());

  const ends = (id: string): void => {
    recorder.take([finished(result(id))]);
    recorder.commit();
  };

  test.each(HISTORY)('delays no event of a run, however long its answer takes: %s', async (path) => {
    const stream = await follow(dashboard, RUN);
    const pid = answering(folder);
    process.kill(pid, 'SIGSTOP');
    const asked = ask(dashboard, path, { headers: bearer });
    ends('ws-a');
    await stream.until('"id":"ws-a"');
    process.kill(pid, 'SIGCONT');
    expect((await asked).status).toBe(200);
  });

  test('is refused with what happened where the process is killed, and answered when it is asked again', async () => {
    const pid = answering(folder);
    process.kill(pid, 'SIGSTOP');
    const asked = ask(dashboard, '/api/trends', { headers: bearer });
    process.kill(pid, 'SIGKILL');
    const { status, json } = await asked;
    expect([status, json()]).toEqual([
      503,
      {
        version: 1,
        error: 'unanswered',
        message:
          'The process that looks this up is gone (it ended by SIGKILL). To start another one, ask again.',
      },
    ]);
    expect((await ask(dashboard, '/api/trends', { headers: bearer })).status).toBe(200);
  });

  test('is refused with its reason where it can’t be answered', async () => {
    const { status, json } = await ask(dashboard, '/api/workstreams/ws-none', { headers: bearer });
    expect([status, json()['message']]).toEqual([404, 'No run has a result of ws-none.']);
  });

  test('leaves no process behind when the dashboard ends', async () => {
    const pid = answering(folder);
    await dashboard.close();
    await expect.poll(() => isLiving(pid), { timeout: 30_000 }).toBe(false);
  });

  test('ends its process quietly where the dashboard ends before the answer', async () => {
    const args = [program(), 'dashboard', '--state', join(folder, '.state'), '--answers'];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    const ask = async (number: number): Promise<void> =>
      new Promise((resolve) => child.send({ kind: 'question', number, question: TOOLS }, () => resolve()));
    const answered = once(child, 'message');
    await ask(1);
    await answered;
    const printed = child.stderr === null ? null : textOf(child.stderr);
    const ended = once(child, 'exit');
    // It reads the question only when the channel is closed already.
    process.kill(child.pid ?? 0, 'SIGSTOP');
    await ask(2);
    child.disconnect();
    process.kill(child.pid ?? 0, 'SIGCONT');
    expect([await ended, await printed]).toEqual([[0, null], '']);
  });

  test('is answered by a process that does not know the token', () => {
    const environment = readFileSync(`/proc/${answering(folder)}/environ`, 'utf8');
    expect(environment).not.toContain(TOKEN);
  });
});

describe.runIf(process.platform === 'linux')('an answer of many pieces', () => {
  const text = 'ש and words '.repeat(300);
  let folder = '';
  let dashboard: Served;

  beforeEach(async () => {
    folder = temporaryFolder();
    const results = Array.from({ length: 1_100 }, (_, index) => failed(`ws-${index}`, `${index} ${text}`));
    record(opened(folder), results, { runId: RUN });
    dashboard = await served(folder);
  });

  test('is as whole as one that the dashboard itself makes', async () => {
    const { text: answered, json } = await ask(dashboard, `/api/runs/${RUN}`, { headers: bearer });
    const database = new WatchedDatabase(databaseIn(folder));
    const pieces = await documentPieces(connectionOf(database), RUN, database.path);
    database.close();
    expect(answered.length).toBeGreaterThan(2_000_000);
    expect(json()['document']).toEqual(JSON.parse(pieces?.join('') ?? ''));
  });

  test('is asked for no faster than it is taken, and no further once its client has left', async () => {
    const heard = vi.spyOn(ChildProcess.prototype, 'emit');
    const answers = new Answers(databaseIn(folder));
    onTestFinished(() => {
      answers.close();
      heard.mockRestore();
    });
    /** Pieces of the first answer that have come, once another answer has had its turn. */
    const come = async (): Promise<number> => {
      await new Response(await answers.ask({ kind: 'tools' })).text();
      const calls: unknown[][] = heard.mock.calls;
      const messages = calls.filter(([event]) => event === 'message');
      return messages.filter(([, message]) => (message as { number: number }).number === 1).length;
    };
    const reader = (await answers.ask({ kind: 'document', runId: RUN })).getReader();
    expect(await come()).toBe(1);
    for (let taken = 1; taken <= 3; taken += 1) {
      expect((await reader.read()).value?.length).toBe(64 * 1024);
      expect(await come()).toBe(taken + 1);
    }
    await reader.cancel();
    expect(await come()).toBe(4);
  });

  test('that nobody takes, as of a request for its headers, does not keep the process', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { status, text: body } = await ask(dashboard, `/api/runs/${RUN}`, {
      method: 'HEAD',
      headers: bearer,
    });
    expect([status, body]).toEqual([200, '']);
    const pid = answering(folder);
    // Its end is only waited for where nothing is open any more.
    vi.advanceTimersByTime(30_000);
    vi.useRealTimers();
    await expect.poll(() => isLiving(pid), { timeout: 30_000 }).toBe(false);
  });

  test('breaks off where its process is killed, and is answered when it is asked again', async () => {
    const { body } = await fetch(`${dashboard.address}/api/runs/${RUN}`, { headers: bearer });
    const reader = body?.getReader();
    await reader?.read();
    process.kill(answering(folder), 'SIGKILL');
    const rest = async (): Promise<void> => {
      while ((await reader?.read())?.done === false);
    };
    await expect(rest()).rejects.toThrow();
    expect((await ask(dashboard, `/api/runs/${RUN}`, { headers: bearer })).status).toBe(200);
  });
});

test('a page that is opened on a long history has the process started that it is going to ask', async () => {
  const folder = temporaryFolder();
  record(opened(folder), [result('ws-a')], { runId: RUN });
  const dashboard = await served(folder);
  await session(dashboard);
  expect(() => answering(folder)).toThrow('nothing answers');
  opened(folder).exec('UPDATE consolidated_runs SET total_workstreams = 1000000');
  await session(dashboard);
  await expect.poll(() => answering(folder), { timeout: 30_000 }).toBeGreaterThan(0);
});

test('a run of a long history is the same as one of a short one, and what fails in it is told', async () => {
  const folder = temporaryFolder();
  const connection = opened(folder);
  const recorder = new SqliteRecorder(connection);
  recorder.take([started(['ws-a', 'ws-b']), finished(result('ws-a'))]);
  recorder.commit();
  const dashboard = await served(folder);
  const document = async () =>
    (await ask(dashboard, `/api/runs/${RUN}`, { headers: bearer })).json()['document'];
  const short = await document();
  record(connection, [result('ws-x')], { runId: 'ma-run-20260101-000001' });
  connection.exec(`UPDATE consolidated_runs SET total_workstreams = 1000000 WHERE run_id <> '${RUN}'`);
  expect(await document()).toEqual(short);
  const stream = await follow(dashboard, RUN);
  recorder.take([finished(failed('ws-b', 'It broke.'))]);
  recorder.commit();
  await stream.until('event: head');
});

test('what was being read when the database was closed is refused, and is no fault of the dashboard', () => {
  const told = vi.spyOn(process.stderr, 'write');
  onTestFinished(() => told.mockRestore());
  const database = new WatchedDatabase(databaseIn(temporaryFolder()));
  opened(dirname(dirname(database.path)));
  const connection = connectionOf(database);
  database.close();
  const thrown = (): unknown => {
    try {
      return runNow(connection, RUN);
    } catch (error) {
      return error;
    }
  };
  expect(failureOf(thrown())).toEqual({
    status: 503,
    error: 'database',
    message: 'The database was closed meanwhile. Ask again.',
  });
  expect(told).not.toHaveBeenCalled();
});

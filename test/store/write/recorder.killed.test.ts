import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { completedEarlier } from '../../../src/store/read/durations.ts';
import { liveWorkstreams } from '../../../src/store/read/live/workstreams.ts';
import { getRun } from '../../../src/store/read/runs.ts';
import { openForReading } from '../../../src/store/schema/database.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { databaseIn, failed, finished, opened, RUN, result, started } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

/** Records the start of a run and two results in a process of its own, which is then killed. */
async function killedRun(folder: string): Promise<void> {
  const dist = fileURLToPath(new URL('../../../dist/src/store/', import.meta.url));
  const events = [
    started(['ws-1', 'ws-2', 'ws-3']),
    finished(result('ws-1', { filesModified: ['a.ts'] })),
    finished(failed('ws-2', 'boom')),
  ];
  const script = `
    const { openDatabase } = await import(${JSON.stringify(`${dist}schema/database.js`)});
    const { SqliteRecorder } = await import(${JSON.stringify(`${dist}write/recorder.js`)});
    const recorder = new SqliteRecorder(openDatabase(${JSON.stringify(databaseIn(folder))}));
    recorder.take(${JSON.stringify(events)});
    recorder.commit();
    console.log('recorded');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
}

describe('a run whose process has gone', () => {
  test('one whose id belongs to a process that started later is interrupted', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1'])]);
    recorder.commit();
    connection.exec("UPDATE consolidated_runs SET pid_started = '1'");
    expect(getRun(connection, RUN)?.state).toBe(process.platform === 'linux' ? 'interrupted' : 'running');
    connection.exec("UPDATE consolidated_runs SET hostname = 'another-machine'");
    expect(getRun(connection, RUN)?.state).toBe('running');
  });

  test('one whose process was killed is interrupted, and keeps what it had', async () => {
    const folder = temporaryFolder();
    await killedRun(folder);
    const reader = openForReading(databaseIn(folder));
    if (reader === null) throw new Error('the database has gone');
    const before = {
      run: getRun(reader, RUN),
      earlier: completedEarlier(reader, ['ws-1', 'ws-2']),
      live: liveWorkstreams(reader, RUN, 10),
    };
    reader.close();
    expect(before.run).toMatchObject({
      state: 'interrupted',
      totals: { workstreams: 3, completed: 1, failed: 1, skipped: 0, filesModified: 1, errors: 1 },
    });
    expect(before.earlier).toEqual(new Map([['ws-1', { definitionHash: 'hash-of-ws-1', runId: RUN }]]));
    expect(before.live.shown.map(({ workstreamId }) => workstreamId)).toEqual(['ws-3']);

    const connection = opened(folder);
    expect(connection.prepare('SELECT state FROM consolidated_runs').pluck().get()).toBe('interrupted');
    expect({
      run: getRun(connection, RUN),
      earlier: completedEarlier(connection, ['ws-1', 'ws-2']),
      live: liveWorkstreams(connection, RUN, 10),
    }).toEqual(before);
  });
});

import { expect, test } from 'vitest';
import { parseOptions } from '../../../src/app/options.ts';
import { prepareRun } from '../../../src/app/prepare-run.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { writeFiles } from '../../kit/command.ts';
import { opened, RUN, started } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

test('resumes a run although the run that it repeats was pruned', () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/a.json': { id: 'ws-1', steps: [{ run: 'true' }] } });
  const connection = opened(folder);
  const recorder = new SqliteRecorder(connection);
  const retryOf = 'ma-run-20250101-000000';
  recorder.claim(RUN, '2026-01-02T03:04:05.000Z', { options: null, label: null, retryOf });
  recorder.take([started(['ws-1'])]);
  recorder.commit();
  recorder.close();
  connection.exec("UPDATE consolidated_runs SET state = 'interrupted'");
  const { prepared } = prepareRun(parseOptions({ cwd: folder, resume: true }));
  expect(prepared.resumed).toMatchObject({ run: { runId: RUN, retryOf }, toRun: ['ws-1'] });
});

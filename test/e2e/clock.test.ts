/** A clock on the wall that is set back, or stands still. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { millrace, parseLines, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const CLOCK = fileURLToPath(new URL('../kit/set-clock.mjs', import.meta.url));

/** An environment whose clock says `time`, and moves on by `step` milliseconds each time it is looked at. */
const clockAt = (time: string, step: number): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import ${CLOCK}`,
  TEST_CLOCK: `${Date.parse(time)},${step}`,
});

function folderOfThree(): string {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-1', steps: [{ run: 'true' }] },
      { id: 'ws-2', steps: [{ module: './dies.mjs' }], depends_on: ['ws-1'] },
      { id: 'ws-3', steps: [{ run: 'true' }], depends_on: [{ id: 'ws-2', when: 'finished' }] },
    ],
    'workstreams/dies.mjs': 'export default () => process.exit(7);',
  });
  return folder;
}

test('durations are measured by a clock that never goes back', async () => {
  const folder = folderOfThree();
  const { code, stdout } = await millrace(folder, ['run'], clockAt('2026-05-01T12:00:00Z', -60_000));
  expect(code).toBe(1);
  const rows = query(
    folder,
    `SELECT workstream_id AS id, duration_seconds >= 0 AND duration_seconds < 60 AS sensible,
       start_time <= end_time AS ordered FROM agent_results ORDER BY id`,
  );
  expect(rows).toEqual(['ws-1', 'ws-2', 'ws-3'].map((id) => ({ id, sensible: 1, ordered: 1 })));
  const [run] = query(
    folder,
    "SELECT execution_summary ->> '$.speed.wall_seconds' AS wall FROM consolidated_runs",
  );
  expect(run?.['wall']).toBeGreaterThan(0);
  expect(run?.['wall']).toBeLessThan(60);
  expect(parseLines(stdout).at(-1)?.['duration_seconds']).toBeGreaterThanOrEqual(0);
  const { code: again } = await millrace(folder, ['report', 'latest']);
  expect(again).toBe(0);
});

test('a run after the clock was set back is the newest, and a clock that stands still gives no id twice', async () => {
  const folder = folderOfThree();
  await millrace(folder, ['run'], clockAt('2027-01-01T00:00:00Z', 0));
  const still = clockAt('2026-01-01T00:00:00Z', 0);
  await millrace(folder, ['run'], still);
  await millrace(folder, ['run'], still);
  const { stdout } = await millrace(folder, ['runs', '--json']);
  const document: { runs: { runId: string }[] } = JSON.parse(stdout);
  const newestFirst = ['ma-run-20260101-000000-2', 'ma-run-20260101-000000', 'ma-run-20270101-000000'];
  expect(document.runs.map(({ runId }) => runId)).toEqual(newestFirst);
  const latest = await millrace(folder, ['show', 'latest']);
  expect(latest.stdout).toContain(newestFirst[0]);
});

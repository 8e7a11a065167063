/** A run that is killed, with its watcher, at each write of a stop of two workstreams: one is executed, one waits. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { millrace, parseLines, startMillrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const HOOK = fileURLToPath(new URL('../fixtures/killed-at-statement.cjs', import.meta.url));

const until = (file: string): string => `until test -e ${file}; do sleep 0.02; done`;
const exists = (folder: string, file: string): void => writeFileSync(join(folder, file), '');

const told = (stdout: string): string[] =>
  parseLines(stdout)
    .filter(({ event }) => event === 'workstream-finished')
    .map(({ workstream_id: id, status }) => `${String(id)} ${String(status)}`)
    .toSorted();

const stored = (folder: string): string[] =>
  query(folder, 'SELECT workstream_id, status, reason FROM agent_results ORDER BY workstream_id').map(
    ({ workstream_id: id, status, reason }) => [id, status, reason ?? []].flat().join(' '),
  );

const STOPPED = [
  'ws-last completed',
  'ws-needs-it skipped dependency-failed',
  'ws-runs failed cancelled',
  'ws-waits failed cancelled',
];

/**
 * Stops two workstreams of a run that is killed before its statement of this number from then on, and resumes the run.
 * Returns how many of the two were stopped on the disk when it was killed; null where the stop has no such statement.
 */
async function stoppedAndKilled(number: number): Promise<number | null> {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-runs', priority: 2, steps: [{ run: until('go') }] },
      { id: 'ws-last', priority: 1, steps: [{ run: until('go') }] },
      { id: 'ws-waits', steps: [{ run: 'true' }] },
      { id: 'ws-needs-it', depends_on: ['ws-runs'], steps: [{ run: 'true' }] },
    ],
  });
  const run = startMillrace(folder, ['run', '-j', '2', '--grace', '0.3'], {
    NODE_OPTIONS: `--require=${HOOK}`,
    KILL_AT: String(number),
    DISARMED: join(folder, 'stopped'),
  });
  await run.line((line) => line.includes('"workstream-started"') && line.includes('"ws-last"'));
  const stop = await millrace(folder, ['stop', 'ws-runs', 'ws-waits']);
  const isSkipped = run.line(
    (line) => line.includes('"workstream-finished"') && line.includes('"ws-needs-it"'),
  );
  await Promise.race([isSkipped.catch(() => undefined), run.finished]);
  exists(folder, 'stopped');
  exists(folder, 'go');
  const { stdout, signal } = await run.finished;
  const isKilled = signal === 'SIGKILL';
  const before = stored(folder);
  // What was told is on the disk, and what was promised is.
  for (const each of told(stdout)) expect(before.map((row) => row.split(' ', 2).join(' '))).toContain(each);
  if (stop.code === 0) expect(before).toContain('ws-waits failed cancelled');
  if (!isKilled) {
    expect(before).toEqual(STOPPED);
    return null;
  }
  const resumed = await millrace(folder, ['run', '--resume', '-j', '2']);
  const after = stored(folder);
  expect(after.map((row) => row.split(' ')[0])).toEqual(['ws-last', 'ws-needs-it', 'ws-runs', 'ws-waits']);
  // What was stopped stays so, and what could not be is executed.
  const kept = before.filter((row) => row.endsWith('cancelled'));
  expect(after).toEqual(expect.arrayContaining(kept));
  const isStopped = kept.includes('ws-runs failed cancelled');
  expect(after).toContain(isStopped ? STOPPED[1] : 'ws-needs-it completed');
  const keptIds = new Set(kept.map((row) => row.split(' ')[0]));
  expect(told(resumed.stdout).filter((each) => keptIds.has(each.split(' ')[0]))).toEqual([]);
  const [totals] = query(
    folder,
    `SELECT completed_count, failed_count, skipped_count, (SELECT COUNT(*) FROM consolidated_errors) AS errors
     FROM consolidated_runs`,
  );
  expect(totals).toEqual({
    completed_count: after.filter((row) => row.includes(' completed')).length,
    failed_count: keptIds.size,
    skipped_count: isStopped ? 1 : 0,
    errors: keptIds.size,
  });
  return kept.length;
}

test('loses nothing that was told, and goes on right, at whichever statement it is killed', async () => {
  const met: number[] = [];
  for (;;) {
    const stopped = await stoppedAndKilled(met.length + 1);
    if (stopped === null) break;
    met.push(stopped);
  }
  // The one that waits is stopped at once, the other when what it executes has ended.
  expect(met).toEqual(expect.arrayContaining([0, 1]));
}, 300_000);

/** A disk that is full while a run is under way: a real one where one can be mounted. */
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { millrace, parseLines, startMillrace, writeFiles } from '../kit/command.ts';
import { reportedRuns } from '../kit/reports.ts';
import { query } from '../kit/rows.ts';
import { noSmallDisk, smallDisk } from '../kit/small-disk.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const MODULE = `
import { rmSync, writeFileSync, writeSync, openSync } from 'node:fs';
/** Fills the disk to its last page. */
export function fill({ folder }) {
  const file = openSync(folder + '/filler', 'w');
  for (const size of [65536, 4096, 512, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
  }
}
export const empty = ({ folder }) => rmSync(folder + '/filler');
export function give(_, { dependencies }) {
  process.stdout.write('some output');
  return {
    output: { text: 'x'.repeat(20000), from: Object.values(dependencies).map((each) => each?.text?.length ?? 0) },
  };
}
`;

interface Place {
  folder: string;
  state: string;
}

/** Five in a row: the second fills the disk of the state folder, \`last\` is what the fifth does. */
function fullDisk(last: 'give' | 'empty'): Place {
  const folder = temporaryFolder();
  const disk = smallDisk(2);
  const step = (name: string) => [{ module: './tasks.mjs', export: name, input: { folder: disk } }];
  const names = ['give', 'fill', 'give', 'give', last];
  writeFiles(folder, {
    'workstreams/tasks.mjs': MODULE,
    'workstreams/all.json': names.map((name, index) => ({
      id: `ws-${index + 1}`,
      steps: step(name),
      ...(index === 0 ? {} : { depends_on: [`ws-${index}`] }),
    })),
  });
  mkdirSync(join(disk, 'state'));
  symlinkSync(join(disk, 'state'), join(folder, '.state'));
  mkdirSync(join(folder, 'tmp'));
  return { folder, state: disk };
}

const run = ({ folder }: Place, ...args: string[]) =>
  millrace(folder, ['run', '-j', '2', ...args], { TMPDIR: join(folder, 'tmp') });

const spillsIn = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.startsWith('millrace-spill-'));

const totals = (folder: string) =>
  query(
    folder,
    'SELECT state, total_workstreams AS n, completed_count AS completed, failed_count AS failed, skipped_count AS skipped FROM consolidated_runs',
  );

const rowsIn = (folder: string) =>
  query(folder, 'SELECT workstream_id AS id, status FROM agent_results ORDER BY id');

const five = [1, 2, 3, 4, 5].map((number) => ({ id: `ws-${number}`, status: 'completed' }));

describe.skipIf(noSmallDisk !== null)(
  `a disk that is full${noSmallDisk === null ? '' : ` (${noSmallDisk})`}`,
  () => {
    test('a run goes on, and its results are in the database when there is room again', async () => {
      const place = fullDisk('empty');
      const { code, stdout } = await run(place);
      expect(stdout).toContain('There is no space left for the database');
      expect(stdout).toContain('can be written again: ');
      expect(code).toBe(0);
      expect([rowsIn(place.folder), spillsIn(join(place.folder, 'tmp'))]).toEqual([five, []]);
      expect(totals(place.folder)).toEqual([{ state: 'ended', n: 5, completed: 5, failed: 0, skipped: 0 }]);
      expect(reportedRuns(join(place.folder, 'reports'))).toHaveLength(1);
      expect(
        query(
          place.folder,
          "SELECT warnings, metadata ->> '$.output.from[0]' AS given FROM agent_results WHERE workstream_id = 'ws-4'",
        ),
      ).toEqual([
        { warnings: expect.stringContaining('Some of its output could not be kept: ENOSPC'), given: 20_000 },
      ]);
    });

    test('a run that ends before there is room loses nothing: the next one takes its results in', async () => {
      const place = fullDisk('give');
      const { folder } = place;
      const full = await run(place);
      expect(full.code).toBe(3);
      const told = parseLines(full.stdout).filter(({ event }) => event === 'workstream-finished');
      expect(told).toHaveLength(5);
      const last = parseLines(full.stdout).at(-1);
      expect(last?.['msg']).toMatch(
        /No|no space left.* of ma-run-\S+ (is|are) kept in .*; the next millrace run/,
      );
      expect(spillsIn(join(folder, 'tmp'))).toHaveLength(1);

      const env = { TMPDIR: join(folder, 'tmp') };
      const still = await run(place, '--resume');
      expect(still.code).toBe(3);
      expect(still.stdout).toContain('no space left');
      const status = await millrace(folder, ['status'], env);
      expect([status.code, status.stderr]).toEqual([
        0,
        expect.stringMatching(
          /^millrace: There are results in .*millrace-spill-.* that the database does not have yet/,
        ),
      ]);

      await millrace(folder, ['run', '--state', 'other', '--reports', 'other', 'ws-1'], env);
      expect(spillsIn(join(folder, 'tmp'))).toHaveLength(1);

      writeFiles(folder, { 'workstreams/tasks.mjs': 'throw new Error("nothing is run again")' });
      emptyDisk(place);
      const resumed = await run(place, '--resume');
      expect(resumed.code).toBe(0);
      expect(resumed.stdout).toMatch(/results? of ma-run-\S+ that the database had not taken (was|were) in /);
      expect(resumed.stdout).not.toContain('workstream-started');
      expect([rowsIn(folder), spillsIn(join(folder, 'tmp'))]).toEqual([five, []]);
      expect(totals(folder)).toEqual([{ state: 'ended', n: 5, completed: 5, failed: 0, skipped: 0 }]);
    });

    test('a run that is killed meanwhile has told nothing that is lost', async () => {
      const place = fullDisk('give');
      const { folder } = place;
      writeFiles(folder, {
        'workstreams/hangs.json': {
          id: 'ws-6',
          steps: [{ run: 'sleep 1000000' }],
          depends_on: ['ws-5'],
        },
      });
      const started = startMillrace(folder, ['run', '-j', '2'], { TMPDIR: join(folder, 'tmp') });
      await started.line((line) => line.includes('"ws-6"') && line.includes('"workstream-started"'));
      started.child.kill('SIGKILL');
      await started.finished;
      emptyDisk(place);
      writeFiles(folder, {
        'workstreams/tasks.mjs': 'throw new Error("nothing is run again")',
        'workstreams/hangs.json': { id: 'ws-6', steps: [{ run: 'true' }], depends_on: ['ws-5'] },
      });
      const resumed = await run(place, '--resume');
      expect(resumed.code).toBe(0);
      expect(rowsIn(folder)).toEqual([...five, { id: 'ws-6', status: 'completed' }]);
    });

    test('nothing is run when the run itself can’t be recorded', async () => {
      const folder = temporaryFolder();
      const disk = smallDisk(1);
      writeFiles(folder, { 'workstreams/a.json': { id: 'ws-a', steps: [{ run: 'touch ran' }] } });
      writeFiles(disk, { filler: 'x'.repeat(1_000_000) });
      const { code, stdout } = await millrace(folder, ['run', '--state', join(disk, 'state')]);
      expect(code).toBe(3);
      expect(stdout).toMatch(/no space left/i);
      expect(existsSync(join(folder, 'ran'))).toBe(false);
    });
  },
);

function emptyDisk({ state }: Place): void {
  writeFiles(state, { filler: '' });
}

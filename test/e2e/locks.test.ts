/** What must not run at the same time does not, also where it belongs to two runs of one state folder. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { bin, cleanEnvironment, millrace, type Started, startMillrace, writeFiles } from '../kit/command.ts';
import { reportText } from '../kit/reports.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const MODULE = `
import { existsSync } from 'node:fs';
export const nothing = () => {};
/** Runs until the file is there. */
export async function until({ file }) {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
}
`;

interface Definition {
  id: string;
  [field: string]: unknown;
}

const step = (module: string, file?: string) => [
  { module, export: file === undefined ? 'nothing' : 'until', input: { file: file ?? '' } },
];

/** A folder with the workstreams of two runs; `ws-a` of the first runs until the file `go` is there. */
function twoFolders(first: Definition, ...second: Definition[]): string {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'tasks.mjs': MODULE,
    'one/all.json': [{ steps: step('../tasks.mjs', 'go'), ...first }],
    'two/all.json': second.map((each) => ({ steps: step('../tasks.mjs'), ...each })),
  });
  return folder;
}

const begin = (folder: string, name: string): Started => {
  const run = startMillrace(folder, [
    'run',
    '-j',
    '2',
    '--workstreams',
    name,
    '--reports',
    `reports-${name}`,
  ]);
  onTestFinished(() => {
    if (run.child.exitCode === null && run.child.signalCode === null) run.killAll();
  });
  return run;
};

const says =
  (event: string, id: string) =>
  (line: string): boolean =>
    line.includes(`"event":"${event}"`) && line.includes(`"workstream_id":"${id}"`);

const runIds = (folder: string): string[] =>
  query<{ run_id: string }>(folder, 'SELECT run_id FROM consolidated_runs ORDER BY run_id').map(
    (row) => row.run_id,
  );

/** What the run of this position says of its waiting. */
function summaryOf(folder: string, position: number): unknown {
  const sql =
    "SELECT execution_summary ->> '$.waited_for_runs' AS waited FROM consolidated_runs ORDER BY run_id";
  return JSON.parse(query<{ waited: string | null }>(folder, sql)[position]?.waited ?? 'null');
}

const goOn = (folder: string): void => writeFileSync(join(folder, 'go'), '');

/** Ids of the workstreams that were executed, in the order in which they began, unless one began before another ended. */
function oneAfterAnother(folder: string, ...ids: string[]): string[] | 'beside each other' {
  const rows = query<{ id: string; from: string; to: string }>(
    folder,
    'SELECT workstream_id AS id, start_time AS "from", end_time AS "to" FROM agent_results ORDER BY start_time',
  ).filter(({ id }) => ids.includes(id));
  const isBeside = rows.some(({ from }, index) => from < (rows[index - 1]?.to ?? ''));
  return isBeside ? 'beside each other' : rows.map(({ id }) => id);
}

test.each([
  ['a conflict group', { conflict_group: 'db' }, { conflict_group: 'db' }],
  ['scopes of the same folder', { files_scope: ['src/**'] }, { files_scope: ['src/a.ts'] }],
  ['what runs alone', {}, { parallel_ok: false }],
])(
  '%s holds between two runs, which says whom it waits for, while others go on',
  async (_, first, second) => {
    const folder = twoFolders({ id: 'ws-a', ...first }, { id: 'ws-b', ...second }, { id: 'ws-y' });
    const one = begin(folder, 'one');
    await one.line(says('workstream-started', 'ws-a'));
    const two = begin(folder, 'two');
    const waiting = await two.line(says('waiting-for-runs', 'ws-b'));
    await two.line(says('workstream-finished', 'ws-y'));
    goOn(folder);
    expect([(await one.finished).code, (await two.finished).code]).toEqual([0, 0]);
    expect(waiting).toMatch(/ma-run-\d+-\d+/);
    expect(summaryOf(folder, 1)).toEqual({ seconds: expect.any(Number), run_ids: [runIds(folder)[0]] });
    expect(summaryOf(folder, 0)).toBeNull();
    expect(reportText(join(folder, 'reports-two'))).toMatch(
      /Waited for other runs +\| \S+ for locks of ma-run-/,
    );
    expect(oneAfterAnother(folder, 'ws-a', 'ws-b')).toEqual(['ws-a', 'ws-b']);
    expect(query(folder, 'SELECT * FROM run_locks')).toEqual([]);
  },
);

test('nothing of another run is started while one runs alone', async () => {
  const folder = twoFolders({ id: 'ws-a', parallel_ok: false }, { id: 'ws-y' }, { id: 'ws-z' });
  const one = begin(folder, 'one');
  await one.line(says('workstream-started', 'ws-a'));
  const two = begin(folder, 'two');
  await two.line((line) => line.includes('nothing is started while ws-a of'));
  goOn(folder);
  expect([(await one.finished).code, (await two.finished).code]).toEqual([0, 0]);
  expect(oneAfterAnother(folder, 'ws-a', 'ws-y')).toEqual(['ws-a', 'ws-y']);
});

test('a run that waits can be interrupted', async () => {
  const folder = twoFolders({ id: 'ws-a', conflict_group: 'db' }, { id: 'ws-b', conflict_group: 'db' });
  const one = begin(folder, 'one');
  await one.line(says('workstream-started', 'ws-a'));
  const two = begin(folder, 'two');
  await two.line(says('waiting-for-runs', 'ws-b'));
  two.child.kill('SIGINT');
  expect((await two.finished).code).toBe(130);
  goOn(folder);
  expect((await one.finished).code).toBe(0);
  const resumed = await millrace(folder, ['run', '--resume', '--workstreams', 'two']);
  expect(resumed.code).toBe(0);
});

test('what the command of a killed run still does has ended before another run takes over its lock', async () => {
  const folder = twoFolders(
    { id: 'ws-a', conflict_group: 'db', steps: [{ run: 'echo $$ > pid; trap "" HUP; sleep 1000' }] },
    {
      id: 'ws-b',
      conflict_group: 'db',
      steps: [
        { run: 'grep -q "State:.[^Z]" /proc/$(cat pid)/status && echo alive > seen || echo gone > seen' },
      ],
    },
  );
  const one = begin(folder, 'one');
  await vi.waitUntil(
    () => existsSync(join(folder, 'pid')) && readFileSync(join(folder, 'pid'), 'utf8') !== '',
    60_000,
  );
  one.killAll();
  const two = await millrace(folder, ['run', '--workstreams', 'two']);
  expect([two.code, readFileSync(join(folder, 'seen'), 'utf8')]).toEqual([0, 'gone\n']);
  expect(two.stdout).toMatch(
    /of ma-run-\S+, whose process \d+ was killed, (was|were) still alive and ended: \d+/,
  );
});

test('what a run held whose process was killed is free, and a resumed run takes its own again', async () => {
  const folder = twoFolders({ id: 'ws-a', conflict_group: 'db' }, { id: 'ws-b', conflict_group: 'db' });
  const one = begin(folder, 'one');
  await one.line(says('workstream-started', 'ws-a'));
  const two = begin(folder, 'two');
  await two.line(says('waiting-for-runs', 'ws-b'));
  one.killAll();
  expect((await two.finished).code).toBe(0);
  goOn(folder);
  expect((await millrace(folder, ['run', '--resume', '--workstreams', 'one'])).code).toBe(0);
  expect(query(folder, 'SELECT * FROM run_locks')).toEqual([]);
});

const canUnshare = ((): boolean => {
  try {
    execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test.runIf(canUnshare)('a run in a container of the same host name is not taken for dead', async () => {
  const folder = twoFolders({ id: 'ws-a', conflict_group: 'db' }, { id: 'ws-b', conflict_group: 'db' });
  const args = ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, bin];
  const inside = spawn('unshare', [...args, 'run', '-j', '1', '--workstreams', 'one'], {
    cwd: folder,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void inside.kill('SIGKILL'));
  let said = '';
  for await (const chunk of inside.stdout) {
    said += String(chunk);
    if (said.split('\n').some(says('workstream-started', 'ws-a'))) break;
  }
  const ended = once(inside, 'close');
  const status = await millrace(folder, ['status']);
  expect(status.stdout).toContain('running');
  const resumed = await millrace(folder, ['run', '--resume', '--workstreams', 'one']);
  expect([resumed.code, resumed.stdout]).toEqual([
    2,
    expect.stringContaining('nothing was heard of it for 60 seconds'),
  ]);
  const two = begin(folder, 'two');
  await two.line(says('waiting-for-runs', 'ws-b'));
  goOn(folder);
  expect((await two.finished).code).toBe(0);
  await ended;
  expect(oneAfterAnother(folder, 'ws-a', 'ws-b')).toEqual(['ws-a', 'ws-b']);
});

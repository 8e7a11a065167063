/** A state folder, a database or its rows that somebody else removes or replaces while a run is under way. */
import { existsSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MultiAgentWorkstreamCoordinator } from '../../src/index.ts';
import { millrace, parseLines, startMillrace, writeFiles } from '../kit/command.ts';
import { reportedRuns } from '../kit/reports.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const MODULE = `
import { copyFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const db = '.state/multi_agent_consolidated.db';
export const nothing = () => {};
// At one moment: the run may notice in the midst of it.
export const removeState = () => { renameSync('.state', 'gone'); rmSync('gone', { recursive: true }); };
export const removeAll = () => { removeState(); rmSync('reports', { recursive: true, force: true }); };
export const putCopy = () => { copyFileSync(db, 'copy.db'); renameSync('copy.db', db); };
export const putText = () => { rmSync(db); writeFileSync(db, 'no database'); };
export const pointElsewhere = () => {
  writeFileSync('file', '');
  symlinkSync('file', 'link');
  renameSync('link', '.state');
};
export function query({ sql }) {
  const Database = createRequire('${root}')('better-sqlite3');
  const connection = new Database(db);
  connection.exec(sql);
  connection.close();
}
export const give = (_, { dependencies }) => ({ output: Object.keys(dependencies).length + 1 });
`;

/** Makes the state folder a link. */
function pointTo(folder: string, target: string): void {
  rmSync(join(folder, '.state'), { force: true });
  symlinkSync(join(folder, target), join(folder, '.state'));
}

/** Three in a row, of which the second does something to the state. */
async function runWith(name: string, input: Record<string, string> = {}) {
  const folder = temporaryFolder();
  const step = (what: string) => [{ module: './tasks.mjs', export: what, input }];
  writeFiles(folder, {
    'workstreams/tasks.mjs': MODULE,
    'workstreams/all.json': [
      { id: 'ws-1', steps: step('give') },
      { id: 'ws-2', steps: step(name), depends_on: ['ws-1'] },
      { id: 'ws-3', steps: step('give'), depends_on: ['ws-2'] },
    ],
    'tmp/x': '',
    'state/x': '',
  });
  if (name === 'pointElsewhere') pointTo(folder, 'state');
  const env = { TMPDIR: join(folder, 'tmp') };
  const ended = await millrace(folder, ['run', '-j', '1'], env);
  const notices = parseLines(ended.stdout).flatMap(({ event, msg }) =>
    event === 'notice' ? [String(msg)] : [],
  );
  return { ...ended, folder, notices: notices.join('\n'), env };
}

const rowsIn = (folder: string) => query(folder, 'SELECT workstream_id AS id FROM agent_results ORDER BY id');
const ALL = [{ id: 'ws-1' }, { id: 'ws-2' }, { id: 'ws-3' }];

describe('everything that was announced is in the database, and the report is there', () => {
  test.each([
    ['removeState', 'removed or moved away'],
    ['removeAll', 'removed or moved away'],
    ['putCopy', 'another file was put in its place'],
    ['putText', 'is kept as'],
  ])('after %s', async (name, said) => {
    const { code, folder, notices } = await runWith(name);
    expect([code, rowsIn(folder)]).toEqual([0, ALL]);
    expect(notices).toContain(said);
    expect(reportedRuns(join(folder, 'reports'))).toHaveLength(1);
    expect(existsSync(join(folder, '.state', '.gitignore'))).toBe(true);
  });
});

test('two runs of one state folder put it back one after another, and nothing of either is lost', async () => {
  const folder = temporaryFolder();
  // The last of each waits, so that neither run has ended when the folder is removed.
  const many = (prefix: string) =>
    Array.from({ length: 40 }, (_, index) => ({
      id: `${prefix}-${index}`,
      steps: [{ module: '../tasks.mjs', export: 'pause', input: { waits: index === 39 } }],
    }));
  writeFiles(folder, {
    'tasks.mjs': `${MODULE}
import { existsSync } from 'node:fs';
const pause20 = () => new Promise((resolve) => setTimeout(resolve, 20));
export const pause = async ({ waits }) => {
  do await pause20();
  while (waits && !existsSync('removed'));
};`,
    'one/all.json': many('one'),
    'two/all.json': many('two'),
  });
  const runs = ['one', 'two'].map((name) =>
    startMillrace(folder, ['run', '-j', '1', '--workstreams', name, '--reports', name]),
  );
  const begun = (line: string): boolean => line.includes('"event":"workstream-finished"');
  await Promise.all(runs.map((run) => run.line(begun)));
  renameSync(join(folder, '.state'), join(folder, 'gone'));
  rmSync(join(folder, 'gone'), { recursive: true });
  writeFileSync(join(folder, 'removed'), '');
  const codes = (await Promise.all(runs.map((run) => run.finished))).map(({ code }) => code);
  expect(codes).toEqual([0, 0]);
  expect(query(folder, 'SELECT state, completed_count AS n FROM consolidated_runs')).toEqual([
    { state: 'ended', n: 40 },
    { state: 'ended', n: 40 },
  ]);
  expect(query(folder, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
});

describe('when everything has been announced and the run is not closed yet', () => {
  async function endedWith(action: (folder: string) => void) {
    const folder = temporaryFolder();
    writeFiles(folder, { 'workstreams/a.json': { id: 'ws-1', steps: [{ run: 'true' }] }, 'tmp/x': '' });
    const coordinator = new MultiAgentWorkstreamCoordinator({ cwd: folder, agentsCount: 1 });
    const notices: string[] = [];
    coordinator.subscribe((event) => {
      if (event.type === 'run-ended') action(folder);
      if (event.type === 'notice') notices.push(event.text);
    });
    return { code: await coordinator.run(), result: coordinator.result, notices: notices.join('\n'), folder };
  }

  test('what is removed is written back', async () => {
    const { code, notices, folder } = await endedWith((each) =>
      rmSync(join(each, '.state'), { recursive: true }),
    );
    expect([code, rowsIn(folder)]).toEqual([0, [{ id: 'ws-1' }]]);
    expect(notices).toContain('removed or moved away');
  });

  test('what can’t be put back makes the exit code 3', async () => {
    const { code, result, notices } = await endedWith((each) => {
      rmSync(join(each, '.state'), { recursive: true });
      writeFileSync(join(each, '.state'), '');
    });
    const [, copy = ''] = /Everything that it held is in (\S+\.db); the next/.exec(notices) ?? [];
    onTestFinished(() => rmSync(copy, { force: true }));
    expect([code, result?.exitCode, existsSync(copy)]).toEqual([3, 3, true]);
  });
});

test('where it can’t be put back, the exit code is 3, and the next run has everything', async () => {
  const { code, folder, notices, stderr, env } = await runWith('pointElsewhere');
  expect([code, stderr]).toEqual([3, '']);
  expect(notices).toMatch(/Everything that it held is in .*\.db; the next millrace run takes it in/);
  // The database that was there is older than the copy.
  pointTo(folder, 'state');
  const resumed = await millrace(folder, ['run', '--resume', '-j', '1'], env);
  expect([resumed.code, rowsIn(folder)]).toEqual([0, ALL]);
  expect(readdirSync(join(folder, 'tmp'))).toEqual(['x']);
});

describe('rows that somebody deletes', () => {
  test.each([
    [
      'DELETE FROM consolidated_runs',
      /The run ma-run-\S+ is not in the database \S+ any more: its row was deleted/,
    ],
    ['DELETE FROM agent_results', /has 2 of the 3 results of ma-run-\S+: the others were deleted/],
    ['DROP TABLE agent_results', /refused: no such table: agent_results/],
    ['DROP TABLE run_plans', /refused: no such table: run_plans/],
    ['DROP TABLE consolidated_errors', /refused: no such table: consolidated_errors/],
  ])('%s: a sentence, and exit code 3', async (sql, sentence) => {
    const { code, stdout, stderr, notices } = await runWith('query', { sql });
    expect(code).toBe(3);
    expect(notices).toMatch(sentence);
    expect(stdout + stderr).not.toMatch(/Millrace itself failed|\n {4}at /);
  });
});

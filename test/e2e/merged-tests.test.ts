/** Work that is green by itself is merged, and tested with all that was merged before. Real git, threads and processes. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { acceptedWork } from '../../src/app/github/accepted-work.ts';
import { parseOptions } from '../../src/app/options.ts';
import { resolvePaths } from '../../src/app/paths.ts';
import { type Finished, millrace, startMillrace } from '../kit/command.ts';
import { reportText } from '../kit/reports.ts';
import { makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const scripted = fileURLToPath(new URL('../fixtures/tools/scripted.mjs', import.meta.url));

interface Row {
  id: string;
  status: string;
  merge: string | null;
  partner: string | null;
  test: string | null;
}

const ROWS = `SELECT workstream_id AS id, status, merge_status AS "merge", merge_partner AS partner, merge_test AS test
  FROM agent_results ORDER BY workstream_id`;

const rowsOf = (folder: string): Row[] => query<Row>(folder, ROWS);

const runOf = (folder: string): string =>
  query<{ run: string }>(folder, 'SELECT run_id AS run FROM consolidated_runs ORDER BY rowid DESC LIMIT 1')[0]
    ?.run ?? '';

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();

const mergedFiles = (folder: string): string[] =>
  git(folder, 'ls-tree', '-r', '--name-only', `millrace/${runOf(folder)}/_merged`).split('\n');

/** A project with a tool that does what its tasks say, and these workstreams. */
function project(
  workstreams: object[],
  { config = {}, files = {} }: { config?: object; files?: Record<string, string> } = {},
): string {
  return makeRepository({
    '.gitignore': '.state/\nreports/\n',
    'millrace.config.json': JSON.stringify({
      tools: { careful: { command: ['node', scripted] } },
      ...config,
    }),
    'workstreams/all.json': JSON.stringify(workstreams),
    ...files,
  });
}

const writes = (id: string, path: string, fields: object = {}): object => ({
  id,
  tool: 'careful',
  tasks: [`write ${path} ${id}`],
  ...fields,
});

const run = (folder: string, ...args: string[]): Promise<Finished> =>
  millrace(folder, ['run', '-j', '2', ...args]);

/** Fails where both files are there. */
const NOT_BOTH = 'test ! -e left.txt || test ! -e right.txt';

const PAIR = [
  writes('ws-left', 'left.txt', { acceptance_tests: [NOT_BOTH] }),
  writes('ws-other', 'other.txt', { acceptance_tests: ['test -s other.txt'] }),
  writes('ws-right', 'right.txt', { acceptance_tests: [NOT_BOTH] }),
];

test('work that is red only together with other work is left on its branch, and both are named', async () => {
  const folder = project(PAIR);
  const { code } = await run(folder);
  expect(rowsOf(folder)).toEqual([
    { id: 'ws-left', status: 'completed', merge: 'merged', partner: null, test: null },
    { id: 'ws-other', status: 'completed', merge: 'merged', partner: null, test: null },
    { id: 'ws-right', status: 'completed', merge: 'breaks-tests', partner: 'ws-left', test: NOT_BOTH },
  ]);
  expect(code).toBe(1);
  expect(mergedFiles(folder)).toEqual(expect.arrayContaining(['left.txt', 'other.txt']));
  expect(mergedFiles(folder)).not.toContain('right.txt');
  expect(git(folder, 'show', `millrace/${runOf(folder)}/ws-right:right.txt`)).toBe('ws-right');
  expect(reportText(`${folder}/reports`)).toMatch(/ws-right.*ws-left/);
  expect(reportText(`${folder}/reports`)).toContain('its tests pass there together');
  expect(git(folder, 'worktree', 'list').split('\n')).toHaveLength(1);
  expect(readFileSync(`${folder}/.gitignore`, 'utf8')).toBe('.state/\nreports/\n');
}, 120_000);

test('a test of the configuration is run on what is merged, and names the work with which it fails', async () => {
  const folder = project(
    [writes('ws-a', 'a.txt'), writes('ws-b', 'b.txt'), writes('ws-c', 'c.txt'), writes('ws-d', 'd.txt')],
    { config: { merge_tests: [{ run: 'test ! -e b.txt || test ! -e d.txt', name: 'not both' }] } },
  );
  const { code } = await run(folder);
  expect(rowsOf(folder).map(({ merge }) => merge)).toEqual(['merged', 'merged', 'merged', 'breaks-tests']);
  expect(rowsOf(folder)[3]).toMatchObject({ partner: 'ws-b', test: 'not both' });
  expect(code).toBe(1);
}, 120_000);

test('work that breaks the test of other work is left, and the other is its partner', async () => {
  const folder = project([
    writes('ws-a', 'a.txt', { acceptance_tests: ['test ! -e spoilt.txt'] }),
    writes('ws-b', 'spoilt.txt'),
  ]);
  await run(folder);
  expect(rowsOf(folder)[1]).toMatchObject({
    id: 'ws-b',
    status: 'completed',
    merge: 'breaks-tests',
    partner: 'ws-a',
    test: 'test ! -e spoilt.txt',
  });
}, 120_000);

test('a test that fails before any merge is held against nobody', async () => {
  const folder = project([writes('ws-a', 'a.txt'), writes('ws-b', 'b.txt')], {
    config: { merge_tests: ['test -e never.txt', 'true'] },
  });
  const { code } = await run(folder);
  expect(rowsOf(folder).map(({ merge }) => merge)).toEqual(['merged', 'merged']);
  expect(code).toBe(0);
  const report = reportText(`${folder}/reports`);
  expect(report).toContain('failed without it too');
  expect(report.match(/its tests do not all pass there|whose tests do not all pass/g)).toHaveLength(2);
  expect(report).not.toMatch(/tests pass (there )?together/);
}, 120_000);

test('without tests the work is merged, and the report says that nothing shows whether it works', async () => {
  const folder = project([writes('ws-a', 'a.txt')]);
  const { code } = await run(folder);
  expect(code).toBe(0);
  expect(rowsOf(folder)[0]?.merge).toBe('merged');
  expect(reportText(`${folder}/reports`)).toContain('it has no tests that say whether it works');
}, 120_000);

test('a test that fails once and passes when it is run again is not held against the work', async () => {
  const marks = join(temporaryFolder(), 'seen');
  const folder = project([writes('ws-a', 'a.txt')], {
    config: { merge_tests: [{ run: `test -e ${marks} || { touch ${marks}; false; }`, name: 'flaky' }] },
  });
  const { code, stdout } = await run(folder);
  expect([code, rowsOf(folder)[0]?.merge]).toEqual([0, 'merged']);
  expect(stdout).toContain('failed and passed when run again');
}, 120_000);

test('tests of a conflict group are never run beside its members, nor those of what runs alone beside anything', async () => {
  const log = join(temporaryFolder(), 'log');
  const logs = (name: string, exclusive: boolean) => ({
    run: `echo begin ${name} ${exclusive} >> ${log}; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo end ${name} >> ${log}`,
  });
  const plain = (id: string, fields: object = {}): object => ({ id, steps: [logs(id, false)], ...fields });
  const folder = project([
    writes('ws-a', 'a.txt', { conflict_group: 'db', acceptance_tests: [logs('db tests', false)] }),
    ...['ws-b', 'ws-c', 'ws-d'].map((id) => ({
      id,
      conflict_group: 'db',
      steps: [logs(`db ${id}`, false)],
    })),
    writes('ws-e', 'e.txt', { parallel_ok: false, acceptance_tests: [logs('alone', true)] }),
    ...['ws-f', 'ws-g', 'ws-h', 'ws-i'].map((id) => plain(id)),
  ]);
  const { code } = await millrace(folder, ['run', '-j', '3']);
  expect(code).toBe(0);
  const running = new Map<string, string>();
  for (const line of readFileSync(log, 'utf8').trim().split('\n')) {
    const [, word = '', name = '', isAlone] = /^(begin|end) (.*?)(?: (true|false))?$/.exec(line) ?? [];
    if (word === 'end') running.delete(name);
    else {
      const beside = [...running.keys()];
      expect(beside.filter((other) => name.startsWith('db') && other.startsWith('db'))).toEqual([]);
      expect(isAlone === 'true' || running.has('alone') ? beside : []).toEqual([]);
      running.set(name, line);
    }
  }
}, 120_000);

test('a test that runs out of its time fails, and the next work is merged all the same', async () => {
  const folder = project([writes('ws-a', 'slow.txt'), writes('ws-b', 'b.txt')], {
    config: { merge_tests: [{ run: 'test ! -e slow.txt || sleep 60', name: 'quick', timeout_seconds: 1 }] },
  });
  await run(folder);
  expect(rowsOf(folder)).toMatchObject([
    { id: 'ws-a', merge: 'breaks-tests', partner: null, test: 'quick' },
    { id: 'ws-b', merge: 'merged' },
  ]);
}, 120_000);

test('what a test changes in its worktree is in no commit', async () => {
  const folder = project([writes('ws-a', 'a.txt')], {
    config: { merge_tests: ['echo spoilt > a.txt; echo new > new.txt'] },
  });
  await run(folder);
  expect(mergedFiles(folder)).not.toContain('new.txt');
  expect(git(folder, 'show', `millrace/${runOf(folder)}/_merged:a.txt`)).toBe('ws-a');
}, 120_000);

test('work outside its scope stays on its branch under --outside-scope park, and so does what builds on it', async () => {
  const folder = project([
    writes('ws-a', 'a.txt', { files_scope: ['a.txt'], tasks: ['write a.txt a', 'write other.txt b'] }),
    writes('ws-b', 'b.txt', { depends_on: ['ws-a'] }),
    writes('ws-c', 'c.txt'),
  ]);
  const { code } = await run(folder, '--outside-scope', 'park');
  expect(rowsOf(folder)).toMatchObject([
    { id: 'ws-a', status: 'completed', merge: 'outside-scope' },
    { id: 'ws-b', status: 'completed', merge: 'outside-scope', partner: 'ws-a' },
    { id: 'ws-c', merge: 'merged' },
  ]);
  expect(code).toBe(0);
  expect(mergedFiles(folder)).toContain('c.txt');
  expect(mergedFiles(folder)).not.toContain('other.txt');
}, 120_000);

test('the commit of a tool has it as its author, with model, cost and co-authors', async () => {
  const folder = project([writes('ws-a', 'a.txt', { tool: 'claude' })], {
    config: {
      tools: { claude: { command: ['node', scripted, '--claude'] } },
      co_authors: ['Ada Lovelace <ada@example.com>'],
    },
  });
  await run(folder);
  const branch = `millrace/${runOf(folder)}/ws-a`;
  expect(git(folder, 'log', '-1', '--format=%an|%cn', branch)).toBe('claude via Millrace|Millrace');
  const body = git(folder, 'log', '-1', '--format=%B', branch);
  expect(body).toContain(`Millrace-Run: ${runOf(folder)}`);
  expect(body).toContain('Millrace-Cost-USD: 0.25');
  expect(body).toContain('Millrace-Model: opus');
  expect(body).toContain('Co-authored-by: Ada Lovelace <ada@example.com>');
}, 120_000);

test('an interrupted run has tested all that is in its branch, and merges the rest when it is resumed', async () => {
  const gate = join(temporaryFolder(), 'gate');
  const folder = project([writes('ws-a', 'a.txt'), writes('ws-b', 'b.txt')], {
    config: { merge_tests: [`test -e ${gate} || sleep 600`] },
  });
  const first = startMillrace(folder, ['run', '-j', '2']);
  const isEnd = (id: string) => (line: string) =>
    line.includes('"workstream-finished"') && line.includes(`"${id}"`);
  await Promise.all([first.line(isEnd('ws-a')), first.line(isEnd('ws-b'))]);
  first.killAll();
  await first.finished;
  writeFileSync(gate, '');
  expect(git(folder, 'branch', '--list', '*_merged')).toBe('');
  expect(rowsOf(folder).map(({ merge }) => merge)).toEqual(['pending', 'pending']);
  const { code } = await millrace(folder, ['run', '--resume']);
  expect(code).toBe(0);
  expect(rowsOf(folder).map(({ merge }) => merge)).toEqual(['merged', 'merged']);
  expect(mergedFiles(folder)).toEqual(expect.arrayContaining(['a.txt', 'b.txt']));
  expect(git(folder, 'worktree', 'list').split('\n')).toHaveLength(1);
}, 120_000);

test('what failed is tried again on top of the merged work, and the backlog says what is left', async () => {
  const folder = project([...PAIR, { id: 'ws-last', tool: 'careful', tasks: ['fail'] }]);
  await run(folder);
  const first = runOf(folder);
  const before = await backlog(folder);
  expect(before).toMatchObject({
    'ws-left': { verdict: 'completed', merge_status: 'merged', next: `git merge millrace/${first}/_merged` },
    'ws-right': { merge_status: 'breaks-tests', merge_partner: 'ws-left', next: 'millrace run ws-right' },
    'ws-last': { verdict: 'failed', reason: 'tool-error', next: 'millrace run ws-last' },
  });
  const definitions = [
    ...PAIR.slice(0, 2),
    writes('ws-right', 'elsewhere.txt', { acceptance_tests: ['test -e left.txt', NOT_BOTH] }),
    writes('ws-last', 'last.txt', { acceptance_tests: ['test -e other.txt'] }),
  ];
  writeFileSync(join(folder, 'workstreams/all.json'), JSON.stringify(definitions));
  const { code, stdout } = await run(folder, '--retry-failed');
  expect(code).toBe(0);
  expect(stdout).toContain(`Starts from the merged work of ${first}`);
  expect(mergedFiles(folder)).toEqual(
    expect.arrayContaining(['left.txt', 'other.txt', 'elsewhere.txt', 'last.txt']),
  );
  git(folder, 'merge', '-q', `millrace/${runOf(folder)}/_merged`);
  expect(Object.values(await backlog(folder)).map(({ next }) => next)).toEqual([null, null, null, null]);
}, 120_000);

test('pull requests are not made of what breaks tests', async () => {
  const folder = project(PAIR);
  await run(folder);
  const { works, left } = acceptedWork(
    resolvePaths(parseOptions({ state: join(folder, '.state') }).options),
    null,
  );
  expect(works.map(({ result }) => result.workstreamId).toSorted()).toEqual(['ws-left', 'ws-other']);
  expect(left).toEqual([expect.stringContaining('ws-right is not proposed')]);
}, 120_000);

interface Entry {
  id: string;
  verdict: string;
  next: string | null;
}

async function backlog(folder: string): Promise<Record<string, Entry>> {
  const { stdout } = await millrace(folder, ['backlog', '--json']);
  const { workstreams }: { workstreams: Entry[] } = JSON.parse(stdout);
  return Object.fromEntries(workstreams.map((entry) => [entry.id, entry]));
}

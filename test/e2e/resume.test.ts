/** Runs that are killed or interrupted and resumed, and failures that are tried again. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MultiAgentWorkstreamCoordinator } from '../../src/app/multi-agent-workstream-coordinator.ts';
import { groupIsAlive } from '../../src/os/process-group.ts';
import { hasProcessTable } from '../../src/os/process-table.ts';
import { millrace, parseLines, type Started, startMillrace, writeFiles } from '../kit/command.ts';
import { contentIn, git, makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const MODULE = `
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
export default (input, { dependencies, workspace, workstream }) => {
  appendFileSync(join(workspace, 'ran'), workstream.id + '\\n');
  return { output: { from: dependencies } };
};`;

const mark = 'echo $MILLRACE_WORKSTREAM_ID >> ran';

/** One that completes, one that fails, one that waits for the test, and what needs them. */
function backlog(waiting = `${mark}; echo $$ > pid; cat gate`): string {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'gate')]);
  writeFiles(folder, {
    'tasks/give.mjs': MODULE,
    'workstreams/all.json': [
      { id: 'ws-done', steps: [{ module: '../tasks/give.mjs' }], priority: 'high' },
      { id: 'ws-fails', steps: [{ run: `${mark}; test -e mended` }], priority: 'high' },
      { id: 'ws-needs-it', steps: [{ run: mark }], depends_on: ['ws-fails'] },
      { id: 'ws-waits', steps: [{ run: waiting }], priority: 'low' },
      { id: 'ws-last', steps: [{ module: '../tasks/give.mjs' }], depends_on: ['ws-done', 'ws-waits'] },
    ],
  });
  return folder;
}

const isAbout = (id: string, event: string) => (line: string) =>
  line.includes(`"workstream_id":"${id}"`) && line.includes(`"${event}"`);

async function underWay(run: Started): Promise<void> {
  await run.line(isAbout('ws-done', 'workstream-finished'));
  await run.line(isAbout('ws-needs-it', 'workstream-finished'));
  await run.line(isAbout('ws-waits', 'workstream-started'));
}

/** Kills a run with SIGKILL while `ws-waits` waits. Returns the run's id. */
async function killed(folder: string): Promise<string> {
  const run = startMillrace(folder, ['run', '-j', '2', '--grace', '0.3']);
  await underWay(run);
  await untilThere(join(folder, 'pid'));
  run.killAll();
  await run.finished;
  return String(query(folder, 'SELECT run_id AS id FROM consolidated_runs')[0]?.['id']);
}

async function untilThere(path: string): Promise<void> {
  while (!existsSync(path) || readFileSync(path, 'utf8') === '') {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const ran = (folder: string): string[] =>
  readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n').toSorted();

const statuses = (folder: string, runId: string) =>
  Object.fromEntries(
    query<{ id: string; status: string }>(
      folder,
      'SELECT workstream_id AS id, status FROM agent_results WHERE run_id = ?',
      runId,
    ).map(({ id, status }) => [id, status]),
  );

const release = (folder: string): void => {
  const path = join(folder, 'workstreams/all.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('cat gate', 'true'));
};

test('a killed run goes on under its id, with its options, and repeats nothing that had ended', async () => {
  const folder = backlog();
  const runId = await killed(folder);
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  expect(groupIsAlive(pid)).toBe(true);
  expect((await millrace(folder, ['status'])).stdout).toContain(`Go on with: millrace run --resume ${runId}`);
  expect((await millrace(folder, ['run', '--resume', '-n'])).stdout).toContain('2 workstreams in 2 waves');
  release(folder);
  const { code, stdout } = await millrace(folder, ['run', '--resume'], { MILLRACE_AGENTS: '1' });
  expect(code).toBe(1);
  if (hasProcessTable) {
    expect(groupIsAlive(pid)).toBe(false);
    const told = stdout.split('\n').find((line) => line.includes('of the interrupted run'));
    expect(told).toMatch(/(A process|2 processes) of the interrupted run (was|were) still alive and ended: /);
    expect(told).toContain(`${pid} (`);
  }
  const all = { 'ws-done': 'completed', 'ws-fails': 'failed', 'ws-needs-it': 'skipped' };
  expect(statuses(folder, runId)).toEqual({ ...all, 'ws-waits': 'completed', 'ws-last': 'completed' });
  expect(ran(folder)).toEqual(['ws-done', 'ws-fails', 'ws-last', 'ws-waits', 'ws-waits']);
  const [output] = query(
    folder,
    "SELECT metadata ->> '$.output' AS output FROM agent_results WHERE workstream_id = 'ws-last'",
  );
  expect(JSON.parse(String(output?.['output']))).toEqual({
    from: { 'ws-done': { from: {} }, 'ws-waits': null },
  });
  expect(
    query(folder, 'SELECT state, agents_count AS agents, completed_count AS n FROM consolidated_runs'),
  ).toEqual([{ state: 'ended', agents: 2, n: 3 }]);
  const report = readFileSync(join(folder, `reports/multi_agent_consolidated_${runId}.md`), 'utf8');
  expect(report).toMatch(/\| Sessions +\| 2, together in all times/);
  const nothing = await millrace(folder, ['run', '--resume']);
  expect([nothing.code, nothing.stdout]).toEqual([4, expect.stringContaining('There is nothing to resume')]);
  expect((await millrace(folder, ['run', '--resume', runId])).code).toBe(4);
});

test('a run that is alive is refused, and so is an id of none', async () => {
  const folder = backlog();
  const run = startMillrace(folder, ['run', '-j', '2']);
  await underWay(run);
  const [{ id, pid } = { id: '', pid: 0 }] = query<{ id: string; pid: number }>(
    folder,
    'SELECT run_id AS id, pid FROM consolidated_runs',
  );
  for (const args of [['--resume'], ['--resume', id], ['--retry-failed', id]]) {
    const { code, stdout } = await millrace(folder, ['run', ...args]);
    expect([code, stdout]).toEqual([
      2,
      expect.stringContaining(`The run ${id} is still under way (process ${pid} `),
    ]);
  }
  expect((await millrace(folder, ['run', '--resume', 'ma-run-20200101-000000'])).code).toBe(4);
  expect((await millrace(folder, ['run', '--resume', '--retry-failed'])).code).toBe(2);
  run.child.kill('SIGINT');
  expect((await run.finished).code).toBe(130);
});

test('after a signal, with a name and a flag: only that one, and the rest stays to be resumed', async () => {
  const folder = backlog();
  const run = startMillrace(folder, ['run', '-j', '2']);
  await underWay(run);
  run.child.kill('SIGINT');
  await run.finished;
  release(folder);
  const one = await millrace(folder, ['run', '--resume', 'ws-waits', '-j', '1']);
  expect(one.code).toBe(1);
  const [stored] = query<{ id: string; state: string; agents: number }>(
    folder,
    'SELECT run_id AS id, state, agents_count AS agents FROM consolidated_runs',
  );
  expect(stored).toMatchObject({ state: 'interrupted', agents: 1 });
  const runId = stored?.id ?? '';
  expect(statuses(folder, runId)).toMatchObject({ 'ws-waits': 'completed', 'ws-last': 'skipped' });
  expect((await millrace(folder, ['run', '--resume', runId])).code).toBe(1);
  expect(statuses(folder, runId)).toMatchObject({ 'ws-last': 'completed' });
  expect(query(folder, 'SELECT state, resumed_at > created_at AS later FROM consolidated_runs')).toEqual([
    { state: 'ended', later: 1 },
  ]);
});

test('what changed since is named and run again', async () => {
  const folder = backlog();
  await killed(folder);
  release(folder);
  const path = join(folder, 'workstreams/all.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('test -e mended', 'true'));
  const { code, stdout } = await millrace(folder, ['run', '--resume']);
  expect(code).toBe(0);
  expect(stdout).toContain(
    'The definition of ws-fails changed since the run was interrupted: it is run again.',
  );
  expect(parseLines(stdout).at(-1)).toMatchObject({ workstreams: 5, completed: 5, failed: 0, skipped: 0 });
});

test('failures are tried again in a run of their own, linked to the first', async () => {
  const folder = backlog(mark);
  expect((await millrace(folder, ['run', '-j', '2'])).code).toBe(1);
  writeFileSync(join(folder, 'mended'), '');
  const { code } = await millrace(folder, ['run', '--retry-failed']);
  expect(code).toBe(0);
  const runs = query<{ id: string; retryOf: string | null }>(
    folder,
    'SELECT run_id AS id, retry_of AS retryOf FROM consolidated_runs ORDER BY created_at',
  );
  expect(runs.map(({ retryOf }) => retryOf)).toEqual([null, runs[0]?.id]);
  expect(statuses(folder, runs[1]?.id ?? '')).toEqual({
    'ws-fails': 'completed',
    'ws-needs-it': 'completed',
  });
  const shown = await millrace(folder, ['show', 'latest']);
  expect(shown.stdout).toContain(`Tries again what failed in ${runs[0]?.id}`);
  const nothing = await millrace(folder, ['run', '--retry-failed']);
  expect([nothing.code, nothing.stdout]).toEqual([4, expect.stringContaining('Nothing failed in')]);
});

test('of the failures only those with one error pattern are tried again, where that is asked for', async () => {
  const folder = temporaryFolder();
  const failing = (id: string, text: string) => ({ id, steps: [{ run: `echo "Error: ${text}"; exit 1` }] });
  writeFiles(folder, {
    'workstreams/all.json': [
      ...['a', 'b', 'c', 'd'].map((id) => failing(`ws-${id}`, 'the disk is full')),
      failing('ws-other', 'no such table'),
    ],
  });
  const first = JSON.parse((await millrace(folder, ['run', '--json'])).stdout);
  const [{ id }] = first.errors;
  const again = ['run', '--retry-failed', first.run.runId, '--json', '--pattern'];
  const { workstreams } = JSON.parse((await millrace(folder, [...again, id])).stdout);
  const ids = workstreams.map(({ workstreamId }: { workstreamId: string }) => workstreamId);
  expect(ids.toSorted()).toEqual(['ws-a', 'ws-b', 'ws-c', 'ws-d']);
  const none = await millrace(folder, [...again, 'p-none']);
  expect([none.code, none.stderr]).toEqual([
    4,
    expect.stringContaining(`Nothing failed with the pattern p-none in ${first.run.runId}.`),
  ]);
  const alone = await millrace(folder, ['run', '--pattern', id]);
  expect([alone.code, alone.stdout]).toEqual([2, expect.stringContaining('use it with --retry-failed')]);
});

test('the library resumes too', async () => {
  const folder = backlog();
  const runId = await killed(folder);
  release(folder);
  const coordinator = new MultiAgentWorkstreamCoordinator({ cwd: folder, resume: runId, agentsCount: 3 });
  expect(await coordinator.run()).toBe(1);
  expect(coordinator.result?.runId).toBe(runId);
  expect(coordinator.result?.consolidated.run.totals).toMatchObject({ completed: 3, failed: 1, skipped: 1 });
});

test('what a killed run left in a worktree is kept, and the run goes on from the same commit', async () => {
  const folder = makeRepository();
  execFileSync('mkfifo', [join(folder, 'gate')]);
  const step = { run: `echo work > work.txt; echo $$ > ${folder}/pid; cat ${folder}/gate` };
  const needs = { run: 'test -f work.txt && echo more > more.txt' };
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-waits', workspace: 'worktree', steps: [step] },
      { id: 'ws-needs', workspace: 'worktree', steps: [needs], depends_on: ['ws-waits'] },
    ],
  });
  const run = startMillrace(folder, ['run']);
  await untilThere(join(folder, 'pid'));
  run.killAll();
  await run.finished;
  writeFiles(folder, {
    'workstreams/all.json': readFileSync(join(folder, 'workstreams/all.json'), 'utf8').replace(
      `; cat ${folder}/gate`,
      '',
    ),
  });
  const { code, stdout } = await millrace(folder, ['run', '--resume']);
  expect(stdout).toMatch(/What the worktree .*ws-waits-1 of ws-waits held is kept as [0-9a-f]{12}\./);
  expect(code).toBe(0);
  const [{ id } = { id: '' }] = query<{ id: string }>(folder, 'SELECT run_id AS id FROM consolidated_runs');
  expect(contentIn(folder, `millrace/${id}/_merged`, 'more.txt')).toBe('more\n');
  expect(contentIn(folder, `millrace/${id}/_merged`, 'work.txt')).toBe('work\n');
});

test('a failure that is tried again starts from the work of what completed in the first run', async () => {
  const folder = makeRepository();
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-first', workspace: 'worktree', steps: [{ run: 'echo work > work.txt' }] },
      {
        id: 'ws-second',
        workspace: 'worktree',
        steps: [{ run: `test -e ${folder}/.state/mended && cat work.txt > more.txt` }],
        depends_on: ['ws-first'],
      },
    ],
  });
  expect((await millrace(folder, ['run'])).code).toBe(1);
  writeFiles(folder, { '.state/mended': '' });
  expect((await millrace(folder, ['run', '--retry-failed'])).code).toBe(0);
  const [last = ''] = git(
    folder,
    'for-each-ref',
    '--format=%(refname)',
    '--sort=-refname',
    'refs/heads/millrace/*/ws-second',
  ).split('\n');
  expect(contentIn(folder, last, 'more.txt')).toBe('work\n');
});

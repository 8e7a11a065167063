/** A run that is told to end, and one that is looked at while it is under way. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { groupIsAlive } from '../../src/os/process-group.ts';
import {
  cleanEnvironment,
  millrace,
  parseLines,
  type Started,
  startMillrace,
  writeFiles,
} from '../kit/command.ts';
import { reportedRuns } from '../kit/reports.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** Two workstreams that complete, one that waits until the test writes to its pipe, and one that needs it. */
function waitingFolder(command: string): string {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'gate'), join(folder, 'pid')]);
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-done-1', steps: [{ run: 'true' }], priority: 'high' },
      { id: 'ws-done-2', steps: [{ run: 'true' }], priority: 'high' },
      { id: 'ws-waits', steps: [{ run: command }] },
      { id: 'ws-needs', steps: [{ run: 'true' }], depends_on: ['ws-waits'] },
    ],
  });
  return folder;
}

/** The process of the one that waits; given once, when it has begun to. */
const pidOf = (folder: string): number => Number(readFileSync(join(folder, 'pid'), 'utf8'));

/** Until both quick ones are finished and the third prints that it waits. */
async function underWay(run: Started): Promise<void> {
  const of = (id: string, event: string) => (line: string) =>
    line.includes(`"${id}"`) && line.includes(`"${event}"`);
  await run.line(of('ws-done-1', 'workstream-finished'));
  await run.line(of('ws-done-2', 'workstream-finished'));
  await run.line(of('ws-waits', 'workstream-started'));
}

const results = (folder: string) =>
  query(folder, 'SELECT workstream_id AS id, status, reason FROM agent_results ORDER BY workstream_id');

test('status shows a run that is under way', async () => {
  const folder = waitingFolder('cat gate');
  const run = startMillrace(folder, ['run', '-j', '2']);
  await underWay(run);
  const status = await millrace(folder, ['status']);
  expect(status.code).toBe(0);
  expect(status.stdout).toMatch(/: running, started/);
  expect(status.stdout).toContain(
    '4 workstreams: 2 completed, 0 failed, 0 skipped, 1 running, 0 ready, 1 waiting',
  );
  expect(status.stdout).toMatch(/^agent-\d +ws-waits/m);
  writeFileSync(join(folder, 'gate'), 'go\n');
  expect((await run.finished).code).toBe(0);
  expect((await millrace(folder, ['status'])).stdout).toContain('4 completed');
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends what runs, consolidates, reports, and exits with %i', async (signal, exitCode) => {
  const folder = waitingFolder('echo $$ > pid; cat gate');
  const run = startMillrace(folder, ['run', '-j', '2']);
  await underWay(run);
  const pid = pidOf(folder);
  run.child.kill(signal);
  const { code, stdout } = await run.finished;
  expect(code).toBe(exitCode);
  expect(parseLines(stdout).map(({ event }) => event)).toContain('interrupting');
  expect(results(folder)).toEqual([
    { id: 'ws-done-1', status: 'completed', reason: null },
    { id: 'ws-done-2', status: 'completed', reason: null },
    { id: 'ws-needs', status: 'skipped', reason: 'interrupted' },
    { id: 'ws-waits', status: 'skipped', reason: 'interrupted' },
  ]);
  expect(
    query(folder, 'SELECT state, total_workstreams AS n, skipped_count AS s FROM consolidated_runs'),
  ).toEqual([{ state: 'interrupted', n: 4, s: 2 }]);
  expect(reportedRuns(join(folder, 'reports'))).toHaveLength(1);
  expect(groupIsAlive(pid)).toBe(false);
});

test('a second signal does not wait for what does not want to end', async () => {
  const folder = waitingFolder("trap '' TERM; echo $$ > pid; cat gate; cat gate");
  const run = startMillrace(folder, ['run', '-j', '2', '--grace', '3000']);
  await underWay(run);
  const pid = pidOf(folder);
  run.child.kill('SIGINT');
  await run.line((line) => line.includes('"interrupting"'));
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(130);
  expect(results(folder).map(({ status }) => status)).toEqual([
    'completed',
    'completed',
    'skipped',
    'skipped',
  ]);
  expect(groupIsAlive(pid)).toBe(false);
});

test('what does not want to end is made to within the grace', async () => {
  const folder = waitingFolder("trap '' TERM; echo $$ > pid; cat gate; cat gate");
  const run = startMillrace(folder, ['run', '-j', '2', '--grace', '0.1']);
  await underWay(run);
  const pid = pidOf(folder);
  run.child.kill('SIGINT');
  expect((await run.finished).code).toBe(130);
  expect(results(folder).map(({ status }) => status)).toEqual([
    'completed',
    'completed',
    'skipped',
    'skipped',
  ]);
  expect(groupIsAlive(pid)).toBe(false);
});

test('what asks for the end of a run that has ended changes nothing, and keeps no process alive', () => {
  const folder = temporaryFolder();
  const index = fileURLToPath(new URL('../../dist/src/index.js', import.meta.url));
  writeFiles(folder, {
    'workstreams/all.json': [{ id: 'ws-a', steps: [{ run: 'true' }] }],
    'late.mjs': `
import { MultiAgentWorkstreamCoordinator } from '${index}';
const coordinator = new MultiAgentWorkstreamCoordinator();
const types = [];
coordinator.subscribe(({ type }) => {
  types.push(type);
  if (type === 'run-ended') coordinator.interrupt('SIGTERM');
});
const exitCode = await coordinator.run();
coordinator.interrupt('SIGINT');
process.once('exit', () => console.log(JSON.stringify({ exitCode, last: types.slice(-2) })));
`,
  });
  const printed = execFileSync(process.execPath, ['late.mjs'], {
    cwd: folder,
    env: cleanEnvironment(),
    encoding: 'utf8',
    // A process that stays alive would hold up the test's own limit as well.
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  expect(JSON.parse(printed)).toEqual({ exitCode: 0, last: ['workstream-finished', 'run-ended'] });
  expect(query(folder, 'SELECT state, exit_code AS code FROM consolidated_runs')).toEqual([
    { state: 'ended', code: 0 },
  ]);
});

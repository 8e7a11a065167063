/** Workstreams that end the process they run in, and what becomes of the run. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { hasProcessTable } from '../../src/os/process-table.ts';
import { bin, millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { isLiving } from '../kit/is-living.ts';
import { reportedRuns } from '../kit/reports.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const BEHAVIOURS = fileURLToPath(new URL('../fixtures/modules/behaviours.mjs', import.meta.url));

/** What each of these does ends the process that its thread is part of. */
const KILLERS = `
import { execFileSync } from 'node:child_process';
import { isMainThread } from 'node:worker_threads';
import { appendFileSync } from 'node:fs';
import { growsNumbers } from '${BEHAVIOURS}';
// process.kill refuses it.
const signalFromOutside = (pid, signal) => execFileSync('kill', ['-s', signal.slice(3), String(pid)]);
const waits = () => new Promise(() => setInterval(() => undefined, 1_000));
const kills = (signal) => (_, { workstream }) => {
  appendFileSync('ran', workstream.id + '\\n');
  signalFromOutside(process.pid, signal);
  return waits();
};
export { growsNumbers };
export const segfaults = kills('SIGSEGV');
export const aborts = kills('SIGABRT');
export const isKilled = kills('SIGKILL');
export const killsTheRun = () => {
  signalFromOutside(isMainThread ? process.ppid : process.pid, 'SIGKILL');
  return waits();
};
export const isInnocent = (_, { workstream }) => {
  appendFileSync('ran', workstream.id + '\\n');
};
`;

const innocent = (id: string) => ({ id, steps: [{ module: '../tasks/kill.mjs', export: 'isInnocent' }] });
const killer = (id: string, name: string) => ({
  id,
  priority: 'high',
  steps: [{ module: '../tasks/kill.mjs', export: name }],
});

function folderOf(...workstreams: object[]): string {
  const folder = temporaryFolder();
  writeFiles(folder, { 'tasks/kill.mjs': KILLERS, 'workstreams/all.json': workstreams });
  return folder;
}

const results = (folder: string) =>
  query<{ id: string; status: string; reason: string | null; explanation: string | null }>(
    folder,
    'SELECT workstream_id AS id, status, reason, explanation FROM agent_results ORDER BY workstream_id',
  );
const reasons = (folder: string) =>
  Object.fromEntries(results(folder).map(({ id, status, reason }) => [id, reason ?? status]));
const ran = (folder: string) => readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n');

/** All there, one run, one report. */
function expectWhole(folder: string, state = 'ended'): void {
  expect(query(folder, 'SELECT state FROM consolidated_runs')).toEqual([{ state }]);
  expect(reportedRuns(join(folder, 'reports'))).toHaveLength(1);
}

test.each([
  ['segfaults', 'process-crashed', 'Its process was ended by SIGSEGV: native code'],
  ['aborts', 'process-crashed', 'Its process was ended by SIGABRT'],
  ['isKilled', 'process-crashed', 'Its process was ended by SIGKILL: something killed it'],
  ['growsNumbers', 'out-of-memory', ' of 64 MB'],
])('%s: the run goes on, and this one has failed', async (name, reason, explanation) => {
  const others = Array.from({ length: 6 }, (_, index) => innocent(`ws-${index}`));
  const needs = { ...innocent('ws-needs'), depends_on: ['ws-0'] };
  const doomed = { ...innocent('ws-doomed'), depends_on: ['ws-bad'] };
  const folder = folderOf(killer('ws-bad', name), ...others, needs, doomed);
  const { code, stdout } = await millrace(folder, ['run', '--agent-memory', '64']);
  expect(code).toBe(1);
  const completed = Object.fromEntries([...others, needs].map(({ id }) => [id, 'completed']));
  expect(reasons(folder)).toEqual({ ...completed, 'ws-bad': reason, 'ws-doomed': 'dependency-failed' });
  expect(results(folder).find(({ id }) => id === 'ws-bad')?.explanation).toContain(explanation);
  expect(stdout).toMatch(/The process of the run was ended by SIG[A-Z]+ while/);
  expectWhole(folder);
});

test('what was running is run again one at a time, each in a process of its own', async () => {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'gate')]);
  const inHand = (id: string) => ({
    id,
    priority: 'high',
    steps: [{ module: '../tasks/in-hand.mjs', input: { kills: id === 'ws-bad' } }],
  });
  const module = `
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
export default ({ kills }, { workstream }) => {
  if (!isMainThread) {
    writeFileSync('in-hand-' + workstream.id, '');
    while (!['ws-a', 'ws-b', 'ws-bad'].every((id) => existsSync('in-hand-' + id)));
    if (kills) execFileSync('kill', ['-KILL', String(process.pid)]);
    for (;;);
  }
  closeSync(openSync('alone', 'wx'));
  if (kills) { rmSync('alone'); process.kill(process.pid, 'SIGKILL'); }
  rmSync('alone');
  return { output: process.ppid };
};`;
  writeFiles(folder, {
    'tasks/in-hand.mjs': module,
    'workstreams/all.json': [inHand('ws-a'), inHand('ws-b'), inHand('ws-bad')],
  });
  const { code, stdout } = await millrace(folder, ['run', '-j', '3']);
  expect(code).toBe(1);
  expect(reasons(folder)).toEqual({ 'ws-a': 'completed', 'ws-b': 'completed', 'ws-bad': 'process-crashed' });
  const [{ pid } = { pid: 0 }] = query<{ pid: number }>(folder, 'SELECT pid FROM consolidated_runs');
  const outputs = query(
    folder,
    "SELECT metadata ->> '$.output' AS parent FROM agent_results WHERE status = 'completed'",
  );
  expect(outputs).toEqual([{ parent: pid }, { parent: pid }]);
  expect(stdout).toMatch(/ were running: they are run again one at a time, each in a process of its own\./);
});

test.each(['kills', 'killsOnceItIsInTheDatabase'])(
  'of what is given to a thread at once only the one that has begun is suspected: %s',
  async (name) => {
    const folder = temporaryFolder();
    const module = `
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
const Database = createRequire(${JSON.stringify(bin)})('better-sqlite3');
export default () => undefined;
// On a busy machine a tiny one may take so long that it is in the database: not before its result is there, too.
const isAnotherInHand = () => {
  const connection = new Database('.state/multi_agent_consolidated.db', { readonly: true });
  const others = connection.prepare("SELECT 1 FROM workstreams_in_hand WHERE workstream_id <> 'ws-bad'").all();
  connection.close();
  return others.length > 0;
};
export const kills = () => {
  while (isAnotherInHand());
  execFileSync('kill', ['-KILL', String(process.pid)]);
};
export const killsOnceItIsInTheDatabase = () => {
  const args = [${JSON.stringify(bin)}, 'status', '--json'];
  const isKnown = () => {
    const { running } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
    return running.some(({ workstreamId }) => workstreamId === 'ws-bad');
  };
  while (!isKnown());
  kills();
};`;
    const tiny = (id: string) => ({ id, steps: [{ module: '../tasks/tiny.mjs' }] });
    const workstreams = Array.from({ length: 600 }, (_, index) => tiny(`ws-${index}`));
    workstreams.splice(300, 0, {
      id: 'ws-bad',
      steps: [Object.assign({ module: '../tasks/tiny.mjs' }, { export: name })],
    });
    writeFiles(folder, { 'tasks/tiny.mjs': module, 'workstreams/all.json': workstreams });
    expect((await millrace(folder, ['run', '-j', '1'])).code).toBe(1);
    const ends = Object.values(reasons(folder));
    expect([ends.length, reasons(folder)['ws-bad']]).toEqual([601, 'process-crashed']);
    expect(ends.filter((end) => end === 'completed')).toHaveLength(600);
    // Those that the thread had been given with it are above suspicion.
    const deaths = 'SELECT workstream_id AS id, deaths FROM run_crashes';
    expect(query(folder, deaths)).toEqual([{ id: 'ws-bad', deaths: 1 }]);
    expectWhole(folder);
  },
  120_000,
);

test('many that end their process at once do not keep the others from completing', async () => {
  const killers = Array.from({ length: 7 }, (_, index) => killer(`ws-bad-${index}`, 'segfaults'));
  const others = Array.from({ length: 7 }, (_, index) => innocent(`ws-${index}`));
  const folder = folderOf(...killers, ...others);
  expect((await millrace(folder, ['run', '-j', '2'])).code).toBe(1);
  const expected = [
    ...killers.map(({ id }) => [id, 'process-crashed']),
    ...others.map(({ id }) => [id, 'completed']),
  ];
  expect(reasons(folder)).toEqual(Object.fromEntries(expected));
  // One that had ended when the process died, and was not announced, is run again.
  expect(new Set(ran(folder).filter((id) => !id.startsWith('ws-bad'))).size).toBe(7);
  expectWhole(folder);
}, 120_000);

test('one that ends the run from its own process is found out', async () => {
  const folder = folderOf(killer('ws-bad', 'killsTheRun'), innocent('ws-a'), innocent('ws-b'));
  const { code, stdout } = await millrace(folder, ['run', '-j', '2']);
  expect(code).toBe(1);
  expect(reasons(folder)).toEqual({ 'ws-a': 'completed', 'ws-b': 'completed', 'ws-bad': 'process-crashed' });
  expect(stdout).toContain('again while ws-bad was running: it is not run any more.');
  expect(query(folder, 'SELECT deaths FROM run_crashes WHERE workstream_id = ?', 'ws-bad')).toEqual([
    { deaths: 2 },
  ]);
  expectWhole(folder);
});

test('with isolation: process nothing of that happens to the run', async () => {
  const apart = { ...killer('ws-bad', 'segfaults'), isolation: 'process' };
  const limited = { ...killer('ws-big', 'growsNumbers'), memory_limit_mb: 64 };
  const folder = folderOf(apart, limited, innocent('ws-a'));
  const { code, stdout } = await millrace(folder, ['run']);
  expect(code).toBe(1);
  expect(reasons(folder)).toEqual({
    'ws-a': 'completed',
    'ws-bad': 'process-crashed',
    'ws-big': 'out-of-memory',
  });
  expect(stdout.match(/"event":"run-started"/g)).toHaveLength(1);
});

test('options, names and --json survive the death', async () => {
  const folder = folderOf(killer('ws-bad', 'segfaults'), innocent('ws-a'), innocent('ws-other'));
  const { code, stdout } = await millrace(folder, ['run', 'ws-bad', 'ws-a', '--json', '-j', '2']);
  expect(code).toBe(1);
  const document: unknown = JSON.parse(stdout);
  expect(document).toMatchObject({ run: { executionSummary: { exitCode: 1 } } });
  expect(reasons(folder)).toEqual({ 'ws-a': 'completed', 'ws-bad': 'process-crashed' });
});

test('a run that dies again and again for reasons of its own gives up, and says how to go on', async () => {
  const folder = folderOf(killer('ws-bad', 'segfaults'), innocent('ws-a'));
  writeFiles(folder, {
    'dies.cjs': "if (process.env.MILLRACE_GOES_ON) process.kill(process.pid, 'SIGKILL');",
  });
  const { code, stderr } = await millrace(folder, ['run'], { NODE_OPTIONS: `--require ${folder}/dies.cjs` });
  expect(code).toBe(3);
  expect(stderr).toMatch(/3 times in a row before it did anything\. .* millrace run --resume ma-run-/);
  expect((await millrace(folder, ['run', '--resume'])).code).not.toBe(0);
});

test('without the process that watches the run ends as after SIGTERM', async () => {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'gate')]);
  writeFiles(folder, {
    'workstreams/all.json': [{ id: 'ws-waits', steps: [{ run: 'echo $$ > pid; cat gate' }] }],
  });
  const run = startMillrace(folder, ['run']);
  await run.line((line) => line.includes('"workstream-started"'));
  while (!existsSync(join(folder, 'pid')) || readFileSync(join(folder, 'pid'), 'utf8') === '')
    await new Promise((resolve) => setImmediate(resolve));
  run.child.kill('SIGKILL');
  const { signal, stdout } = await run.finished;
  expect(signal).toBe('SIGKILL');
  expect(stdout).toContain('"event":"run-ended"');
  expect(reasons(folder)).toEqual({ 'ws-waits': 'interrupted' });
  expect(isLiving(Number(readFileSync(join(folder, 'pid'), 'utf8')))).toBe(false);
  expectWhole(folder, 'interrupted');
});

test.runIf(hasProcessTable)('a process of a workstream does not outlive those of its run', async () => {
  const folder = temporaryFolder();
  const module = `
import { renameSync, writeFileSync } from 'node:fs';
export default () => {
  writeFileSync('pid.part', String(process.pid));
  renameSync('pid.part', 'pid');
  return new Promise(() => setInterval(() => undefined, 1_000));
};`;
  writeFiles(folder, {
    'tasks/waits.mjs': module,
    'workstreams/all.json': [
      { id: 'ws-waits', isolation: 'process', steps: [{ module: '../tasks/waits.mjs' }] },
    ],
  });
  const run = startMillrace(folder, ['run', '--grace', '0.1']);
  while (!existsSync(join(folder, 'pid'))) await new Promise((resolve) => setImmediate(resolve));
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  expect(isLiving(pid)).toBe(true);
  run.killAll();
  await run.finished;
  while (isLiving(pid)) await new Promise((resolve) => setImmediate(resolve));
});

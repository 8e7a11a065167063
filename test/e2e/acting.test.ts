/** Stopping and retrying workstreams of a run under way, from another process. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { millrace, type Started, startMillrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** One that waits for the test, one that fails until `fixed` exists, what needs either, and one that comes last. */
function backlog(fails = 'echo tried; test -e fixed'): string {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'gate')]);
  writeFiles(folder, {
    'workstreams/all.json': [
      {
        id: 'ws-waits',
        priority: 3,
        steps: [{ run: 'echo begun; cat gate' }],
        compensation_actions: ['echo undone > undone'],
        circuit_breaker: { max_attempts: 3 },
      },
      { id: 'ws-fails', priority: 2, steps: [{ run: fails }] },
      { id: 'ws-needs-it', depends_on: ['ws-fails'], steps: [{ run: 'true' }] },
      { id: 'ws-needs-that', depends_on: ['ws-needs-it'], steps: [{ run: 'true' }] },
      { id: 'ws-after', depends_on: ['ws-waits'], steps: [{ run: 'true' }] },
    ],
  });
  return folder;
}

const event = (name: string, id: string, times = 1) => {
  let seen = 0;
  return (line: string) =>
    line.includes(`"event":"${name}"`) && line.includes(`"workstream_id":"${id}"`) && (seen += 1) >= times;
};

/** Starts the backlog; what fails has failed, and `ws-waits` runs. */
async function underWay(folder: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Started> {
  const run = startMillrace(folder, ['run', '-j', '2', '--grace', '0.3', ...args], env);
  await run.line(event('workstream-finished', 'ws-needs-that'));
  await run.line(event('workstream-started', 'ws-waits'));
  return run;
}

const open = (folder: string): void => writeFileSync(join(folder, 'gate'), '');

const rows = (folder: string): string[] =>
  query(folder, 'SELECT workstream_id, status, reason FROM agent_results ORDER BY workstream_id').map(
    ({ workstream_id: id, status, reason }) => [id, status, reason ?? []].flat().join(' '),
  );

const totals = (folder: string) =>
  query(
    folder,
    `SELECT completed_count, failed_count, skipped_count, total_errors,
       (SELECT COUNT(*) FROM consolidated_errors) AS errors FROM consolidated_runs`,
  );

describe('millrace stop', () => {
  test('fails one workstream with who asked, undoes it, skips what needs it, and lets the run go on', async () => {
    const folder = backlog();
    const run = await underWay(folder);
    const stopped = await millrace(folder, ['stop', 'ws-waits']);
    expect([stopped.code, stopped.stdout]).toEqual([0, 'ws-waits is being stopped.\n']);
    expect((await run.finished).code).toBe(1);
    expect(rows(folder)).toContain('ws-waits failed cancelled');
    expect(rows(folder)).toContain('ws-after skipped dependency-failed');
    const [row] = query(
      folder,
      "SELECT explanation, attempts FROM agent_results WHERE workstream_id = 'ws-waits'",
    );
    expect(row).toMatchObject({ attempts: 1 });
    expect(row?.['explanation']).toMatch(/^It was stopped by \S+@\S+, process \d+: it was running\.$/);
    expect(readFileSync(join(folder, 'undone'), 'utf8')).toBe('undone\n');
  });

  test('says of each what was done, with globs and as JSON', async () => {
    const folder = backlog();
    const run = await underWay(folder);
    const { code, stdout } = await millrace(folder, ['stop', 'ws-a*', 'ws-fails', 'ws-nowhere', '--json']);
    const { results } = JSON.parse(stdout);
    expect(results.map(({ workstream_id: id, did }: Record<string, string>) => `${id} ${did}`)).toEqual([
      'ws-after stopped',
      'ws-fails ended',
      'ws-nowhere unknown',
    ]);
    expect(code).toBe(1);
    open(folder);
    await run.finished;
    expect(rows(folder)).toContain('ws-after failed cancelled');
    expect(rows(folder)).toContain('ws-waits completed');
  });

  test('without a name ends the run as Ctrl-C does, and it can be resumed', async () => {
    const folder = backlog();
    const run = await underWay(folder);
    expect((await millrace(folder, ['stop'])).code).toBe(0);
    expect((await run.finished).code).toBe(130);
    expect(rows(folder)).toContain('ws-waits skipped interrupted');
    const resumed = startMillrace(folder, ['run', '--resume']);
    await resumed.line(event('workstream-started', 'ws-waits'));
    open(folder);
    await resumed.finished;
    expect(rows(folder)).toContain('ws-waits completed');
  });

  test('stops a workstream in a batch of tiny ones, and none beside it', async () => {
    const folder = temporaryFolder();
    const tiny = Array.from({ length: 300 }, (_, number) => ({
      id: `ws-${number}`,
      steps: [{ module: './none.mjs' }],
    }));
    writeFiles(folder, {
      'workstreams/none.mjs': 'export default () => {};',
      'workstreams/waits.mjs': 'export default () => new Promise(() => setInterval(() => {}, 1000));',
      'workstreams/all.json': [...tiny, { id: 'ws-waits', priority: -1, steps: [{ module: './waits.mjs' }] }],
    });
    const run = startMillrace(folder, ['run', '-j', '1', '--log-level', 'debug', '--grace', '0.3']);
    await run.line((line) => line.includes('"workstream_id":"ws-waits"') && /started|begun/.test(line));
    await millrace(folder, ['stop', 'ws-waits']);
    await run.finished;
    expect(totals(folder)).toEqual([
      { completed_count: 300, failed_count: 1, skipped_count: 0, total_errors: 1, errors: 1 },
    ]);
  });
});

describe('millrace retry', () => {
  test('opens a failed workstream again, with what was skipped for it, and keeps the failure as an attempt', async () => {
    const folder = backlog();
    const run = await underWay(folder);
    writeFileSync(join(folder, 'fixed'), '');
    const { code, stdout } = await millrace(folder, ['retry', 'ws-fails']);
    expect([code, stdout]).toEqual([
      0,
      'ws-fails is open again: attempt 2 follows as soon as an agent is free, beyond its max_attempts of 1. 2 workstreams that had been skipped for it are open again too.\n',
    ]);
    await run.line(event('workstream-finished', 'ws-needs-that', 2));
    open(folder);
    expect((await run.finished).code).toBe(0);
    expect(rows(folder)).toEqual([
      'ws-after completed',
      'ws-fails completed',
      'ws-needs-it completed',
      'ws-needs-that completed',
      'ws-waits completed',
    ]);
    const attempts = query(
      folder,
      'SELECT attempt, reason, log_file FROM workstream_attempts ORDER BY attempt',
    );
    expect(attempts).toMatchObject([
      { attempt: 1, reason: 'exit-non-zero' },
      { attempt: 2, reason: null },
    ]);
    expect(readFileSync(String(attempts[0]?.['log_file']), 'utf8')).toBe('tried\n');
    expect(totals(folder)).toMatchObject([
      { completed_count: 5, failed_count: 0, total_errors: 0, errors: 0 },
    ]);
  });

  test('loses neither the attempt nor the workstream where the run is killed after it', async () => {
    const folder = backlog(
      'echo tried; test -e fixed || { test $MILLRACE_ATTEMPT = 2 && cat never; exit 1; }',
    );
    execFileSync('mkfifo', [join(folder, 'never')]);
    const run = await underWay(folder);
    await millrace(folder, ['retry', 'ws-fails']);
    run.killAll();
    await run.finished;
    writeFileSync(join(folder, 'fixed'), '');
    const resumed = startMillrace(folder, ['run', '--resume', '-j', '2']);
    await resumed.line(event('workstream-finished', 'ws-needs-that'));
    open(folder);
    expect((await resumed.finished).code).toBe(0);
    expect(rows(folder)).toContain('ws-fails completed');
    const attempts = query(folder, "SELECT reason FROM workstream_attempts WHERE workstream_id = 'ws-fails'");
    expect(attempts).toContainEqual({ reason: 'exit-non-zero' });
    expect(totals(folder)).toMatchObject([{ completed_count: 5, failed_count: 0, errors: 0 }]);
  });

  test('opens a workstream that failed in an earlier session of the run', async () => {
    const folder = backlog();
    const first = await underWay(folder);
    first.killAll();
    await first.finished;
    const resumed = startMillrace(folder, ['run', '--resume', '-j', '2']);
    await resumed.line(event('workstream-started', 'ws-waits'));
    writeFileSync(join(folder, 'fixed'), '');
    expect((await millrace(folder, ['retry', 'ws-fails'])).stdout).toContain('attempt 2 follows');
    await resumed.line(event('workstream-finished', 'ws-needs-that'));
    open(folder);
    expect((await resumed.finished).code).toBe(0);
  });

  test('of a run that has ended says what to type instead', async () => {
    const folder = backlog();
    const run = await underWay(folder);
    open(folder);
    await run.finished;
    const { code, stderr } = await millrace(folder, ['retry', 'ws-fails']);
    expect(code).toBe(4);
    expect(stderr).toMatch(
      /has ended\. To try again what failed in it: millrace run --retry-failed ma-run-\S+ ws-fails\n$/,
    );
  });
});

describe('the socket of a run', () => {
  test('is in the folder for such things while the run is under way, and gone afterwards', async () => {
    const folder = backlog();
    const runtime = temporaryFolder();
    const run = await underWay(folder, [], { XDG_RUNTIME_DIR: runtime });
    const [row] = query(folder, 'SELECT control_socket FROM consolidated_runs');
    expect(String(row?.['control_socket']).startsWith(runtime)).toBe(true);
    open(folder);
    await run.finished;
    expect(readdirSync(runtime)).toEqual([]);
    expect(query(folder, 'SELECT control_socket FROM consolidated_runs')).toEqual([{ control_socket: null }]);
  });

  test('of a run that was killed is removed by the next one', async () => {
    const folder = backlog();
    const runtime = temporaryFolder();
    const run = await underWay(folder, [], { XDG_RUNTIME_DIR: runtime });
    run.killAll();
    await run.finished;
    expect(readdirSync(runtime)).toHaveLength(1);
    await millrace(folder, ['run', 'ws-needs-it'], { XDG_RUNTIME_DIR: runtime });
    expect(readdirSync(runtime)).toEqual([]);
  });

  test('has to be named where several runs are under way', async () => {
    const folder = backlog();
    const one = await underWay(folder);
    const two = startMillrace(folder, ['run', 'ws-waits']);
    await two.line(event('workstream-started', 'ws-waits'));
    const { code, stderr } = await millrace(folder, ['stop', 'ws-waits']);
    expect(code).toBe(2);
    expect(stderr).toContain('There are 2 runs under way; name one with --run:');
    const ids = query(folder, 'SELECT run_id FROM consolidated_runs').map((row) => String(row['run_id']));
    for (const id of ids) expect((await millrace(folder, ['stop', '--run', id])).code).toBe(0);
    await Promise.all([one.finished, two.finished]);
  });
});

describe('millrace logs', () => {
  test('prints what a workstream printed, and follows it to its end', async () => {
    const folder = backlog();
    const run = await underWay(folder);
    const following = startMillrace(folder, ['logs', 'ws-waits', '-f']);
    await following.line((line) => line === 'begun');
    writeFileSync(join(folder, 'gate'), 'and ended\n');
    await run.finished;
    expect(await following.finished).toMatchObject({ code: 0, stdout: 'begun\nand ended\n' });
    expect((await millrace(folder, ['logs', 'ws-fails'])).stdout).toBe('tried\n');
  });

  test('follows one that has not begun, from attempt to attempt', async () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [join(folder, 'gate')]);
    mkdirSync(join(folder, 'workstreams'));
    const twice = 'echo "attempt $MILLRACE_ATTEMPT"; test $MILLRACE_ATTEMPT = 2';
    writeFiles(folder, {
      'workstreams/all.json': [
        { id: 'ws-first', steps: [{ run: 'cat gate' }] },
        {
          id: 'ws-twice',
          depends_on: ['ws-first'],
          circuit_breaker: { max_attempts: 2 },
          steps: [{ run: twice }],
        },
      ],
    });
    const run = startMillrace(folder, ['run']);
    await run.line(event('workstream-started', 'ws-first'));
    const following = startMillrace(folder, ['logs', 'ws-twice', '-f']);
    await new Promise((resolve) => following.child.stderr?.once('data', resolve));
    open(folder);
    await run.finished;
    expect((await following.finished).stdout).toBe('attempt 1\nattempt 2\n');
    expect((await millrace(folder, ['logs', 'ws-twice', '--attempt', '1'])).stdout).toBe('attempt 1\n');
    expect(await millrace(folder, ['logs', 'ws-twice', '--attempt', '3'])).toMatchObject({
      code: 4,
      stderr: 'millrace: There was no attempt 3 at ws-twice: it had 2 attempts.\n',
    });
    expect((await millrace(folder, ['logs', 'ws-twice'])).stdout).toBe('attempt 2\n');
  });

  /** Resolves once a command has said this on standard error. */
  const told = ({ child }: Started, text: string): Promise<void> =>
    new Promise((resolve) => {
      let said = '';
      child.stderr?.on('data', (part: string) => {
        said += part;
        if (said.includes(text)) resolve();
      });
    });

  test.each([
    ['one workstream', ['ws-waits', '-f'], 'begun', 'begun\nbegun\nand ended\n'],
    [
      'all workstreams',
      ['-f', '--lines', '9'],
      'ws-waits | begun',
      /ws-waits \| begun\nws-waits \| and ended\n/,
    ],
  ])('follows %s through the death and the resume of the run', async (_, args, first, all) => {
    const folder = backlog();
    const run = await underWay(folder);
    const following = startMillrace(folder, ['logs', ...args]);
    await following.line((line) => line === first);
    const isTold = told(following, 'The process of the run was killed');
    run.killAll();
    await run.finished;
    await isTold;
    const resumed = startMillrace(folder, ['run', '--resume']);
    await resumed.line(event('workstream-started', 'ws-waits'));
    writeFileSync(join(folder, 'gate'), 'and ended\n');
    await resumed.finished;
    const { code, stdout } = await following.finished;
    expect([code, stdout]).toEqual([0, typeof all === 'string' ? all : expect.stringMatching(all)]);
  });

  test('follows all workstreams of a run, each line with the name of its workstream', async () => {
    const folder = backlog('echo one; echo two; exit 1');
    const run = await underWay(folder);
    const following = startMillrace(folder, ['logs', '-f']);
    await following.line((line) => line === 'ws-waits | begun');
    writeFileSync(join(folder, 'gate'), 'and ended, without a line end');
    await run.finished;
    const { code, stdout } = await following.finished;
    expect([code, stdout.trimEnd().split('\n').toSorted()]).toEqual([
      0,
      ['ws-fails | one', 'ws-fails | two', 'ws-waits | and ended, without a line end', 'ws-waits | begun'],
    ]);
  });

  test('follows of each workstream the last lines where only these are asked for', async () => {
    const folder = backlog('echo one; echo two; exit 1');
    const run = await underWay(folder);
    open(folder);
    await run.finished;
    const { stdout } = await millrace(folder, ['logs', '-f', '--lines', '1']);
    expect(stdout.trimEnd().split('\n').toSorted()).toEqual(['ws-fails | two', 'ws-waits | begun']);
  });

  test.each([
    ['logs', 'Say of which workstream: millrace logs ws-api. What all of them print: millrace logs -f.'],
    ['retry', 'Say which to try again: millrace retry ws-api. What failed: millrace errors'],
  ])('%s says what to type where it is not said which workstream', async (command, text) => {
    const folder = backlog();
    const run = await underWay(folder);
    expect(await millrace(folder, [command])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(text),
    });
    open(folder);
    await run.finished;
  });

  test('prints the last lines of a long log, with little memory', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, {
      'workstreams/all.json': [
        { id: 'ws-long', steps: [{ run: 'yes "a line" | head -n 2000000; echo end' }] },
      ],
    });
    await millrace(folder, ['run']);
    const { stdout } = await millrace(folder, ['logs', 'ws-long', '--lines', '2']);
    expect(stdout).toBe('a line\nend\n');
  });

  test('knows no workstream that was no part of the run', async () => {
    const folder = backlog();
    const run = await underWay(folder);
    const { code, stderr } = await millrace(folder, ['logs', 'ws-other']);
    expect([code, stderr]).toEqual([4, expect.stringContaining('ws-other was no part of')]);
    open(folder);
    await run.finished;
    expect(existsSync(join(folder, '.state'))).toBe(true);
  });
});

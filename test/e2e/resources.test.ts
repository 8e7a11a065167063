/** Runs whose workstreams reserve processors and memory. */
import { describe, expect, test } from 'vitest';
import { type Finished, millrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** Fails when another that does the same is at work. */
const ALONE = 'mkdir busy && head -c 2000000 /dev/zero | sha256sum && rmdir busy';

/** Ends when all of these have begun. */
const together = (name: string, others: string[]): string =>
  `touch ${name}.here; until ${others.map((other) => `[ -e ${other}.here ]`).join(' && ')}; do sleep 0.02; done`;

const each = (count: number, fields: object, work: string | ((name: string) => string)) =>
  Array.from({ length: count }, (_, index) => {
    const id = `ws-${index}`;
    return { id, ...fields, steps: [{ run: typeof work === 'string' ? work : work(id) }] };
  });

function run(definitions: object[], args: string[], env: NodeJS.ProcessEnv = {}) {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': definitions });
  const finished = millrace(folder, ['run', '--log-level', 'error', ...args], env);
  return finished.then((end: Finished) => ({ ...end, folder }));
}

const rows = (folder: string) =>
  query<{ id: string; status: string; reason: string | null }>(
    folder,
    'SELECT workstream_id AS id, status, reason FROM agent_results ORDER BY workstream_id',
  );

describe('workstreams at the same time', () => {
  test('that need more memory together than there is do not run together', async () => {
    const { code } = await run(each(4, { memory_mb: 10_000 }, ALONE), ['-j', '4', '--memory', '16G']);
    expect(code).toBe(0);
  });

  test('that need more processors together than there are do not run together, on any number of agents', async () => {
    const { code } = await run(each(6, { cpus: 1.5 }, ALONE), ['-j', '6', '--cpus', '2']);
    expect(code).toBe(0);
  });

  test('that say nothing run on as many agents as there are, whatever the number of processors', async () => {
    const names = Array.from({ length: 6 }, (_, index) => `ws-${index}`);
    const { code } = await run(
      each(6, {}, (name) => together(name, names)),
      ['-j', '6', '--timeout', '60'],
    );
    expect(code).toBe(0);
  });

  test('that say nothing reserve a processor each where the run has a number of these', async () => {
    const { code } = await run(each(4, {}, ALONE), ['-j', '4', '--cpus', '1']);
    expect(code).toBe(0);
  });

  test('reserve in every attempt, and with their acceptance tests', async () => {
    const again = `mkdir busy && head -c 2000000 /dev/zero | sha256sum && rmdir busy && test -e $MILLRACE_WORKSTREAM_ID.tried || { touch $MILLRACE_WORKSTREAM_ID.tried; exit 1; }`;
    const fields = { cpus: 2, acceptance_tests: [{ run: ALONE }], circuit_breaker: { max_attempts: 2 } };
    const { code, folder } = await run(each(4, fields, again), ['-j', '4', '--cpus', '2']);
    expect(code).toBe(0);
    expect(query(folder, 'SELECT DISTINCT attempts FROM agent_results')).toEqual([{ attempts: 2 }]);
  });

  test('in processes of their own reserve their memory limit, and one above all there is has it all', async () => {
    const fields = { memory_limit_mb: 4_000 };
    const { code } = await run(each(3, fields, ALONE), ['-j', '3', '--memory', '2000']);
    expect(code).toBe(0);
  });
});

describe('what needs more than there is', () => {
  test('fails before anything is run, with the figures, and the rest is run', async () => {
    const definitions = [
      { id: 'ws-big', cpus: 3, steps: [{ run: 'touch big' }] },
      { id: 'ws-huge', memory_mb: 2048, steps: [{ run: 'true' }] },
      { id: 'ws-needs', depends_on: ['ws-big'], steps: [{ run: 'true' }] },
      { id: 'ws-small', cpus: 2, steps: [{ run: 'test ! -e big' }] },
    ];
    const { code, folder, stdout } = await run(definitions, ['--cpus', '2', '--memory', '1G', '--json']);
    expect(code).toBe(1);
    expect(rows(folder)).toEqual([
      { id: 'ws-big', status: 'failed', reason: 'insufficient-resources' },
      { id: 'ws-huge', status: 'failed', reason: 'insufficient-resources' },
      { id: 'ws-needs', status: 'skipped', reason: 'dependency-failed' },
      { id: 'ws-small', status: 'completed', reason: null },
    ]);
    expect(stdout).toContain('It needs 3 cpus, and the run may use 2 cpus: --cpus says so.');
    expect(stdout).toContain('It needs 2048 MB, and the run may use 1024 MB: --memory says so.');
  });

  test('is shown by the plan, with what can be executed at the same time', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, {
      'workstreams/all.json': [
        ...each(4, { cpus: 2 }, 'true'),
        { id: 'ws-big', cpus: 9, steps: [{ run: 'true' }] },
      ],
    });
    const { code, stdout } = await millrace(folder, ['plan', '--cpus', '4', '--memory', '2G']);
    expect(code).toBe(1);
    expect(stdout).toContain(
      '4 of 4 workstreams reserve some of 4 cpus and 2 GB: at most 2 workstreams at the same time',
    );
    expect(stdout).toContain('ws-big (workstreams/all.json): It needs 9 cpus');
  });

  test('is run again where there is more', async () => {
    const { code, folder } = await run(
      [{ id: 'ws-big', cpus: 3, steps: [{ run: 'true' }] }],
      ['--cpus', '2'],
    );
    expect(code).toBe(1);
    const again = await millrace(folder, ['run', '--retry-failed', '--cpus', '4', 'ws-big']);
    expect(again.code).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('what was used of it', () => {
  /** Takes a second of a processor, however busy the machine is, with 150 MB. */
  const PYTHON = 'import time\nx=bytearray(150*1024*1024)\nwhile time.process_time() < 1: pass';
  const usageOf = (folder: string, id: string): Record<string, number | null> => {
    const [row] = query<{ usage: string }>(
      folder,
      'SELECT usage FROM agent_results WHERE workstream_id = ?',
      id,
    );
    return JSON.parse(row?.usage ?? 'null');
  };

  /** Commands for which a command host is started, of either kind: fewer are started by their agents. */
  const MANY = 50;

  test.each([
    { by: 'the native command host', host: 'native', commands: MANY },
    { by: 'the command host of Node', host: 'node', commands: MANY },
    { by: 'their agents', host: 'native', commands: 1 },
  ])(
    'is measured with the processes that it starts, where commands are started by $by',
    async ({ host, commands }) => {
      const child = `import { execFileSync } from 'node:child_process';
      export default () => void execFileSync('python3', ['-c', ${JSON.stringify(PYTHON)}]);`;
      const folder = temporaryFolder();
      writeFiles(folder, {
        'workstreams/child.mjs': child,
        'workstreams/all.json': [
          { id: 'ws-command', cpus: 1, memory_mb: 200, steps: [{ command: ['python3', '-c', PYTHON] }] },
          { id: 'ws-module', cpus: 1, steps: [{ module: './child.mjs' }] },
          { id: 'ws-process', cpus: 1, isolation: 'process', steps: [{ module: './child.mjs' }] },
          { id: 'ws-nothing', steps: [{ run: 'true' }] },
          ...each(commands - 1, {}, 'true'),
        ],
      });
      const args = ['run', '-j', '2', '--log-level', 'error'];
      expect((await millrace(folder, args, { MILLRACE_COMMAND_HOST: host })).code).toBe(0);
      expect(usageOf(folder, 'ws-command')).toMatchObject({ cpus: 1, memoryMb: 200 });
      for (const id of ['ws-command', 'ws-module', 'ws-process']) {
        const { cpuSeconds, peakMemoryMb } = usageOf(folder, id);
        // The native host says what a command used in all. What is read from /proc was so a tenth of a second before
        // the end, or longer ago where the machine is busy.
        const isTold = host === 'native' && commands === MANY && id === 'ws-command';
        expect(cpuSeconds).toBeGreaterThan(isTold ? 0.95 : 0.2);
        expect(peakMemoryMb).toBeGreaterThan(140);
        expect(peakMemoryMb).toBeLessThan(400);
      }
      expect(usageOf(folder, 'ws-nothing')).toBeNull();
      const shown = await millrace(folder, ['show', 'latest']);
      expect(shown.stdout).toMatch(/ws-command +1 cpu, 200 MB +[\d.]+ cpus?, 1\d\d/);
      const report = await millrace(folder, ['report', 'latest', '--format', 'md']);
      expect(report.stdout).toContain('## Processors and memory');
    },
  );

  test('is in no report where nothing was reserved', async () => {
    const { folder } = await run(each(1, {}, 'true'), []);
    const report = await millrace(folder, ['report', 'latest', '--format', 'md']);
    expect(report.stdout).not.toContain('Processors and memory');
    expect((await millrace(folder, ['show', 'latest'])).stdout).not.toContain('reserved');
  });
});

describe('options', () => {
  test('come from variables and the configuration too', async () => {
    const env = { MILLRACE_CPUS: '1', MILLRACE_MEMORY: '1G', MILLRACE_FAIL_FAST: '50%' };
    const { code } = await run(each(3, {}, ALONE), ['-j', '3'], env);
    expect(code).toBe(0);
  });

  test.each([
    ['--cpus=0', '--cpus'],
    ['--memory=much', '--memory'],
    ['--max-time=soon', '--max-time'],
    ['--fail-fast=-1', '--fail-fast'],
    ['--fail-fast=120%', '--fail-fast'],
  ])('%s is refused, and nothing is run', async (argument, flag) => {
    const { code, stderr } = await run(each(1, {}, 'true'), [argument]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${flag} can't be used`);
  });
});

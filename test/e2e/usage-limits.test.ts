/** Coding agents at their usage limits: they wait, everything else goes on, and then they go on where they stopped. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, test, vi } from 'vitest';
import { millrace, type Started, startMillrace, writeFiles } from '../kit/command.ts';
import { reportText } from '../kit/reports.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/tools/${name}`, import.meta.url));
const limited = (account: string, ...args: string[]): string[] => [
  'node',
  fixture('limited.mjs'),
  account,
  ...args,
];

interface Call {
  workstream: string;
  at: number;
  resumed: string | null;
  session: string;
  cwd: string;
  /** Whether what an earlier call had done was there. */
  hasBegun: boolean;
  prompt: string;
}

interface Project {
  folder: string;
  /** Where the account is. */
  account: string;
  /** What the tool was called with, the oldest first. */
  calls: () => Call[];
  /** Has the account refuse to work for so many seconds from now on. */
  refuse: (seconds: number) => void;
}

const write = (id: string, more: object = {}) => ({
  id,
  tool: 'claude',
  tasks: [`write ${id}.txt hello`],
  files_scope: [`${id}.txt`, 'begun.txt'],
  ...more,
});

/** A repository with these workstreams, and a tool `claude` of an account of its own. */
function project(
  workstreams: object[],
  { args = [] as string[], tools = {}, account = temporaryFolder() } = {},
): Project {
  const folder = temporaryFolder();
  const claude = { command: limited(account, ...args), account: 'claude', fallback: ['helper'] };
  const helper = { command: ['node', fixture('scripted.mjs')] };
  writeFiles(folder, {
    'millrace.config.json': { tools: { claude, helper, ...tools } },
    'workstreams/all.json': workstreams,
    '.gitignore': 'reports/\n',
  });
  const git = (...words: string[]): Buffer => execFileSync('git', words, { cwd: folder });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '-m', 'Begin');
  const calls = join(account, 'calls');
  return {
    folder,
    account,
    calls: () =>
      existsSync(calls)
        ? readFileSync(calls, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as Call)
        : [],
    refuse: (seconds) =>
      writeFileSync(join(account, 'until'), String(Math.ceil(Date.now() / 1000 + seconds))),
  };
}

const rows = (folder: string) =>
  query<{ id: string; status: string; reason: string | null; attempts: number; tool: string | null }>(
    folder,
    'SELECT workstream_id AS id, status, reason, attempts, tool FROM agent_results ORDER BY workstream_id',
  );

const warnings = (folder: string): string[] =>
  query<{ warnings: string }>(folder, 'SELECT warnings FROM agent_results').flatMap(
    (row) => JSON.parse(row.warnings) as string[],
  );

/** The folders of the project and of its worktrees. */
const worktreesOf = (folder: string): string[] =>
  execFileSync('git', ['worktree', 'list', '--porcelain'], { cwd: folder, encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => (line.startsWith('worktree ') ? [line.slice('worktree '.length)] : []));

/** Lets the time of every limit in the database pass. */
function letPass(folder: string): void {
  const database = new Database(join(folder, '.state', 'multi_agent_consolidated.db'));
  database.prepare("UPDATE parked_tools SET until = '2026-01-01T00:00:00.000Z'").run();
  database.close();
}

describe('a tool at its limit', () => {
  test('waits while everything else goes on, and then goes on in the same workspaces and sessions', async () => {
    const account = temporaryFolder();
    const { folder, calls } = project(
      [
        write('ws-a'),
        write('ws-b'),
        { id: 'ws-other', tool: 'helper', tasks: ['write other.txt x'], files_scope: ['other.txt'] },
        // Nothing completes before this has been executed.
        { id: 'ws-plain', steps: [{ run: `touch ${account}/open` }], depends_on: ['ws-other'] },
      ],
      { args: ['--refuses', '2'], account },
    );
    const { code } = await millrace(folder, ['run']);
    expect(code).toBe(0);
    expect(rows(folder)).toEqual([
      { id: 'ws-a', status: 'completed', reason: null, attempts: 1, tool: 'claude' },
      { id: 'ws-b', status: 'completed', reason: null, attempts: 1, tool: 'claude' },
      { id: 'ws-other', status: 'completed', reason: null, attempts: 1, tool: 'helper' },
      { id: 'ws-plain', status: 'completed', reason: null, attempts: 1, tool: null },
    ]);
    expect(query(folder, "SELECT * FROM workstream_attempts WHERE tool = 'claude'")).toHaveLength(2);
    for (const id of ['ws-a', 'ws-b']) {
      const [first, ...again] = calls().filter(({ workstream }) => workstream === id);
      expect(first?.resumed).toBeNull();
      let before = first?.at ?? 0;
      for (const call of again) {
        expect(call).toMatchObject({ resumed: first?.session, cwd: first?.cwd, hasBegun: true });
        expect(call.prompt).toContain('GO ON\n\nThis work has been begun.');
        // It was refused for a second at least, and is not called before one more has passed.
        expect(call.at - before).toBeGreaterThanOrEqual(2_000);
        before = call.at;
      }
    }
    const [row] = query<{ metadata: string; cost_usd: number }>(
      folder,
      "SELECT metadata, cost_usd FROM agent_results WHERE workstream_id = 'ws-a'",
    );
    const waits = JSON.parse(row?.metadata ?? '').limitWaits as { tool: string; costUsd: number }[];
    expect(waits[0]).toMatchObject({ tool: 'claude', costUsd: 0.25 });
    expect(row?.cost_usd).toBe(0.25 * (waits.length + 1));
    expect(query(folder, 'SELECT * FROM parked_tools WHERE resumed_at IS NULL')).toEqual([]);
  });

  test('begins afresh in another workspace where the workstream says so', async () => {
    const account = temporaryFolder();
    const { folder, calls } = project([write('ws-a', { on_retry: 'fresh' })], {
      args: ['--refuses', '1'],
      account,
    });
    writeFileSync(join(account, 'open'), '');
    expect((await millrace(folder, ['run'])).code).toBe(0);
    const [, again] = calls();
    expect(again).toMatchObject({ resumed: null, hasBegun: false });
    expect(again?.prompt).not.toContain('GO ON');
  });

  test('waits for later runs and for the run that is resumed, which is not waited for longer than it may be', async () => {
    const { folder, calls, refuse } = project([
      write('ws-a'),
      write('ws-b', { depends_on: ['ws-a'] }),
      { id: 'ws-plain', steps: [{ run: 'true' }] },
    ]);
    refuse(3600);
    const first = await millrace(folder, ['run', '--max-wait', '10m']);
    expect(first.code).toBe(5);
    expect(rows(folder)).toMatchObject([
      { id: 'ws-a', status: 'skipped', reason: 'usage-limit' },
      { id: 'ws-b', status: 'skipped', reason: 'usage-limit' },
      { id: 'ws-plain', status: 'completed' },
    ]);
    expect(calls()).toHaveLength(1);
    const [stored] = query<{ run: string; until: string }>(
      folder,
      "SELECT run_id AS run, json_extract(execution_summary, '$.waits_for_limit.until') AS until FROM consolidated_runs",
    );
    const { run: id, until } = stored ?? { run: '', until: '' };
    const goOn = `millrace run --resume ${id}`;
    const printed = async (...args: string[]): Promise<string> => (await millrace(folder, args)).stdout;
    expect(reportText(`${folder}/reports`)).toContain(`resets at ${until}, with \`${goOn}\``);
    for (const text of [await printed('status'), await printed('runs')]) {
      expect(text).toContain('waits for the usage limit of claude');
      expect(text).toContain(`Go on after ${until} with: ${goOn}`);
      expect(text).not.toContain('interrupted');
    }
    expect(await printed('show', 'latest')).toContain(`${id}: waits for the usage limit of claude, started`);
    // Another run, and this one again: the tool is not even asked.
    expect((await millrace(folder, ['run', 'ws-a', '--max-wait', '0'])).code).toBe(5);
    const [run] = query<{ run_id: string }>(folder, 'SELECT run_id FROM consolidated_runs ORDER BY rowid');
    expect((await millrace(folder, ['run', '--resume', run?.run_id ?? ''])).code).toBe(5);
    expect(calls()).toHaveLength(1);

    refuse(-1);
    letPass(folder);
    expect((await millrace(folder, ['run', '--resume', run?.run_id ?? ''])).code).toBe(0);
    expect(calls().map(({ workstream }) => workstream)).toEqual(['ws-a', 'ws-a', 'ws-b']);
  });

  test('gives its work to another tool under switch, and the row says which', async () => {
    const { folder, refuse, calls } = project([write('ws-a'), write('ws-b'), write('ws-c')]);
    refuse(3600);
    expect((await millrace(folder, ['run', '-j', '1', '--at-limit', 'switch'])).code).toBe(0);
    expect(rows(folder)).toMatchObject(['a', 'b', 'c'].map((id) => ({ id: `ws-${id}`, tool: 'helper' })));
    expect(calls()).toHaveLength(1);
    expect(warnings(folder)).toEqual([expect.stringContaining('helper began a new session')]);
  });

  test('fails its workstream under fail and has the others skipped, in later runs too; they can be tried again', async () => {
    const { folder, refuse, calls } = project([
      write('ws-a', { circuit_breaker: { max_attempts: 3 }, priority: 'high' }),
      write('ws-b'),
      { id: 'ws-plain', steps: [{ run: 'true' }] },
    ]);
    refuse(3600);
    expect((await millrace(folder, ['run', '-j', '1', '--at-limit', 'fail'])).code).toBe(1);
    expect(rows(folder)).toMatchObject([
      { id: 'ws-a', status: 'failed', reason: 'usage-limit', attempts: 1 },
      { id: 'ws-b', status: 'skipped', reason: 'usage-limit', attempts: 0 },
      { id: 'ws-plain', status: 'completed' },
    ]);
    expect((await millrace(folder, ['show', 'latest'])).stdout).toMatch(
      /1 workstream \(.?ws-b.?\): claude waits for its usage limit until .*, then .?millrace run ws-b/,
    );
    expect((await millrace(folder, ['run', '--retry-failed'])).code).toBe(1);
    expect(calls()).toHaveLength(1);
    refuse(-1);
    letPass(folder);
    expect((await millrace(folder, ['run', '--retry-failed'])).code).toBe(0);
    expect(calls()).toHaveLength(3);
  });

  test('is not waited for where its limit does not pass: its other workstreams are not started', async () => {
    const broke = {
      command: ['sh', '-c', 'echo "Your credit is used up"; exit 1'],
      limits: [{ output_matches: '^Your credit is used up$', class: 'cap' }],
    };
    const { folder } = project(
      [write('ws-a', { tool: 'broke' }), write('ws-b', { tool: 'broke' }), write('ws-c')],
      { tools: { broke } },
    );
    expect((await millrace(folder, ['run', '-j', '1'])).code).toBe(1);
    expect(rows(folder)).toMatchObject([
      { id: 'ws-a', status: 'failed', reason: 'tool-error' },
      { id: 'ws-b', status: 'skipped', reason: 'circuit-open' },
      { id: 'ws-c', status: 'completed' },
    ]);
  });

  test('is known by the pattern of a program of the configuration, with the time that it names', async () => {
    const { folder } = project([write('ws-a', { tool: 'own' })], {
      tools: {
        own: {
          command: ['sh', '-c', 'echo "{\\"status\\": \\"ERROR\\", \\"error\\": \\"Resets in 2h39m52s\\"}"'],
          limits: [{ output_matches: 'Resets in (?<resets>[0-9dhms]+)' }],
        },
      },
    });
    const from = Date.now();
    expect((await millrace(folder, ['run', '--max-wait', '2h'])).code).toBe(5);
    const to = Date.now();
    const [parked] = query<{ tool: string; source: string; until: string }>(
      folder,
      'SELECT * FROM parked_tools',
    );
    expect(parked).toMatchObject({ tool: 'own', source: 'words' });
    // From when it was said, and one to five seconds more.
    const until = Date.parse(parked?.until ?? '') - 9_592_000;
    expect(until).toBeGreaterThanOrEqual(from + 1_000);
    expect(until).toBeLessThanOrEqual(to + 5_000);
  });
});

describe('a reviewer at its limit', () => {
  const account = (): string => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'open'), '');
    return folder;
  };
  /** A workstream whose tool counts how often it was started. */
  const reviewed = () => ({
    id: 'ws-a',
    tool: 'counting',
    tasks: ['say hello'],
    files_scope: ['ws-a.txt'],
    review: { tool: 'claude', blocks: true },
  });
  const counting = (folder: string) => ({
    command: ['sh', '-c', `echo started >> ${folder}/starts; echo hello > ws-a.txt`],
  });
  const starts = (folder: string): number =>
    readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n').length;
  const rowOf = (folder: string) =>
    query<{ status: string; merge_status: string; cost_usd: number; reason: string; metadata: string }>(
      folder,
      'SELECT * FROM agent_results',
    )[0];

  test('is waited for with the work as it is, and what it had cost counts', async () => {
    const place = account();
    const { folder, calls } = project([reviewed()], {
      args: ['--refuses', '1'],
      account: place,
      tools: { counting: counting(place) },
    });
    expect(await millrace(folder, ['run'])).toMatchObject({ code: 0 });
    expect(starts(place)).toBe(1);
    expect(calls()).toHaveLength(2);
    const row = rowOf(folder);
    expect(row).toMatchObject({ status: 'completed', merge_status: 'merged', cost_usd: 0.5 });
    const { limitWaits, reviews } = JSON.parse(row?.metadata ?? '');
    expect(limitWaits).toMatchObject([{ tool: 'claude', costUsd: 0.25 }]);
    expect(reviews).toMatchObject([{ verdict: 'accepted', costUsd: 0.25 }]);
    expect(query(folder, 'SELECT * FROM parked_tools WHERE resumed_at IS NULL')).toEqual([]);
  });

  test('ends a run that may not wait, and candidates are not executed again when that is resumed', async () => {
    const place = account();
    const { folder, refuse } = project([reviewed()], {
      account: place,
      tools: { counting: counting(place) },
    });
    refuse(3600);
    const args = ['run', '--best-of', 'counting,counting', '--max-wait', '0'];
    expect((await millrace(folder, args)).code).toBe(5);
    expect(rowOf(folder)).toMatchObject({ status: 'skipped', reason: 'usage-limit' });
    expect(starts(place)).toBe(2);
    expect(worktreesOf(folder)).toHaveLength(1);
    refuse(-1);
    letPass(folder);
    expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
    expect(starts(place)).toBe(2);
    expect(rowOf(folder)).toMatchObject({ status: 'completed', merge_status: 'merged' });
  });

  test('gives no verdict where limits are not waited for', async () => {
    const place = account();
    const { folder, refuse } = project([reviewed()], {
      account: place,
      tools: { counting: counting(place) },
    });
    refuse(3600);
    expect((await millrace(folder, ['run', '--at-limit', 'fail'])).code).toBe(1);
    expect(rowOf(folder)).toMatchObject({ status: 'failed', reason: 'no-review' });
  });
});

describe('going on with a session', () => {
  const hangs = { timeout_seconds: 3, circuit_breaker: { max_attempts: 2 } };

  test('follows a time limit, in the same workspace, and the prompt says what failed', async () => {
    const { folder, calls } = project([write('ws-a', hangs)], { args: ['--hangs-first'] });
    expect((await millrace(folder, ['run'])).code).toBe(0);
    const [first, again] = calls();
    expect(again).toMatchObject({ resumed: first?.session, cwd: first?.cwd });
    expect(again?.prompt).toContain('LAST TIME\n\nThe attempt before this one failed. It was still running');
    expect(rows(folder)).toMatchObject([{ id: 'ws-a', status: 'completed', attempts: 2 }]);
    expect(warnings(folder)).toEqual([]);
  });

  test('begins a new session where the old one is gone, in the same workspace, and says so', async () => {
    const { folder, calls } = project([write('ws-a', hangs)], { args: ['--hangs-first', '--forgets'] });
    expect((await millrace(folder, ['run'])).code).toBe(0);
    const [first, lost, fresh] = calls();
    expect(lost?.resumed).toBe(first?.session);
    expect(fresh).toMatchObject({ resumed: null, cwd: first?.cwd });
    expect(warnings(folder)).toEqual([expect.stringContaining('has no session')]);
  });

  test('follows other failures where the workstream says so, until the same test has failed twice', async () => {
    const tests = { acceptance_tests: ['false'], circuit_breaker: { max_attempts: 3 } };
    const { folder, calls } = project([write('ws-a', { ...tests, on_retry: 'continue' })]);
    expect((await millrace(folder, ['run'])).code).toBe(1);
    const [first, second, third] = calls();
    expect(second).toMatchObject({ resumed: first?.session, cwd: first?.cwd });
    expect(third?.resumed).toBeNull();
    expect(third?.cwd).not.toBe(first?.cwd);
  });

  test('does not follow them by itself', async () => {
    const tests = { acceptance_tests: ['false'], circuit_breaker: { max_attempts: 2 } };
    const { folder, calls } = project([write('ws-a', tests)]);
    await millrace(folder, ['run']);
    expect(calls().map(({ resumed }) => resumed)).toEqual([null, null]);
  });

  test('follows the end of a run that did not wait, once that is resumed, and what was done is in a commit all the while', async () => {
    const { folder, refuse, calls } = project([write('ws-a')]);
    refuse(3600);
    await millrace(folder, ['run', '--max-wait', '0']);
    const [run] = query<{ run_id: string }>(folder, 'SELECT run_id FROM consolidated_runs');
    const shown = execFileSync('git', ['show', `millrace/${run?.run_id}/ws-a:begun.txt`], { cwd: folder });
    expect(String(shown)).toBe('half of the work\n');
    expect(worktreesOf(folder)).toHaveLength(2);
    refuse(-1);
    letPass(folder);
    expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
    const [first, again] = calls();
    expect(again).toMatchObject({ resumed: first?.session, cwd: first?.cwd, hasBegun: true });
    expect(worktreesOf(folder)).toHaveLength(1);
  });

  test('leaves nothing behind where the workstream is to begin afresh', async () => {
    const { folder, refuse } = project([write('ws-a', { on_retry: 'fresh' })]);
    refuse(3600);
    await millrace(folder, ['run', '--max-wait', '0']);
    expect(worktreesOf(folder)).toHaveLength(1);
  });

  describe.each([
    ['is killed', (run: Started) => run.killAll()],
    ['is interrupted', (run: Started) => void run.child.kill('SIGINT')],
  ])('follows when a run that %s is resumed', (_, end) => {
    /** Begins a run, and ends it once the tool has named its session. */
    async function endEarly(folder: string): Promise<void> {
      const run = startMillrace(folder, ['run', '--log-level', 'debug']);
      await run.line((line) => line.includes('"event":"session-began"'));
      await vi.waitUntil(() => worktreesOf(folder).some((root) => existsSync(join(root, 'begun.txt'))), {
        timeout: 60_000,
      });
      end(run);
      await run.finished;
    }

    test('in the same worktree, and the prompt says that it was ended', async () => {
      const { folder, calls } = project([write('ws-a')], { args: ['--hangs-first'] });
      await endEarly(folder);
      expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
      const [first, again] = calls();
      expect(calls()).toHaveLength(2);
      expect(again).toMatchObject({ resumed: first?.session, cwd: first?.cwd, hasBegun: true });
      expect(again?.prompt).toContain('GO ON\n\nThis work has been begun. It was ended before it was done.');
      expect(rows(folder)).toMatchObject([{ id: 'ws-a', status: 'completed' }]);
      expect(warnings(folder)).toEqual([]);
      expect(worktreesOf(folder)).toHaveLength(1);
      expect(query(folder, 'SELECT * FROM kept_sessions')).toEqual([]);
    });

    test('in a new session where the tool does not have the old one any more, which is said', async () => {
      const { folder, calls } = project([write('ws-a')], { args: ['--hangs-first', '--forgets'] });
      await endEarly(folder);
      expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
      const [first, lost, fresh] = calls();
      expect(lost?.resumed).toBe(first?.session);
      expect(fresh).toMatchObject({ resumed: null, cwd: first?.cwd });
      expect(warnings(folder)).toEqual([expect.stringContaining('has no session')]);
    });

    test('and begins afresh where its worktree is gone, which is said', async () => {
      const { folder, calls } = project([write('ws-a')], { args: ['--hangs-first'] });
      await endEarly(folder);
      const [, left = ''] = worktreesOf(folder);
      execFileSync('git', ['worktree', 'remove', '--force', '--force', left], { cwd: folder });
      expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
      expect(calls()[1]).toMatchObject({ resumed: null, hasBegun: false });
      expect(warnings(folder)).toEqual([expect.stringContaining('It was begun afresh and not gone on with')]);
    });

    test('and begins afresh where the workstream says so', async () => {
      const { folder, calls } = project([write('ws-a', { on_retry: 'fresh' })], { args: ['--hangs-first'] });
      await endEarly(folder);
      expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
      expect(calls()[1]).toMatchObject({ resumed: null, hasBegun: false });
    });
  });
});

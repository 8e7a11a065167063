/** Several tools that are given the same workstream: at the same time where agents are free for it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Candidate } from '../../src/domain/attempt.ts';
import { millrace, type Started, startMillrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();

/** Ends only when the other one has begun. */
const MEETS = `touch "$MEETING/$TOOL"; until [ -e "$MEETING/one" ] && [ -e "$MEETING/two" ]; do sleep 0.05; done
echo hello > ws-a.txt`;
/** Fails where another one is at work. */
const ALONE = 'mkdir "$MEETING/busy" && echo hello > ws-a.txt && rmdir "$MEETING/busy"';

/** Says what the file says for each of its calls in turn; `wait` is to wait until there is a file `go`. */
const REVIEWS = `echo review >> "$MEETING/calls"; n=$(grep -c review "$MEETING/calls")
said=$(sed -n "$n"p "$MEETING/verdicts")
if [ "$said" = wait ]; then until [ -e "$MEETING/go" ]; do sleep 0.05; done; said=accept; fi
echo "VERDICT $said"`;

/** A repository with one workstream and two tools that do this. */
function project(script: string, more: object = {}, config: object = {}): string {
  const folder = temporaryFolder();
  const meeting = join(folder, '.meeting');
  const tool = (name: string) => ({
    command: ['sh', '-c', script],
    env: { MEETING: meeting, TOOL: name },
  });
  const reviewer = { command: ['sh', '-c', REVIEWS], env: { MEETING: meeting } };
  writeFiles(folder, {
    'millrace.config.json': { tools: { one: tool('one'), two: tool('two'), reviewer }, ...config },
    'workstreams/all.json': [
      {
        id: 'ws-a',
        tool: 'one',
        tasks: ['say hello'],
        acceptance_tests: ['grep hello ws-a.txt'],
        timeout_seconds: 120,
        ...more,
      },
    ],
    '.gitignore': 'reports/\n.meeting/\n',
  });
  mkdirSync(meeting);
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'add', '-A');
  git(folder, '-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '-m', 'Begin');
  return folder;
}

function candidatesOf(folder: string): Candidate[] {
  const [row] = query<{ metadata: string }>(folder, 'SELECT metadata FROM agent_results');
  return JSON.parse(row?.metadata ?? '').candidates;
}

test('candidates run at the same time where agents are free, and of equals the first that is named wins', async () => {
  const folder = project(MEETS);
  expect((await millrace(folder, ['run', '-j', '2', '--best-of', 'one,two'])).code).toBe(0);
  expect(candidatesOf(folder)).toMatchObject([
    { tool: 'one', agentId: 'agent-1', chosen: true, accepted: true },
    { tool: 'two', agentId: 'agent-2', chosen: false, accepted: true },
  ]);
  const rows = query(folder, 'SELECT agent_id, attempts, merge_status FROM agent_results');
  expect(rows).toEqual([{ agent_id: 'agent-1', attempts: 2, merge_status: 'merged' }]);
});

test('candidates of what may not run beside its like run one after another', async () => {
  const folder = project(ALONE, { conflict_group: 'database' });
  expect((await millrace(folder, ['run', '-j', '2', '--best-of', 'one,two'])).code).toBe(0);
  expect(candidatesOf(folder)).toMatchObject([
    { agentId: 'agent-1', completed: true },
    { agentId: 'agent-1', completed: true },
  ]);
});

test('a single agent executes all candidates', async () => {
  const folder = project(ALONE);
  expect((await millrace(folder, ['run', '-j', '1', '--best-of', 'one,two'])).code).toBe(0);
  expect(candidatesOf(folder)).toMatchObject([
    { agentId: 'agent-1', completed: true },
    { agentId: 'agent-1', completed: true },
  ]);
});

/** Counts its calls. The second tool ends only when there is a file `go`. */
const SECOND_WAITS = `echo "$TOOL" >> "$MEETING/calls"
[ "$TOOL" = one ] || until [ -e "$MEETING/go" ]; do sleep 0.05; done
echo "hello $TOOL" > ws-a.txt`;
const BOTH_END = 'echo "$TOOL" >> "$MEETING/calls"; echo "hello $TOOL" > ws-a.txt';

const calls = (folder: string): string[] =>
  readFileSync(join(folder, '.meeting', 'calls'), 'utf8')
    .trim()
    .split('\n');
const letGo = (folder: string): void => writeFileSync(join(folder, '.meeting', 'go'), '');
const reviewersSay = (folder: string, ...verdicts: string[]): void =>
  writeFileSync(join(folder, '.meeting', 'verdicts'), `${verdicts.join('\n')}\n`);

const REVIEWED = { review: { tool: 'reviewer', blocks: true } };
const RUN = ['run', '-j', '1', '--best-of', 'one,two'];

/** Begins a run and kills it, with what watches over it, once it has said this. */
async function killAfter(folder: string, said: (line: string) => boolean, args = RUN): Promise<void> {
  const run: Started = startMillrace(folder, args);
  await run.line(said);
  run.killAll();
  await run.finished;
}

/** The same once this is so of what is in the folder. */
async function killWhen(folder: string, isSo: (folder: string) => boolean): Promise<void> {
  const run = startMillrace(folder, RUN);
  await vi.waitUntil(() => isSo(folder), { timeout: 60_000 });
  run.killAll();
  await run.finished;
}
const reviewHasBegun = (folder: string): boolean =>
  existsSync(join(folder, '.meeting', 'calls')) && calls(folder).includes('review');

const says =
  (event: string) =>
  (line: string): boolean =>
    line.includes(`"event":"${event}"`);

const mergedBranch = (folder: string): string =>
  git(folder, 'branch', '--list', '--format', '%(refname:short)', 'millrace/*/_merged');

describe('a run that is killed and resumed', () => {
  test('keeps the candidate that had ended, and executes only the one that had not', async () => {
    const folder = project(SECOND_WAITS);
    await killAfter(folder, says('candidate-ended'));
    letGo(folder);
    expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
    expect(calls(folder).filter((tool) => tool === 'one')).toHaveLength(1);
    expect(calls(folder).at(-1)).toBe('two');
    expect(candidatesOf(folder)).toMatchObject([
      { tool: 'one', attempt: 1, chosen: true, accepted: true },
      { tool: 'two', attempt: 2, chosen: false, accepted: true },
    ]);
    expect(query(folder, 'SELECT attempts, merge_status FROM agent_results')).toEqual([
      { attempts: 2, merge_status: 'merged' },
    ]);
    expect(git(folder, 'show', `${mergedBranch(folder)}:ws-a.txt`)).toBe('hello one');
    expect(query(folder, 'SELECT * FROM kept_candidates')).toEqual([]);
  });

  test('chooses among candidates that had all ended, from the commits in which their work is', async () => {
    const folder = project(BOTH_END, REVIEWED);
    reviewersSay(folder, 'wait', 'accept');
    await killWhen(folder, reviewHasBegun);
    expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
    expect(calls(folder)).toEqual(['one', 'two', 'review', 'review']);
    expect(candidatesOf(folder).map(({ chosen }) => chosen)).toEqual([true, false]);
    const [row] = query<{ branch: string; files_modified: string }>(folder, 'SELECT * FROM agent_results');
    expect(row?.files_modified).toBe('["ws-a.txt"]');
    expect(git(folder, 'rev-parse', row?.branch ?? '')).toBe(candidatesOf(folder)[0]?.commit);
    expect(git(folder, 'show', `${mergedBranch(folder)}:ws-a.txt`)).toBe('hello one');
  });

  test('does not ask a reviewer again that had given its verdict', async () => {
    const folder = project(BOTH_END, REVIEWED);
    reviewersSay(folder, 'reject', 'wait', 'accept');
    await killAfter(folder, says('candidate-reviewed'));
    letGo(folder);
    expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
    expect(calls(folder).slice(0, 3)).toEqual(['one', 'two', 'review']);
    expect(candidatesOf(folder)).toMatchObject([
      { chosen: false, completed: false, reason: 'review-failed' },
      { chosen: true, completed: true },
    ]);
    expect(git(folder, 'show', `${mergedBranch(folder)}:ws-a.txt`)).toBe('hello two');
  });

  test('merges the work that was chosen, without asking anybody again', async () => {
    const gate = join(temporaryFolder(), 'go');
    const waits = `until [ -e ${gate} ]; do sleep 0.05; done`;
    const folder = project(BOTH_END, {}, { merge_tests: [waits] });
    await killAfter(folder, says('workstream-finished'));
    writeFileSync(gate, '');
    expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
    expect(calls(folder)).toEqual(['one', 'two']);
    expect(query(folder, 'SELECT merge_status FROM agent_results')).toEqual([{ merge_status: 'merged' }]);
    expect(git(folder, 'show', `${mergedBranch(folder)}:ws-a.txt`)).toBe('hello one');
  });

  test('does candidates again whose definition has changed', async () => {
    const folder = project(SECOND_WAITS);
    await killAfter(folder, says('candidate-ended'));
    letGo(folder);
    const path = join(folder, 'workstreams', 'all.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('say hello', 'say hello twice'));
    expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
    expect(calls(folder).filter((tool) => tool === 'one')).toHaveLength(2);
  });
});

test('a run that is interrupted between candidates goes on with the next when it is resumed', async () => {
  const folder = project(SECOND_WAITS);
  const run = startMillrace(folder, RUN);
  await run.line(says('candidate-ended'));
  run.child.kill('SIGINT');
  await run.finished;
  expect(query(folder, 'SELECT status, reason FROM agent_results')).toEqual([
    { status: 'skipped', reason: 'interrupted' },
  ]);
  letGo(folder);
  expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
  expect(calls(folder).filter((tool) => tool === 'one')).toHaveLength(1);
  expect(candidatesOf(folder)).toMatchObject([{ accepted: true }, { accepted: true }]);
});

describe('the best candidate that its reviewer rejects', () => {
  test('is replaced by the next best, and what was said is kept', async () => {
    const folder = project(BOTH_END, REVIEWED);
    reviewersSay(folder, 'reject', 'accept');
    expect((await millrace(folder, RUN)).code).toBe(0);
    const [row] = query<{ status: string; metadata: string; warnings: string }>(
      folder,
      'SELECT * FROM agent_results',
    );
    expect(row?.status).toBe('completed');
    expect(JSON.parse(row?.metadata ?? '').reviews).toMatchObject([
      { attempt: 1, verdict: 'rejected' },
      { attempt: 2, verdict: 'accepted' },
    ]);
    expect(JSON.parse(row?.warnings ?? '')).toEqual([
      'The work of one (candidate 1) was better and is not used: reviewer reviewed it and rejected it: VERDICT reject',
    ]);
    expect(candidatesOf(folder)).toMatchObject([
      { tool: 'one', chosen: false, completed: false, reason: 'review-failed' },
      { tool: 'two', chosen: true, accepted: true, reason: null },
    ]);
    expect(git(folder, 'show', `${mergedBranch(folder)}:ws-a.txt`)).toBe('hello two');
    expect(query(folder, 'SELECT attempt, reason FROM workstream_attempts ORDER BY attempt')).toEqual([
      { attempt: 1, reason: 'review-failed' },
      { attempt: 2, reason: null },
    ]);
  });

  test('fails its workstream where the others are rejected too, with its own work on the branch', async () => {
    const folder = project(BOTH_END, REVIEWED);
    reviewersSay(folder, 'reject', 'reject');
    expect((await millrace(folder, RUN)).code).toBe(1);
    const [row] = query<{ reason: string; branch: string }>(folder, 'SELECT * FROM agent_results');
    expect(row?.reason).toBe('review-failed');
    expect(candidatesOf(folder)).toMatchObject([
      { chosen: true },
      { chosen: false, reason: 'review-failed' },
    ]);
    expect(git(folder, 'show', `${row?.branch ?? ''}:ws-a.txt`)).toBe('hello one');
    expect(mergedBranch(folder)).toBe('');
  });
});

describe('a competition that is tried again', () => {
  const FAILS_FIRST = `echo "$TOOL" >> "$MEETING/calls"
if [ -e "$MEETING/fixed" ]; then echo "hello $TOOL" > ws-a.txt; else echo "bye $TOOL" > ws-a.txt; fi`;

  /** A run in which a competition has failed, and another workstream waits until there is a file `go`. */
  async function failed(): Promise<{ folder: string; run: Started }> {
    const folder = project(FAILS_FIRST);
    const waits = 'until [ -e .meeting/go ]; do sleep 0.05; done';
    writeFiles(folder, {
      'workstreams/last.json': [{ id: 'ws-last', priority: 1, steps: [{ run: waits }] }],
    });
    git(folder, 'add', '-A');
    git(folder, '-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-q', '-m', 'Wait');
    const run = startMillrace(folder, ['run', '-j', '2', '--best-of', 'one,two']);
    await run.line((line) => says('workstream-finished')(line) && line.includes('"ws-a"'));
    writeFileSync(join(folder, '.meeting', 'fixed'), '');
    return { folder, run };
  }

  const attempts = (folder: string) =>
    query(folder, "SELECT attempt, tool, reason FROM workstream_attempts WHERE workstream_id = 'ws-a'");
  const ALL = [
    { attempt: 1, tool: 'one', reason: 'acceptance-failed' },
    { attempt: 2, tool: 'two', reason: 'acceptance-failed' },
    { attempt: 3, tool: 'one', reason: null },
    { attempt: 4, tool: 'two', reason: null },
  ];
  const competed = (folder: string): Candidate[] =>
    JSON.parse(
      query<{ metadata: string }>(
        folder,
        "SELECT metadata FROM agent_results WHERE workstream_id = 'ws-a'",
      )[0]?.metadata ?? '',
    ).candidates;

  test('numbers its candidates after the earlier ones, whose records and logs stay', async () => {
    const { folder, run } = await failed();
    expect((await millrace(folder, ['retry', 'ws-a'])).stdout).toContain('attempt 3 follows');
    letGo(folder);
    expect((await run.finished).code).toBe(0);
    expect(attempts(folder)).toEqual(ALL);
    expect(competed(folder).map(({ attempt, tool, chosen }) => [attempt, tool, chosen])).toEqual([
      [3, 'one', true],
      [4, 'two', false],
    ]);
    const logs = query<{ log_file: string }>(
      folder,
      "SELECT log_file FROM workstream_attempts WHERE workstream_id = 'ws-a' AND log_file IS NOT NULL",
    ).map(({ log_file: path }) => path);
    expect(new Set(logs).size).toBe(logs.length);
  });

  test('does so also where the run is killed meanwhile and resumed', async () => {
    const { folder, run } = await failed();
    await millrace(folder, ['retry', 'ws-a']);
    await run.line(says('workstream-reopened'));
    run.killAll();
    await run.finished;
    letGo(folder);
    expect(await millrace(folder, ['run', '--resume'])).toMatchObject({ code: 0 });
    expect(attempts(folder)).toEqual(ALL);
    expect(competed(folder).map(({ attempt }) => attempt)).toEqual([3, 4]);
  });
});

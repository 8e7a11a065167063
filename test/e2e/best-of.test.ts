/** Several tools that are given the same workstream: at the same time where agents are free for it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Candidate } from '../../src/domain/attempt.ts';
import { millrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();

/** Ends only when the other one has begun. */
const MEETS = `touch "$MEETING/$TOOL"; until [ -e "$MEETING/one" ] && [ -e "$MEETING/two" ]; do sleep 0.05; done
echo hello > ws-a.txt`;
/** Fails where another one is at work. */
const ALONE = 'mkdir "$MEETING/busy" && echo hello > ws-a.txt && rmdir "$MEETING/busy"';

/** A repository with one workstream and two tools that do this. */
function project(script: string, more: object = {}): string {
  const folder = temporaryFolder();
  const meeting = join(folder, '.meeting');
  const tool = (name: string) => ({
    command: ['sh', '-c', script],
    env: { MEETING: meeting, TOOL: name },
  });
  writeFiles(folder, {
    'millrace.config.json': { tools: { one: tool('one'), two: tool('two') } },
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

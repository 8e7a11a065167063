/**
 * Processes that are killed while they open, harvest, merge and close. Nothing that was in a worktree may be lost: it
 * is in the worktree still, or in what a ref reaches. MILLRACE_TEST_KILLS=100 kills more often.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { listWorktrees } from '../../src/worktree/left-overs.ts';
import { mergedBranch, workstreamBranch } from '../../src/worktree/names.ts';
import { findRepository, type Repository } from '../../src/worktree/repository.ts';
import { prune, rescue } from '../../src/worktree/rescue.ts';
import { cleanEnvironment, parseLines, writeFiles } from '../kit/command.ts';
import { git, makeRepository, RUN, request, workspacesIn } from '../kit/repository.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const KILLS = Number(process.env['MILLRACE_TEST_KILLS'] ?? 20);
const program = fileURLToPath(new URL('kill-program.mjs', import.meta.url));

const HOW = ['before', 'during', 'after'] as const;

/**
 * A git that kills the process that called it, and itself with what it started, before, while or after it does what its
 * call of a number is to do. Calls are counted from a number of merges on. What runs beside its shell has its input.
 */
const DEADLY_GIT = `#!/bin/sh
printf '%s\\n' "$*" >> "$KILL_LOG"
counted=$(awk -v from="$KILL_FROM" '/ merge-tree /{merges++} merges >= from' "$KILL_LOG" | wc -l)
if [ "$counted" -lt "$KILL_AT" ]; then exec "$REAL_GIT" "$@"; fi
exec 3<&0
case "$KILL_HOW" in
  before) kill -9 $PPID 0 ;;
  during) "$REAL_GIT" "$@" <&3 & i=0; while [ $i -lt "$KILL_SPIN" ]; do i=$((i+1)); done; kill -9 $PPID 0 ;;
  after) "$REAL_GIT" "$@"; kill -9 $PPID 0 ;;
esac
`;

/** When a process is killed. */
interface Moment {
  /** The call of git, from 1. */
  at: number;
  how: (typeof HOW)[number];
  /** How long git runs before a kill `during` its call, in turns of a loop. Default: 0. */
  spin?: number;
  /** The merge from whose `git merge-tree` on calls are counted, from 1. Default: all are. */
  fromMerge?: number;
}

interface Killed {
  repo: string;
  journal: string;
  /** The arguments of each call of git. */
  calls: string[];
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

async function runAndKill({ at, how, spin = 0, fromMerge = 0 }: Moment): Promise<Killed> {
  const repo = makeRepository();
  const tools = temporaryFolder();
  writeFiles(tools, { git: DEADLY_GIT, log: '', journal: '' });
  chmodSync(join(tools, 'git'), 0o755);
  const env = {
    ...cleanEnvironment(),
    PATH: `${tools}:${process.env['PATH'] ?? ''}`,
    REAL_GIT: execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim(),
    KILL_LOG: join(tools, 'log'),
    KILL_AT: String(at),
    KILL_FROM: String(fromMerge),
    KILL_HOW: how,
    KILL_SPIN: String(spin),
  };
  const journal = join(tools, 'journal');
  // A group of its own, so that only it is killed.
  const child = spawn(process.execPath, [program, repo, RUN, journal], {
    env,
    detached: true,
    stdio: 'inherit',
  });
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const calls = readFileSync(join(tools, 'log'), 'utf8').trimEnd().split('\n');
  return { repo, journal, calls, exitCode, signal };
}

/** Runs the program to its end. Returns how often it calls git. */
async function callsOfAll(): Promise<number> {
  const { repo, calls, exitCode } = await runAndKill({ at: 1_000_000, how: 'before' });
  expect(exitCode).toBe(0);
  expect(mergedIn(repo)).toEqual(['ws-a', 'ws-b', 'ws-c']);
  expect(await listWorktrees(await repositoryOf(repo))).toEqual([]);
  return calls.length;
}

/** Ids of the workstreams whose work is in the run's own branch. */
const mergedIn = (repo: string): string[] =>
  git(repo, 'log', '--merges', '--format=%s', mergedBranch(RUN))
    .trim()
    .split('\n')
    .map((subject) => subject.replace('Merge ', ''))
    .toSorted();

async function repositoryOf(repo: string): Promise<Repository> {
  const found = await findRepository(repo);
  if ('why' in found) throw new Error(found.why);
  return found;
}

/** What was written and is neither in a worktree nor in anything that a ref reaches. */
async function lost({ repo, journal }: Killed): Promise<string[]> {
  const worktrees = await listWorktrees(await repositoryOf(repo));
  const kept = git(repo, 'rev-list', '--objects', '--glob=refs/*');
  return parseLines(readFileSync(journal, 'utf8'))
    .filter(({ path, text }) => {
      const there = worktrees
        .map(({ worktree }) => join(worktree.root, String(path)))
        .some((file) => existsSync(file) && readFileSync(file, 'utf8') === text);
      const blob = execFileSync('git', ['hash-object', '--stdin'], { input: String(text), encoding: 'utf8' });
      return !there && !kept.includes(blob.trim());
    })
    .map(({ path }) => String(path));
}

/** What git finds wrong, but for a worktree that git itself was killed over before it had a commit. */
function complaints(repo: string): string[] {
  const { stdout, stderr } = spawnSync('git', ['fsck', '--strict'], { cwd: repo, encoding: 'utf8' });
  const harmless = /^error: worktrees\/[^ ]+\/HEAD: detached HEAD points at nothing$/;
  return `${stdout}${stderr}`
    .split('\n')
    .filter((line) => /^(error|fatal|missing|broken)/.test(line) && !harmless.test(line));
}

describe('processes killed with SIGKILL', () => {
  test(`at ${KILLS} moments lose nothing, before and after pruning`, { timeout: 900_000 }, async () => {
    const calls = await callsOfAll();
    const left: string[] = [];
    let removed = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const at = 1 + Math.floor((kill * calls) / KILLS);
      const how = HOW[kill % HOW.length] ?? 'during';
      const name = `call ${at} of ${calls}, ${how}`;
      const killed = await runAndKill({ at, how, spin: (kill * 7919) % 3000 });
      expect(killed.signal, name).toBe('SIGKILL');
      expect(killed.calls.length, name).toBeGreaterThanOrEqual(at);
      expect(await lost(killed), name).toEqual([]);
      const pruned = await prune(await repositoryOf(killed.repo));
      removed += pruned.filter((one) => one.removed).length;
      left.push(...pruned.filter(({ removed }) => !removed).map(({ why }) => `${name}: ${why}`));
      expect(await lost(killed), `${name}, pruned`).toEqual([]);
      expect(git(killed.repo, 'status', '--porcelain'), name).toBe('');
      expect(complaints(killed.repo), name).toEqual([]);
    }
    expect(removed).toBeGreaterThan(KILLS / 2);
    // A git that was killed may leave its own lock; what it locked then stays, and says why.
    expect(left.filter((why) => !why.includes('.lock'))).toEqual([]);
  });

  // Nothing else runs beside the last merge, so that its calls come in this order.
  test.each(
    ['merge-tree', 'commit-tree', 'for-each-ref', 'update-ref'].flatMap((command, index) =>
      HOW.map((how) => ({ how, command, at: index + 1 })),
    ),
  )(
    '$how git $command of the last merge lose nothing, and its work can be merged afterwards',
    async ({ at, how, command }) => {
      const killed = await runAndKill({ at, how, spin: 500, fromMerge: 3 });
      expect(killed.signal).toBe('SIGKILL');
      expect(killed.calls.at(-1)).toContain(` ${command} `);
      expect(await lost(killed)).toEqual([]);
      expect(complaints(killed.repo)).toEqual([]);
      const workspaces = await workspacesIn(killed.repo);
      await workspaces.rescue(RUN);
      const branch = workstreamBranch(RUN, 'ws-c');
      const work = {
        workstreamId: 'ws-c',
        agentId: 'agent-1',
        attempt: 1,
        commit: git(killed.repo, 'rev-parse', branch).trim(),
      };
      const merged = await workspaces.merged(false);
      const { commit } = await merged.tip();
      const joined = await merged.join(commit, work);
      if (joined.kind !== 'joined') throw new Error(JSON.stringify(joined));
      expect(joined.commit === commit || (await merged.advance(commit, joined.commit))).toBe(true);
      expect(mergedIn(killed.repo)).toEqual(['ws-a', 'ws-b', 'ws-c']);
    },
  );

  test('are rescued: what they left is kept, the folders stay, and those of the living are left alone', async () => {
    const killed = await runAndKill({ at: 40, how: 'before' });
    expect(killed.signal).toBe('SIGKILL');
    const workspaces = await workspacesIn(killed.repo, { runId: `${RUN}-2` });
    const own = await workspaces.open(request('ws-x'));
    const rescued = await workspaces.rescue(RUN);
    expect(rescued.length).toBeGreaterThan(0);
    for (const { folder, commit, runId } of rescued) {
      expect(existsSync(folder)).toBe(true);
      expect(runId).toBe(RUN);
      expect(git(killed.repo, 'for-each-ref', '--format=%(objectname)')).toContain(String(commit));
    }
    const repository = await repositoryOf(killed.repo);
    expect((await rescue(repository, RUN)).map(({ commit }) => commit)).toEqual(
      rescued.map(({ commit }) => commit),
    );
    expect((await prune(repository)).map(({ runId }) => runId)).toEqual(rescued.map(() => RUN));
    expect(own).toMatchObject({ kind: 'worktree' });
    expect((await listWorktrees(repository)).map(({ worktree }) => worktree.owner.workstreamId)).toEqual([
      'ws-x',
    ]);
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DATABASE } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import { getRun } from '../../store/read/runs.ts';
import { plural, shownPath } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import { inspect, listWorktrees } from '../../worktree/left-overs.ts';
import { findRepository, type Repository } from '../../worktree/repository.ts';
import { type IsOver, isOver, listBranches, listKept, prune, type Rescued } from '../../worktree/rescue.ts';
import type { WorktreesArguments } from '../commands/worktrees.ts';
import { withHistory } from '../history.ts';
import { printJson, table } from '../print.ts';
import { print } from '../standard-output.ts';

/** Lists the worktrees that runs left, or removes those whose run is over. Exits 1 if one of those could not be. */
export async function worktrees(argv: WorktreesArguments): Promise<number> {
  const repository = await findRepository(process.cwd());
  if ('why' in repository) throw new Refusal(4, `There are no worktrees here: ${repository.why}.`);
  const runIsOver = await endedRuns(argv.state, repository);
  if (argv.action === 'prune') return pruneAll(repository, runIsOver, argv.json);
  await list(repository, runIsOver, argv.json);
  return 0;
}

/** What the database says of the runs whose process still exists: it may have ended all the same. */
async function endedRuns(state: string, repository: Repository): Promise<IsOver> {
  const over = new Map<string, boolean>();
  if (!existsSync(join(state, DATABASE))) return () => null;
  const found = await listWorktrees(repository);
  await withHistory(state, async (connection) => {
    for (const { worktree } of found) {
      const run = connection === null ? null : getRun(connection, worktree.owner.runId);
      if (run !== null) over.set(run.runId, run.state !== 'running');
    }
    return 0;
  });
  return (runId) => over.get(runId) ?? null;
}

async function list(repository: Repository, runIsOver: IsOver, json: boolean): Promise<void> {
  const found = [];
  for (const leftOver of await listWorktrees(repository)) {
    const { root: folder, owner } = leftOver.worktree;
    const { runId, workstreamId, attempt, agentId, process } = owner;
    const inspection = await inspect(repository, leftOver.worktree);
    const alive = !isOver(leftOver, runIsOver);
    found.push({ folder, runId, workstreamId, attempt, agentId, pid: process.pid, alive, ...inspection });
  }
  const branches = await listBranches(repository);
  const kept = await listKept(repository);
  if (json) {
    await printJson({ version: 1, worktrees: found, branches, kept });
    return;
  }
  const rows = found.map((one) => [
    one.runId,
    one.workstreamId,
    one.attempt,
    `${(one.sizeBytes / 1e6).toFixed(1)} MB`,
    one.uncommitted === null ? null : one.uncommitted ? 'yes' : 'no',
    one.alive ? 'yes' : 'no',
    shownPath(process.cwd(), one.folder),
  ]);
  const head = ['run', 'workstream', 'attempt', 'size', 'uncommitted', 'in use', 'folder'];
  const worktreesText = rows.length === 0 ? 'No worktrees.' : table(head, rows);
  const branchRows = branches.map(({ branch, commit }) => [branch, commit.slice(0, 12)]);
  const refs = `${plural(kept.length, 'ref')} below refs/millrace/ ${kept.length === 1 ? 'keeps' : 'keep'} what attempts left.`;
  const branchesText = branches.length === 0 ? 'No branches.' : table(['branch', 'commit'], branchRows);
  await print(`${worktreesText}\n\n${branchesText}${kept.length === 0 ? '' : `\n\n${refs}`}`);
}

async function pruneAll(repository: Repository, runIsOver: IsOver, json: boolean): Promise<number> {
  const pruned = await prune(repository, runIsOver);
  if (json) await printJson({ version: 1, pruned });
  else await print(pruned.length === 0 ? 'Nothing to remove.' : pruned.map(sentence).join('\n'));
  return pruned.every(({ removed }) => removed) ? 0 : 1;
}

function sentence(rescued: Rescued): string {
  const { folder, commit, removed, why, workstreamId, runId, attempt, notes } = rescued;
  const path = oneLine(shownPath(process.cwd(), folder), 200);
  const whose = `${path} (${runId}, ${workstreamId}, attempt ${attempt})`;
  const where = commit === null ? '' : ` What it held is kept as ${commit.slice(0, 12)}.`;
  const what = removed ? `Removed ${whose}.` : `Left ${whose}: ${oneLine(why ?? '', 300)}.`;
  return [`${what}${where}`, ...notes.map((note) => `  ${oneLine(note, 1_000)}`)].join('\n');
}

/**
 * Three workstreams from their worktrees' opening to the merge of their work and their removal, in a process that may be
 * killed at any moment. It ends with exit code 0 only where all of it was done.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openWorkspaces } from '../../dist/src/worktree/open-workspaces.js';

const [repo, runId, journal] = process.argv.slice(2);

/** What is in the journal was on the disk before. */
function write(folder, path, text) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  appendFileSync(journal, `${JSON.stringify({ path, text })}\n`);
}

function commit(folder) {
  const who = ['-c', 'user.name=agent', '-c', 'user.email=agent@example.com'];
  execFileSync('git', [...who, 'add', '-A'], { cwd: folder });
  execFileSync('git', [...who, 'commit', '-q', '-m', 'own'], { cwd: folder });
}

/** Commits, changes `tracked` and adds a file after that, and has all of it merged. */
async function work(workspaces, { id, tracked, parents }) {
  const request = {
    workstream: { id, title: id },
    agentId: 'agent-1',
    attempt: 1,
    kind: 'worktree',
    parents,
    limits: { seconds: 3600, signal: new AbortController().signal },
  };
  const workspace = await workspaces.open(request);
  if ('reason' in workspace) throw new Error(JSON.stringify(workspace));
  write(workspace.folder, `${id}/committed.txt`, `${id} committed\n`);
  commit(workspace.folder);
  write(workspace.folder, `${id}/un tracked.txt`, `${id} untracked\n`);
  write(workspace.folder, tracked, `${id} modified\n`);
  const { head } = await workspaces.harvest(workspace);
  if (head === null) throw new Error(`the work of ${id} was not captured`);
  write(workspace.folder, `${id}/late.txt`, `${id} late\n`);
  const work = { workstreamId: id, agentId: 'agent-1', attempt: 1, commit: head };
  // One caller at a time, as the merge queue is.
  merges = merges.then(() => merge(workspaces, work));
  await merges;
  await workspaces.close(workspace);
}

/** Moves the run's branch to what the work makes of it. */
async function merge(workspaces, work) {
  branch ??= await workspaces.merged(false);
  const { commit } = await branch.tip();
  const joined = await branch.join(commit, work);
  if (joined.kind !== 'joined' || !(await branch.advance(commit, joined.commit)))
    throw new Error(`the work of ${work.workstreamId} was not merged: ${JSON.stringify(joined)}`);
}

let branch;
let merges = Promise.resolve();
const workspaces = await openWorkspaces({ cwd: repo, stateFolder: join(repo, '.state'), runId });
await Promise.all([
  work(workspaces, { id: 'ws-a', tracked: 'a.txt', parents: [] }),
  work(workspaces, { id: 'ws-b', tracked: 'b.txt', parents: [] }),
]);
await work(workspaces, { id: 'ws-c', tracked: 'a.txt', parents: ['ws-a'] });

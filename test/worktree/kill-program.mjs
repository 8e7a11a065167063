/** Two workstreams from their worktrees' opening to their removal, in a process that may be killed at any moment. */
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

async function work(workspaces, id, parents) {
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
  write(workspace.folder, 'b.txt', `${id} modified\n`);
  await workspaces.harvest(workspace);
  write(workspace.folder, `${id}/late.txt`, `${id} late\n`);
  await workspaces.merge(workspace);
  await workspaces.close(workspace);
}

const workspaces = await openWorkspaces({ cwd: repo, stateFolder: join(repo, '.state'), runId });
await Promise.all([work(workspaces, 'ws-a', []), work(workspaces, 'ws-b', [])]);
await work(workspaces, 'ws-c', ['ws-a']);

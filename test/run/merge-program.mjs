/**
 * Merges what a scenario says in a process that may be killed at any moment, with git and worktrees as a run has them.
 * Tests are looked up in the worktree by this process. What became of work is in the journal, as in a run's database.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MergeQueue } from '../../dist/src/run/merge-queue.js';
import { MergedTests } from '../../dist/src/run/merged-tests.js';
import { emptyWorkstream } from '../../dist/src/workstream/normalize.js';
import { openWorkspaces } from '../../dist/src/worktree/open-workspaces.js';

const [repo, runId, scenarioFile, journal, resume] = process.argv.slice(2);
const { works, arrivals, configured } = JSON.parse(readFileSync(scenarioFile, 'utf8'));

const commandOf = (test) => ({
  kind: 'run',
  text: JSON.stringify(test),
  shell: null,
  name: null,
  timeoutSeconds: null,
  env: {},
  cwd: null,
  report: null,
});

const workstreams = works.map(({ id, tests }) => ({
  ...emptyWorkstream(id),
  workspace: 'worktree',
  acceptanceTests: tests.map(commandOf),
}));

/** How often each flaky test was run. */
const runs = new Map();

/** A test passes where not all of the files are there that it forbids together, and all that it needs. */
function passes(folder, text) {
  const { forbids = [], needs = [], isFlaky = false } = JSON.parse(text);
  const isThere = (file) => existsSync(join(folder, file));
  const times = (runs.get(text) ?? 0) + 1;
  runs.set(text, times);
  if (isFlaky && times % 2 === 1) return false;
  return (forbids.length === 0 || !forbids.every(isThere)) && needs.every(isThere);
}

const engine = {
  async execute({ workspace, workstream: { acceptanceTests } }) {
    const tests = acceptanceTests.map(({ text }) => ({
      name: text,
      status: passes(join(repo, workspace), text) ? 'passed' : 'failed',
      logFile: null,
    }));
    return { tests, failure: null };
  },
};

const agent = { agentId: 'agent-1', signal: new AbortController().signal, onMessage: () => undefined };
const published = new Map(
  readFileSync(journal, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .map(({ id, merge }) => [id, merge]),
);
const workOf = ({ id, commit }) => ({ workstreamId: id, agentId: 'agent-1', attempt: 1, commit });
const isLeft = ({ id }) => ['conflict', 'breaks-tests'].includes(published.get(id)?.status);

const workspaces = await openWorkspaces({
  cwd: repo,
  stateFolder: join(repo, '.state'),
  runId,
  isResumed: resume === 'resume',
});
if (resume === 'resume') await workspaces.rescue(runId);
let wake = () => undefined;
const queue = new MergeQueue({
  workstreams,
  waiting: [],
  left: works.filter(isLeft).map(workOf),
  kept: new Set(published.keys()),
  openBranch: () => workspaces.merged(false),
  tests: new MergedTests({
    runId,
    engine,
    limits: { timeoutSeconds: 60, graceSeconds: 1, maxOutputMb: 1 },
    project: repo,
    logFolder: 'logs',
    shell: 'sh',
    gates: {},
    configured: configured.map(commandOf),
    emptyWorkstream,
    defined: workstreams,
    toolsOf: () => ({}),
    lease: async () => ({ context: agent, release: () => undefined }),
  }),
  publish: (id, merge) => appendFileSync(journal, `${JSON.stringify({ id, merge })}\n`),
  warn: () => undefined,
  onChange: () => wake(),
});
queue.begin();
for (const { id, pause } of arrivals) {
  const work = works.find((each) => each.id === id);
  if (published.has(id)) continue;
  queue.take({
    workstreamId: id,
    agentId: 'agent-1',
    attempts: 1,
    metadata: { merge: { status: 'pending', outsideScope: [] }, changes: { head: work.commit } },
  });
  // As much later as the queue needs for a step, not a time.
  for (let turn = 0; turn < pause; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
while (!queue.finish())
  await new Promise((resolve) => {
    wake = resolve;
  });

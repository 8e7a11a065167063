/** `--agents auto` with the real load of this machine, and with memory enough. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { millrace, parseLines, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** Where other programs have taken the memory, no agents are added. */
const MEMORY = fileURLToPath(new URL('../kit/enough-memory.mjs', import.meta.url));

/** It ends when as many as `count` are under way at the same time, and computes nothing meanwhile. */
const MEETS = `
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
export default async ({ count }, { workspace, workstream }) => {
  writeFileSync(join(workspace, 'here-' + workstream.id), '');
  const here = () => readdirSync(workspace).filter((name) => name.startsWith('here-')).length;
  while (here() < count) await new Promise((resolve) => setTimeout(resolve, 20));
  return { output: count };
};`;

/** Workstreams of which more wait for each other than there are cores. */
function folderOfMeeting(config: object = {}) {
  const folder = temporaryFolder();
  const count = availableParallelism() + 1;
  const steps = [{ module: './meets.mjs', input: { count } }];
  writeFiles(folder, {
    'workstreams/all.json': Array.from({ length: count }, (_, index) => ({ id: `ws-${index + 1}`, steps })),
    'workstreams/meets.mjs': MEETS,
    'millrace.config.json': config,
  });
  return { folder, count };
}

test('workstreams that wait get more agents than there are cores', async () => {
  const { folder, count } = folderOfMeeting({ agents: 'auto', maxAgents: availableParallelism() + 1 });
  const { code, stdout } = await millrace(folder, ['run'], { NODE_OPTIONS: `--import ${MEMORY}` });
  expect(code).toBe(0);
  const changes = parseLines(stdout).filter(({ event }) => event === 'agents-scaled');
  expect(changes[0]).toMatchObject({ from: null, reason: 'start' });
  expect(changes.at(-1)).toMatchObject({ to: count, reason: 'waiting' });
  const kept = query(
    folder,
    'SELECT from_count AS "from", to_count AS "to", reason FROM agent_counts ORDER BY id',
  );
  expect(kept).toEqual(changes.map(({ from, to, reason }) => ({ from, to, reason })));
  const [run] = query(folder, 'SELECT execution_summary AS summary FROM consolidated_runs');
  const summary: { scaling: { most: number } } = JSON.parse(String(run?.['summary']));
  expect(summary.scaling.most).toBe(count);
  const report = parseLines(stdout).at(-1)?.['report'];
  expect(readFileSync(String(report), 'utf8')).toContain('## Number of agents');
  const agents = await millrace(folder, ['agents', '--json']);
  const document: { agents: { agentId: string }[] } = JSON.parse(agents.stdout);
  expect(document.agents.map(({ agentId }) => agentId)).toEqual(
    Array.from({ length: count }, (_, index) => `agent-${index + 1}`),
  );
});

test.each([
  ['of named agents', ['run', '-j', 'auto'], { agents: [{ name: 'anna' }] }, 'The agents are named'],
  ['of pinned agents', ['run', '-j', 'auto', '--distribution', 'round-robin'], {}, 'round-robin'],
  ['that is none', ['run', '-j', 'many'], {}, 'expected a whole number from 1 to 1024, or auto'],
  ['at most that is none', ['run', '-j', 'auto', '--max-agents', '0'], {}, "--max-agents can't be used"],
])('a number %s is refused, and nothing is run', async (_, args, config, message) => {
  const { folder } = folderOfMeeting(config);
  const { code, stdout, stderr } = await millrace(folder, args);
  expect(code).toBe(2);
  expect(stdout + stderr).toContain(message);
});

test('where workstreams reserve processors, there are as many agents as these leave room for', async () => {
  const { folder } = folderOfMeeting();
  const steps = [{ module: './meets.mjs', input: { count: 2 } }];
  const reserving = Array.from({ length: 6 }, (_, index) => ({ id: `ws-${index + 1}`, cpus: 2, steps }));
  writeFiles(folder, { 'workstreams/all.json': reserving });
  const args = ['run', '--agents', 'auto', '--max-agents', '8', '--cpus', '4'];
  const { code, stdout } = await millrace(folder, args, { NODE_OPTIONS: `--import ${MEMORY}` });
  expect(code).toBe(0);
  const counts = parseLines(stdout).flatMap(({ event, to }) => (event === 'agents-scaled' ? [to] : []));
  expect(Math.max(...counts.map(Number))).toBe(2);
});

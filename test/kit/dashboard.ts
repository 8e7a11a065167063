/** A dashboard in a folder of its own, and runs there whose workstreams end when a test says so. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type Started, startMillrace, writeFiles } from './command.ts';
import { makeRepository } from './repository.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A workstream that ends with the exit code that its gate is given. */
export const gated = (id: string, but: object = {}): object => ({
  id,
  steps: [{ run: `echo ${id} began; exit $(cat gate-${id})` }],
  ...but,
});

/** A folder with these workstreams, and a gate for each of `gates`. */
export function gatedFolder(workstreams: readonly object[], gates: readonly string[]): string {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': workstreams });
  for (const id of gates) execFileSync('mkfifo', [join(folder, `gate-${id}`)]);
  return folder;
}

/** A coding agent writes its id to a file that others of its kind write as well. */
export const writes = (id: string, but: object = {}): object => ({
  id,
  tool: 'claude',
  tasks: [`write shared.txt ${id}`],
  files_scope: ['shared.txt'],
  acceptance_tests: ['test -s shared.txt'],
  ...but,
});

/** A repository with these workstreams, and a gate for each of `gates`. @param config beside the coding agent. */
export function toolFolder(
  workstreams: readonly object[],
  gates: readonly string[],
  config: (folder: string) => object = () => ({}),
): string {
  const folder = join(temporaryFolder(), 'repo');
  const scripted = fileURLToPath(new URL('../fixtures/tools/scripted.mjs', import.meta.url));
  const tools = { claude: { command: ['node', scripted, '--claude'], exit_grace_seconds: 1 } };
  makeRepository(
    {
      '.gitignore': '.state/\nreports/\ngate-*\n',
      'shared.txt': 'neither\n',
      'millrace.config.json': JSON.stringify({ tools, ...config(folder) }),
      'workstreams/all.json': JSON.stringify(workstreams),
    },
    folder,
  );
  for (const id of gates) execFileSync('mkfifo', [join(folder, `gate-${id}`)]);
  return folder;
}

/**
 * Work that is merged while its run goes on: that of `ws-left` once the gate `merge` is opened, where that of `ws-right`,
 * which begins after `ws-gated`, can't be merged any more. The run ends after `ws-held`.
 */
export const mergingFolder = (): string =>
  toolFolder(
    [
      writes('ws-left'),
      writes('ws-right', { depends_on: [{ id: 'ws-gated', when: 'finished' }] }),
      gated('ws-gated'),
      gated('ws-held'),
    ],
    ['merge', 'ws-gated', 'ws-held'],
    (folder) => ({ merge_tests: [`exit $(cat '${join(folder, 'gate-merge')}')`] }),
  );

/** Lets a workstream end as soon as it is executed. */
export const letEnd = (folder: string, id: string, exitCode = 0): Promise<void> =>
  writeFile(join(folder, `gate-${id}`), String(exitCode));

/** Starts a command of Millrace that is killed with the test, if it has not ended. */
function started(folder: string, args: string[], env: NodeJS.ProcessEnv = {}): Started {
  const command = startMillrace(folder, args, env);
  onTestFinished(() => {
    if (command.child.exitCode === null && command.child.signalCode === null) command.killAll();
  });
  return command;
}

/** Starts a run, and waits until these of its workstreams are executed. Returns its id beside it. */
export async function runUntil(
  folder: string,
  ids: readonly string[],
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Started & { runId: string }> {
  const run = started(folder, ['run', '-j', '3', ...args], env);
  const lines = ids.map((id) =>
    run.line(
      (text) => text.includes('"event":"workstream-started"') && text.includes(`"workstream_id":"${id}"`),
    ),
  );
  const [line = '{}'] = await Promise.all(lines);
  const { run_id: runId }: { run_id: string } = JSON.parse(line);
  return { ...run, runId };
}

/** Starts a dashboard, and returns the address that it prints. */
export async function startDashboard(
  folder: string,
  port = '0',
  token?: string,
): Promise<Started & { address: string }> {
  const env = token === undefined ? {} : { MILLRACE_DASHBOARD_TOKEN: token };
  const dashboard = started(folder, ['dashboard', '--port', port], env);
  const line = await dashboard.line((text) => text.includes('http://'));
  return { ...dashboard, address: /http:\S+/.exec(line)?.[0] ?? '' };
}

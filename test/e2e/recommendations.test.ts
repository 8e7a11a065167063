/** Every command that a recommendation names can be run. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/store/schema/database.ts';
import { bin, cleanEnvironment, millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { recordHistory } from '../kit/recorded-history.ts';
import { databaseIn } from '../kit/recorded-run.ts';
import { commitAll, makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { syntheticHistory, syntheticId } from '../kit/synthetic-history.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** What the last run in a folder recommends. */
function recommendations(folder: string): string[] {
  const sql = 'SELECT recommendations FROM consolidated_runs ORDER BY rowid DESC LIMIT 1';
  const [row] = query<{ recommendations: string }>(folder, sql);
  return JSON.parse(row?.recommendations ?? '[]') as string[];
}

/** The commands that stand in `backticks`. */
const commandsIn = (sentences: readonly string[]): string[] =>
  sentences.flatMap((sentence) =>
    [...sentence.matchAll(/`((?:millrace|git) [^`]+)`/g)].map(([, command]) => command ?? ''),
  );

interface Ended {
  command: string;
  code: number | null;
  stderr: string;
}

/** Runs a command as a person would, with the built program as `millrace`. */
function typed(folder: string, command: string): Promise<Ended> {
  const script = `millrace() { "${process.execPath}" "${bin}" "$@"; }; ${command}`;
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', script], { cwd: folder, env: cleanEnvironment() });
    let stderr = '';
    child.stderr?.on('data', (text: string) => (stderr += text));
    child.once('close', (code) => resolve({ command, code, stderr }));
  });
}

const FAILING = [
  { id: 'ws-shared-a', steps: [{ run: 'echo "error: no such table" >&2; exit 1' }] },
  { id: 'ws-shared-b', steps: [{ run: 'echo "error: no such table" >&2; exit 1' }] },
  { id: 'ws-one', steps: [{ module: './missing.mjs' }] },
  { id: 'ws-after', depends_on: ['ws-one'], steps: [{ run: 'true' }] },
  { id: 'ws-late', timeout_seconds: 0.2, steps: [{ run: 'sleep 60' }] },
  { id: 'ws-checked', acceptance_tests: ['It looks right'], steps: [{ run: 'true' }] },
];

test('after a run in which much failed each command that is named runs, and ends as it may', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': FAILING, 'workstreams/broken.json': '{' });
  await millrace(folder, ['run']);
  const commands = commandsIn(recommendations(folder));
  for (const expected of ['run ws-shared-', 'run ws-one', 'run ws-late', 'errors ma-run-', 'validate'])
    expect(commands.filter((command) => command.startsWith(`millrace ${expected}`))).not.toEqual([]);
  for (const command of new Set(commands)) {
    const { code, stderr } = await typed(folder, command);
    // What is run again fails again; nothing is a mistake in what was typed (2) or finds nothing (4).
    expect([command, code]).toEqual([command, /^millrace (run|validate)/.test(command) ? 1 : 0]);
    expect(stderr).not.toMatch(/Usage|Unknown|Did you mean/i);
  }
});

test('after an interrupted run the command that goes on does so', async () => {
  const folder = temporaryFolder();
  const gate = join(folder, 'gate');
  const wait = `while [ ! -e '${gate}' ]; do sleep 0.05; done`;
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-first', steps: [{ run: wait }] },
      { id: 'ws-second', steps: [{ run: 'true' }] },
    ],
  });
  const run = startMillrace(folder, ['run', '-j', '1']);
  await run.line((each) => each.includes('ws-first'));
  run.child.kill('SIGINT');
  expect((await run.finished).code).toBe(130);
  writeFiles(folder, { gate: '' });
  const commands = commandsIn(recommendations(folder));
  expect(commands).toEqual([expect.stringMatching(/^millrace run --resume ma-run-/)]);
  expect(await typed(folder, commands[0] ?? '')).toMatchObject({ code: 0 });
});

test('after a run in which everything completed its results are shown', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': [{ id: 'ws-a', steps: [{ run: 'true' }] }] });
  await millrace(folder, ['run']);
  const commands = commandsIn(recommendations(folder));
  expect(commands).toEqual([expect.stringMatching(/^millrace show ma-run-/)]);
  expect(await typed(folder, commands[0] ?? '')).toMatchObject({ code: 0 });
});

const WORK = `
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
export default async ({ flag, error }) => {
  await setTimeout(150);
  if (existsSync(flag)) throw new Error(error);
};
`;

const [BROKEN, FLAKY] = [syntheticId(0), syntheticId(1)];
/** The shortest of the synthetic workstreams, so that the real runs, in which all take as long, do not look short. */
const SLOWER = syntheticId(4);

/** A repository whose database has 78 runs in which one workstream was flaky and one became slower. */
async function withHistory(): Promise<string> {
  const folder = makeRepository({
    '.gitignore': '.state/\nreports/\n',
    'work.mjs': WORK,
    'workstreams/all.json': JSON.stringify(
      Array.from({ length: 12 }, (_, index) => {
        const id = syntheticId(index);
        const input = { flag: `break-${id}`, error: `It failed in ${'abcdefghijkl'.charAt(index)}` };
        return { id, steps: [{ module: '../work.mjs', input }] };
      }),
    ),
  });
  await millrace(folder, ['run']);
  const rows = query<{ id: string; hash: string }>(
    folder,
    'SELECT workstream_id AS id, definition_hash AS hash FROM agent_results',
  );
  const hashes = new Map(rows.map(({ id, hash }) => [id, hash]));
  rmSync(join(folder, '.state'), { recursive: true });
  const history = syntheticHistory({
    seed: 5,
    runs: 78,
    workstreams: 12,
    noise: 0.02,
    machines: { [hostname()]: 1 },
    events: [
      { kind: 'flaky', workstreamId: FLAKY, message: 'It failed in b', rate: 0.25 },
      { kind: 'slower', workstreamId: SLOWER, from: 70, ratio: 1.5 },
    ],
  });
  const connection = openDatabase(databaseIn(folder));
  recordHistory(
    connection,
    history.map((run) => ({
      ...run,
      results: run.results.map((each) => ({
        ...each,
        definitionHash: hashes.get(each.workstreamId) ?? '',
      })),
    })),
  );
  connection.close();
  return folder;
}

test('after many runs what is new comes first, what is flaky is called so, and each command runs', async () => {
  const folder = await withHistory();
  await millrace(folder, ['run']);
  writeFiles(folder, { [`break-${BROKEN}`]: '', [`break-${FLAKY}`]: '' });
  commitAll(folder);
  await millrace(folder, ['run']);
  const sentences = recommendations(folder);
  expect(sentences).toEqual([
    expect.stringMatching(
      new RegExp(`^\`${BROKEN}\` failed with a new error \\(thrown\\): "(Error: )?It failed in a"\\.`),
    ),
    expect.stringContaining(`\`${FLAKY}\` is flaky and failed so in `),
    expect.stringMatching(new RegExp(`^\`${SLOWER}\` takes 1\\.\\d+ times as long as before`)),
  ]);
  const commands = commandsIn(sentences);
  expect(commands.map((command) => command.split(' ', 2).join(' '))).toEqual([
    'millrace errors',
    'millrace run',
    'git log',
    'millrace run',
    'millrace flaky',
    'millrace trends',
  ]);
  for (const command of commands) {
    const { code, stderr } = await typed(folder, command);
    expect([command, code, stderr]).toEqual([
      command,
      command.startsWith('millrace run') ? 1 : 0,
      command.startsWith('millrace run') ? expect.any(String) : '',
    ]);
  }
});

/** Secrets of the environment that turn up in everything that a workstream can do. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Finished, millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const TOKEN = 'tok-9f8e7d6c5b4a39281706-end';
const ODD = 'o"dd/9\\8<7&6+5é4-passphrase';
const ENV = {
  GITHUB_TOKEN: TOKEN,
  KEY_PASSPHRASE: ODD,
  DATABASE_URL: 'postgres://app:dbpw-13579-24680@localhost/x',
  MAX_TOKENS: '4096',
};
const OF_STEP = 'of-the-step-112233445566';
const OF_TOOL = 'of-the-tool-998877665544';
const VALUES = [TOKEN, ODD, 'dbpw-13579-24680', OF_STEP, OF_TOOL];

const MODULE = `
import { execSync, spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
const { GITHUB_TOKEN: token, KEY_PASSPHRASE: odd, DATABASE_URL: url } = process.env;
export const gives = (_, context) => {
  console.log(token, odd);
  console.error(new Error(url));
  writeSync(1, token);
  execSync('echo $GITHUB_TOKEN', { stdio: 'inherit' });
  context.progress(0.5, 'p'.repeat(190) + token);
  context.log.info({ token, odd, [token]: { deep: [odd] } }, 'with ' + token);
  context.warn('w'.repeat(1990) + token);
  context.warn(odd);
  return {
    output: { token, [token]: [odd, { url }], text: 'a ' + odd + ' b' },
    filesModified: [token + '.txt'],
    metrics: { [token]: 1 },
  };
};
export const receives = (_, { dependencies }) => ({ output: dependencies });
export const throws = () => {
  const error = new Error('m'.repeat(8180) + token, { cause: new Error(odd) });
  error.name = odd;
  error.body = 'b'.repeat(1990) + token;
  throw error;
};
export const throwsText = () => { throw 'x' + token; };
export const rejectsLate = () => { void Promise.reject(new Error(token)); };
export const exits = async () => {
  console.log(token);
  const child = spawn('echo $GITHUB_TOKEN', { shell: true, stdio: 'inherit' });
  await new Promise((resolve) => child.once('exit', resolve));
  process.exit(3);
};
export const blocks = () => { console.log(odd + token); for (;;); };
export const aborts = () => { console.log(token); process.abort(); };
export const wrongKey = () => ({ [token]: 1 });
`;

const TOOL = `
import { writeFileSync } from 'node:fs';
const { GITHUB_TOKEN: token, KEY_PASSPHRASE: odd, MILLRACE_ATTEMPT: attempt, X_API_KEY: own } = process.env;
if (process.argv.includes('--version')) {
  console.log('1.0 ' + token);
  process.exit(0);
}
console.log('I use ' + token + ' and ' + odd);
console.error(odd, own);
if (attempt === '1') process.exit(3);
writeFileSync(token + '.txt', 'made');
`;

const module = (id: string, name: string, more: object = {}): object => ({
  id,
  steps: [{ module: './m.mjs', export: name }],
  ...more,
});

/** A workstream for each way out that there is. */
const WORKSTREAMS = [
  module('ws-gives', 'gives', { title: `The one with ${TOKEN}`, client_secret: 'field-24681357-secret' }),
  module('ws-receives', 'receives', { depends_on: ['ws-gives'] }),
  module('ws-throws', 'throws'),
  module('ws-throws-text', 'throwsText'),
  module('ws-rejects-late', 'rejectsLate'),
  module('ws-exits', 'exits'),
  module('ws-blocks', 'blocks', { timeout_seconds: 3 }),
  module('ws-aborts', 'aborts', { isolation: 'process' }),
  module('ws-in-process', 'gives', { isolation: 'process' }),
  module('ws-wrong-key', 'wrongKey'),
  {
    id: 'ws-shell',
    steps: [{ run: 'set -x; echo "$GITHUB_TOKEN $DATABASE_URL"; echo "$KEY_PASSPHRASE" >&2; exit 3' }],
  },
  { id: 'ws-base64', steps: [{ run: 'printf %s "user:$GITHUB_TOKEN" | base64 -w0; exit 3' }] },
  {
    id: 'ws-long',
    steps: [
      {
        run: 'head -c 300000 /dev/zero | tr "\\0" .; printf "%s\\n" "$GITHUB_TOKEN"; printf "%4085s"; exit 3',
      },
    ],
  },
  { id: 'ws-step', steps: [{ run: 'echo "$API_KEY"; exit 3', env: { API_KEY: OF_STEP } }] },
  { id: 'ws-program', steps: [{ command: ['no-such-program', TOKEN] }] },
  {
    id: 'ws-tests',
    steps: [{ run: 'true' }],
    acceptance_tests: [
      { run: 'printf "TAP version 13\\n1..1\\nnot ok 1 - with %s\\n" "$GITHUB_TOKEN"; exit 1' },
      { run: `test "${TOKEN}" = ""` },
      `Look whether ${TOKEN} is there`,
    ],
    compensation_actions: ['echo $GITHUB_TOKEN; exit 4'],
  },
  {
    id: 'ws-tool',
    tool: 'mine',
    tasks: ['work'],
    circuit_breaker: { max_attempts: 2 },
    title: `Work with ${TOKEN}`,
  },
];

const CONFIG = { tools: { mine: { command: ['node', 'tool.mjs'], env: { X_API_KEY: OF_TOOL } } } };

function project(workstreams: unknown[], config: object = CONFIG): string {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'millrace.config.json': config,
    'workstreams/all.json': workstreams,
    'workstreams/m.mjs': MODULE,
    'tool.mjs': TOOL,
    '.gitignore': 'reports/\n',
  });
  const git = (...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.c', ...args], { cwd: folder });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'Begin');
  return folder;
}

/** All files below a folder with their bytes as Latin-1. */
function filesBelow(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => [path, readFileSync(path, 'latin1')]);
}

/** Where a value stands, or ten characters of its beginning or its end. */
function leaks(places: [string, string][], values: readonly string[]): string[] {
  return places.flatMap(([where, text]) =>
    values.flatMap((value) => {
      const base64 = Buffer.from(value).toString('base64').slice(0, 12);
      const json = JSON.stringify(value).slice(1, -1);
      const parts = [value, json, value.slice(0, 10), value.slice(-10), base64].map((part) =>
        Buffer.from(part).toString('latin1'),
      );
      const found = parts.find((part) => text.includes(part) || where.includes(part));
      return found === undefined ? [] : [`${where}: …${excerpt(text, found)}`];
    }),
  );
}

const excerpt = (text: string, part: string): string =>
  text.slice(Math.max(0, text.indexOf(part) - 60), text.indexOf(part) + 60);

const printed = ({ stdout, stderr }: Finished): [string, string][] => [
  ['standard output', Buffer.from(stdout).toString('latin1')],
  ['standard error', Buffer.from(stderr).toString('latin1')],
];

const left = (folder: string): [string, string][] => [
  ...filesBelow(join(folder, '.state')),
  ...filesBelow(join(folder, 'reports')),
];

test('no secret reaches the log, the database, the reports or a file of the state folder', async () => {
  const folder = project(WORKSTREAMS);
  const run = await millrace(
    folder,
    ['run', '-j', '4', '--grace', '0.2', '--junit', 'reports/junit.xml'],
    ENV,
  );
  expect(run.code, run.stderr).toBe(1);
  const reasons = query<{ id: string; reason: string | null }>(
    folder,
    'SELECT workstream_id AS id, reason FROM agent_results',
  );
  expect(Object.fromEntries(reasons.map(({ id, reason }) => [id, reason]))).toEqual({
    'ws-gives': null,
    'ws-receives': null,
    'ws-throws': 'thrown',
    'ws-throws-text': 'thrown',
    'ws-rejects-late': 'thrown',
    'ws-exits': 'worker-crashed',
    'ws-blocks': 'timed-out',
    'ws-aborts': 'process-crashed',
    'ws-in-process': null,
    'ws-wrong-key': 'invalid-result',
    'ws-shell': 'exit-non-zero',
    'ws-base64': 'exit-non-zero',
    'ws-long': 'exit-non-zero',
    'ws-step': 'exit-non-zero',
    'ws-program': 'command-not-found',
    'ws-tests': 'acceptance-failed',
    'ws-tool': null,
  });
  const [runId] = query<{ run_id: string }>(folder, 'SELECT run_id FROM consolidated_runs');
  const shown = await Promise.all(
    [
      ['show', runId?.run_id ?? '', '--json'],
      ['errors', '--json'],
      ['report', runId?.run_id ?? '', '--format', 'json'],
      ['status'],
    ].map((args) => millrace(folder, args, ENV)),
  );
  const secrets = [...VALUES, 'field-24681357-secret'];
  expect(leaks([...printed(run), ...shown.flatMap(printed), ...left(folder)], secrets)).toEqual([]);
  // Nothing was redacted by leaving it out.
  const [row] = query<{ metadata: string }>(
    folder,
    "SELECT metadata FROM agent_results WHERE workstream_id = 'ws-receives'",
  );
  const { token, text } = JSON.parse(row?.metadata ?? '').output['ws-gives'];
  expect([token, text]).toEqual(['[redacted: GITHUB_TOKEN]', 'a [redacted: KEY_PASSPHRASE] b']);
  expect(run.stdout).toContain('with [redacted: GITHUB_TOKEN]');
  const logs = Object.fromEntries(filesBelow(join(folder, '.state/logs')));
  const logOf = (id: string): string =>
    Object.entries(logs).find(([path]) => path.endsWith(`/${id}.log`))?.[1] ?? '';
  for (const id of ['ws-gives', 'ws-exits', 'ws-shell', 'ws-long', 'ws-aborts', 'ws-tool'])
    expect(logOf(id), id).toContain('[redacted: GITHUB_TOKEN]');
  const prompts = Object.entries(logs).filter(([path]) => path.endsWith('prompt.txt'));
  expect(prompts.map(([, text]) => text).join('')).toContain('I use [redacted: GITHUB_TOKEN]');
  expect(logOf('ws-step')).toContain('[redacted: API_KEY]');
  expect(execFileSync('git', ['log', '--all', '--format=%B'], { cwd: folder, encoding: 'utf8' })).toContain(
    'Work with [redacted: GITHUB_TOKEN]',
  );
}, 120_000);

test('the one document of --json holds no secret', async () => {
  const folder = project(WORKSTREAMS.slice(0, 3));
  const run = await millrace(folder, ['run', '--json'], ENV);
  expect(leaks(printed(run), VALUES)).toEqual([]);
  expect(JSON.parse(run.stdout).run.totals.workstreams).toBe(3);
});

test('names can be added and taken out', async () => {
  const folder = project(
    [{ id: 'ws-a', steps: [{ run: 'echo "$GITHUB_TOKEN $LICENCE_TEXT $DATABASE_URL"; exit 3' }] }],
    { redact: { names: ['licence_*'], keep: ['GITHUB_*'] } },
  );
  const run = await millrace(folder, ['run'], { ...ENV, LICENCE_TEXT: 'lic-777666555' });
  const places = [...printed(run), ...left(folder)];
  expect(leaks(places, ['lic-777666555', 'dbpw-13579-24680'])).toEqual([]);
  // What is looked for would be found.
  expect(leaks(left(folder), [TOKEN]).some((leak) => leak.includes('.log'))).toBe(true);
  expect(leaks(left(folder), [TOKEN]).some((leak) => leak.includes('.db'))).toBe(true);
});

test('a value that is part of a name that Millrace works with is left alone, and that is said', async () => {
  const folder = project([{ id: 'ws-database-1', steps: [{ run: 'echo completed database' }] }]);
  const run = await millrace(folder, ['run'], { A_PASSWORD: 'completed', B_PASSWORD: 'database' });
  expect(run.code).toBe(0);
  expect(query(folder, 'SELECT workstream_id, status FROM agent_results')).toEqual([
    { workstream_id: 'ws-database-1', status: 'completed' },
  ]);
  expect(run.stdout).toContain('The value of A_PASSWORD, B_PASSWORD is part of a name');
});

test('what a killed process could not redact is redacted when its run goes on', async () => {
  const folder = project([{ id: 'ws-a', steps: [{ run: 'test -e go || { echo ready; sleep 1000; }' }] }]);
  const started = startMillrace(folder, ['run'], ENV);
  const line = await started.line((text) => text.includes('"ws-a started"'));
  const { run_id: runId } = JSON.parse(line);
  started.killAll();
  await started.finished;
  const logs = join(folder, '.state/logs', String(runId));
  mkdirSync(join(logs, 'ws-a.tool/step-1'), { recursive: true });
  appendFileSync(join(logs, 'ws-a.log'), `it is ${TOKEN}`);
  writeFileSync(join(logs, 'ws-a.tool/step-1/prompt.txt'), ODD);
  writeFileSync(join(folder, 'go'), '');
  const resumed = await millrace(folder, ['run', '--resume'], ENV);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(leaks(left(folder), VALUES)).toEqual([]);
  expect(readFileSync(join(logs, 'ws-a.log'), 'utf8')).toContain('it is [redacted: GITHUB_TOKEN]');
});

test('what keeps a run from starting is said without secrets', async () => {
  const folder = project([{ id: 'ws-a', steps: [{ run: 'true' }] }]);
  const run = await millrace(folder, ['run', '--workstreams', `no-${TOKEN}`], ENV);
  expect(run.code).toBe(2);
  expect(run.stdout + run.stderr).toContain('[redacted: GITHUB_TOKEN]');
  const usage = await millrace(folder, ['run', `--${TOKEN}`], ENV);
  expect(usage.code).toBe(2);
  expect(leaks([...printed(run), ...printed(usage)], [TOKEN])).toEqual([]);
});

test('what many commands print is redacted too', async () => {
  const folder = project([
    {
      id: 'ws-a',
      matrix: { n: Array.from({ length: 60 }, (_, n) => n) },
      steps: [{ run: 'echo "$GITHUB_TOKEN"' }],
    },
  ]);
  const run = await millrace(folder, ['run'], ENV);
  expect(run.code, run.stderr).toBe(0);
  expect(leaks([...printed(run), ...left(folder)], VALUES)).toEqual([]);
  const logs = filesBelow(join(folder, '.state/logs'));
  expect(logs.map(([, text]) => text)).toEqual(Array(60).fill(`[redacted: GITHUB_TOKEN]****\n`));
});

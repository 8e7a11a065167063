/** Usage and configuration: what is refused, and how. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bin, cleanEnvironment, millrace, parseLines, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const one = { 'workstreams/a.json': { id: 'ws-a', steps: [{ run: 'true' }] } };

function folderWith(files: Record<string, unknown>): string {
  const folder = temporaryFolder();
  writeFiles(folder, files);
  return folder;
}

describe('exit codes', () => {
  test('2 and a hint for an unknown option', async () => {
    const { code, stderr } = await millrace(folderWith(one), ['run', '--agnets', '3']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'millrace: There is no option --agnets. Did you mean --agents?\nSee millrace --help.\n',
    );
  });

  test.each([
    [['run', '-j', '0'], "millrace: -j, --agents can't be used: Too small: expected number to be >=1."],
    [['run', '-j', 'many'], "millrace: -j, --agents can't be used: "],
    [['plan', '--agents=0'], "millrace: -j, --agents can't be used: "],
    [['run', '--distribution', 'random'], 'distribution'],
    [['run', '--timeout', '-1'], "millrace: --timeout can't be used: "],
    [['run', '--maxOutput', '0'], "millrace: --max-output can't be used: "],
    [['run', '--max-agents', '1.5'], "millrace: --max-agents can't be used: "],
    [['run', '--tool-circuit', '-1'], "millrace: --tool-circuit can't be used: "],
  ])('2 for %s', async (args, named) => {
    const folder = folderWith(one);
    const { code, stderr } = await millrace(folder, args);
    expect(code).toBe(2);
    expect(stderr).toContain(named);
    expect(existsSync(join(folder, '.state'))).toBe(false);
  });

  test('2 for an option of the environment or of the configuration, by the name that it has there', async () => {
    const folder = folderWith({ ...one, 'millrace.config.json': { agents: 0 } });
    const fromFile = await millrace(folder, ['run']);
    expect([fromFile.code, fromFile.stderr]).toEqual([
      2,
      expect.stringContaining('millrace.config.json: "agents" can\'t be used: '),
    ]);
    const fromVariable = await millrace(folder, ['run'], { MILLRACE_AGENTS: '-1', MILLRACE_MAX_OUTPUT: '1' });
    expect([fromVariable.code, fromVariable.stderr]).toEqual([
      2,
      expect.stringContaining("millrace: MILLRACE_AGENTS can't be used: "),
    ]);
  });

  test.each([['status'], ['runs'], ['prune'], ['run', '--resume'], ['run', '--retry-failed']])(
    '2 for %s %s of a state folder that is a file',
    async (...command) => {
      const folder = folderWith({ ...one, file: 'text' });
      for (const state of ['file', 'file/state']) {
        const { code, stdout, stderr } = await millrace(folder, [...command, '--state', state]);
        expect([code, stdout + stderr]).toEqual([2, expect.stringContaining('file is a file, not a folder')]);
      }
    },
  );

  test.runIf(process.platform === 'linux').each([
    ['--reports', '/proc/reports'],
    ['--junit', '/proc/results.xml'],
  ])('2 for %s %s, where nothing can be written whatever the rights say', async (option, path) => {
    const folder = folderWith({ 'workstreams/a.json': { id: 'ws-a', steps: [{ run: 'touch ran' }] } });
    const { code, stdout, stderr } = await millrace(folder, ['run', option, path]);
    expect([code, stdout + stderr]).toEqual([2, expect.stringMatching(/\/proc\S* can't be written/)]);
    expect(readdirSync(folder)).toEqual(['workstreams']);
  });

  test('2 for a folder that is not there, 4 for one with nothing in it', async () => {
    const folder = temporaryFolder();
    const missing = await millrace(folder, ['run']);
    expect(missing.code).toBe(2);
    expect(missing.stdout).toContain('millrace init');
    mkdirSync(join(folder, 'workstreams'));
    expect((await millrace(folder, ['run'])).code).toBe(4);
    expect((await millrace(folder, ['validate'])).code).toBe(4);
    expect((await millrace(folder, ['validate', '--workstreams', 'nowhere'])).code).toBe(2);
  });

  test.each([['run'], ['validate'], ['runs']])('2 for %s in a folder that was removed', (command) => {
    const folder = join(temporaryFolder(), 'removed');
    mkdirSync(folder);
    const script = 'rmdir "$PWD" && exec "$0" "$@"';
    const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, bin, command], {
      cwd: folder,
      env: cleanEnvironment(),
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^millrace: The folder that it was started in does not exist any more.*\n$/);
  });

  test('4 and a hint for a workstream that is not there', async () => {
    const { code, stdout } = await millrace(folderWith(one), ['run', 'ws-b']);
    expect(code).toBe(4);
    expect(stdout).toContain('Did you mean \\"ws-a\\"?');
  });

  test('a command that is mistyped is not mistaken for a workstream', async () => {
    const { code, stderr } = await millrace(folderWith(one), ['vaildate']);
    expect(code).toBe(4);
    expect(stderr).toContain('Did you mean the command "validate"?');
  });

  test('4 for history that is not there', async () => {
    const folder = temporaryFolder();
    expect((await millrace(folder, ['show', 'latest'])).code).toBe(4);
    expect((await millrace(folder, ['runs'])).code).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('3 when the database is none, and nothing is run', async () => {
    const folder = folderWith({ ...one, '.state/multi_agent_consolidated.db': 'this is no database at all' });
    const { code, stdout } = await millrace(folder, ['run']);
    expect(code).toBe(3);
    expect(stdout).toContain('multi_agent_consolidated.db');
    expect(existsSync(join(folder, 'reports'))).toBe(false);
  });

  test.each([
    ['--state', 'file', 'file is a file, not a folder'],
    ['--state', 'file/state', 'file is a file, not a folder'],
    ['--reports', 'file', 'file is a file, not a folder'],
    ['--reports', 'nothing/reports', 'nothing is a link to nothing'],
  ])('2 for %s %s, before anything is run, and the same from plan', async (option, path, message) => {
    const folder = folderWith({
      file: '',
      'workstreams/a.json': { id: 'ws-a', steps: [{ run: 'touch ran' }] },
    });
    symlinkSync('nowhere', join(folder, 'nothing'));
    const ran = await millrace(folder, ['run', option, path]);
    expect([ran.code, ran.stdout]).toEqual([2, expect.stringContaining(message)]);
    const planned = await millrace(folder, ['plan', option, path]);
    expect([planned.code, planned.stderr]).toEqual([2, expect.stringContaining(`${option}: `)]);
    expect(readdirSync(folder).toSorted()).toEqual(['file', 'nothing', 'workstreams']);
  });

  test('2 for a folder that init can not make', async () => {
    const { code, stderr } = await millrace(folderWith({ file: '' }), ['init', '--workstreams', 'file/w']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^millrace: --workstreams: .*file is a file, not a folder/);
  });

  test('an option that another command has is said to be none of this one', async () => {
    const { code, stderr } = await millrace(folderWith(one), ['init', '--json']);
    expect([code, stderr]).toEqual([
      2,
      'millrace: This command has no option --json.\nSee millrace --help.\n',
    ]);
  });
});

describe('files that a run is to write', () => {
  test.each([
    ['--log-file', 'folder', 'is a folder'],
    ['--log-file', 'file/x.log', 'is a file, not a folder'],
    ['--log-file', '-', 'takes a file'],
    ['--junit', 'folder', 'is a folder'],
    ['--junit', '/dev/null', 'is a pipe, socket or device'],
    ['--junit', 'file/deep/x.xml', 'is a file, not a folder'],
  ])('2 for %s %s, before anything is run', async (option, path, message) => {
    const folder = folderWith({ ...one, file: '' });
    mkdirSync(join(folder, 'folder'));
    const { code, stdout, stderr } = await millrace(folder, ['run', option, path]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`millrace: ${option}`);
    expect(stderr).toContain(message);
    expect(existsSync(join(folder, '.state'))).toBe(false);
  });

  test('folders on the way to them are made', async () => {
    const folder = folderWith(one);
    const { code } = await millrace(folder, ['run', '--log-file', 'a/b/x.log', '--junit', 'c/d/x.xml']);
    expect(code).toBe(0);
    expect(existsSync(join(folder, 'a/b/x.log'))).toBe(true);
    expect(existsSync(join(folder, 'c/d/x.xml'))).toBe(true);
  });

  test('--junit - is standard output, with the log on standard error', async () => {
    const folder = folderWith(one);
    const { code, stdout, stderr } = await millrace(folder, ['run', '--junit', '-']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<\?xml [\s\S]*<\/testsuites>\s*$/);
    expect(parseLines(stderr).length).toBeGreaterThan(2);
    expect(existsSync(join(folder, '-'))).toBe(false);
    const both = await millrace(folder, ['run', '--junit', '-', '--json']);
    expect({ code: both.code, stdout: both.stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('a run that there is not', () => {
  test.each([
    [['errors', 'X']],
    [['errors', '--', 'X']],
    [['show', '--', 'X']],
    [['show', 'X']],
    [['status', 'X']],
    [['agents', 'X']],
    [['report', 'X']],
  ])('4 and a sentence for %j', async (args) => {
    const folder = folderWith(one);
    await millrace(folder, ['run']);
    const { code, stdout, stderr } = await millrace(folder, args);
    expect({ code, stdout, stderr }).toEqual({
      code: 4,
      stdout: '',
      stderr: 'millrace: There is no run X. See: millrace runs\n',
    });
  });

  test('names behind -- select as others do', async () => {
    const folder = folderWith(one);
    expect((await millrace(folder, ['run', '--', 'ws-x'])).code).toBe(4);
    expect((await millrace(folder, ['run', '--', 'ws-a'])).code).toBe(0);
    const { code, stderr } = await millrace(folder, ['runs', 'extra']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'millrace: There is no place for "extra" in this command.\nSee millrace --help.\n',
    });
  });
});

describe('before anything is loaded', () => {
  test('2 and a sentence for a Node that is too old', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, {
      'old.cjs':
        "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.12.0' } });",
    });
    const old = { NODE_OPTIONS: `--require ${join(folder, 'old.cjs')}` };
    const { code, stdout, stderr } = await millrace(folder, ['run'], old);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^millrace: Millrace needs Node 20\.19 or newer, and this is 18\.12\.0 \(.*\)\. .*\n$/,
    );
  });

  test('an old Node can read what says so: it has no static import and no new syntax', () => {
    const text = readFileSync(bin, 'utf8');
    expect(text).not.toMatch(/^\s*(?:import|export)[\s{*]|await |\?\.|\?\?|\*\*/m);
  });
});

describe('options', () => {
  const agents = (folder: string) =>
    query(folder, 'SELECT agents_count AS n FROM consolidated_runs ORDER BY run_id DESC LIMIT 1')[0]?.['n'];
  const six = Array.from({ length: 6 }, (_, index) => ({ id: `ws-${index}`, steps: [{ run: 'true' }] }));

  test('come from the file, then from variables, then from flags', async () => {
    const folder = folderWith({
      'workstreams/six.json': six,
      'millrace.config.json': '{ "agents": 2, /* x */ }',
    });
    await millrace(folder, ['run', '--state', 'a/.state']);
    expect(agents(join(folder, 'a'))).toBe(2);
    await millrace(folder, ['run', '--state', 'b/.state'], { MILLRACE_AGENTS: '4' });
    expect(agents(join(folder, 'b'))).toBe(4);
    await millrace(folder, ['run', '--state', 'c/.state', '-j', '5'], { MILLRACE_AGENTS: '4' });
    expect(agents(join(folder, 'c'))).toBe(5);
  });

  test.each([
    ['{ "agnets": 2 }', 'millrace.config.json: there is no option "agnets". Did you mean "agents"?'],
    ['{ "agents": "2" }', 'millrace.config.json: "agents" must be a number or "auto".'],
    ['[1]', 'expected an object with options'],
    ['{ "agents": ', 'millrace.config.json'],
  ])('that are wrong in the file are refused: %s', async (text, message) => {
    const { code, stderr } = await millrace(folderWith({ ...one, 'millrace.config.json': text }), ['run']);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test('that a command does not have are not for it', async () => {
    const folder = folderWith({ ...one, 'millrace.config.json': { agents: 2, timeout: 60 } });
    expect((await millrace(folder, ['run'])).code).toBe(0);
    expect((await millrace(folder, ['status'], { MILLRACE_DISTRIBUTION: 'dynamic' })).code).toBe(0);
    expect((await millrace(folder, ['validate'])).code).toBe(0);
  });

  test("a workstream's own variables are none", async () => {
    const env = { MILLRACE_RUN_ID: 'x', MILLRACE_ATTEMPT: '1', MILLRACE_ANYTHING: 'y' };
    expect((await millrace(folderWith(one), ['run'], env)).code).toBe(0);
  });
});

describe('validate', () => {
  test('points at the very dependency that is missing or closes a cycle', async () => {
    const list = (id: string, needs: string): string =>
      `  { "id": "${id}", "steps": [{ "run": "true" }], "depends_on": [\n${needs}\n  ] }`;
    const definitions = [
      list('ws-a', '    "ws-ok",\n    { "id": "ws-b", "when": "finished" }'),
      list('ws-b', '    "ws-a"'),
      list('ws-c', '    "ws-ok",\n    "ws-gone"'),
      '  { "id": "ws-ok", "steps": [{ "run": "true" }] }',
    ];
    const folder = folderWith({ 'workstreams/a.json': `[\n${definitions.join(',\n')}\n]\n` });
    const { stdout } = await millrace(folder, ['validate']);
    expect(stdout).toMatch(/^workstreams\/a\.json:4:5: error: depends_on\[1\]: ws-a: It depends on itself/m);
    expect(stdout).toMatch(/^workstreams\/a\.json:7:5: error: depends_on\[0\]: ws-b: It depends on itself/m);
    expect(stdout).toMatch(/^workstreams\/a\.json:11:5: error: depends_on\[1\]: ws-c: .*"ws-gone"/m);
  });

  test('prints every problem with its place', async () => {
    const folder = folderWith({
      'workstreams/a.json': '{\n  "id": "ws-a",\n  "stesp": [],\n  "steps": [{ "run": 5 }]\n}\n',
      'workstreams/b.json': { id: 'ws-b', steps: [{ run: 'true' }], depends_on: ['ws-c'] },
    });
    const { code, stdout } = await millrace(folder, ['validate']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^workstreams\/a\.json:4:22: error: steps\[0\]\.run: /m);
    expect(stdout).toMatch(/^workstreams\/a\.json:3:\d+: warning: .*"?steps"?/m);
    expect(stdout).toMatch(/^workstreams\/b\.json:1:\d+: error: .*ws-c/m);
    expect(stdout).toMatch(/^workstreams\/b\.json:1:\d+: error: depends_on\[0\]: ws-b: /m);
    const json = await millrace(folder, ['validate', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ version: 1, files: 2, errors: 2 });
  });
});

describe('validate', () => {
  const spare = { id: 'ws-a', colour: 1, steps: [{ run: 'true' }] };

  test('--strict makes warnings errors, in the text, the document and the exit code', async () => {
    const folder = folderWith({ 'workstreams/a.json': spare });
    expect((await millrace(folder, ['validate'])).code).toBe(0);
    const { code, stdout } = await millrace(folder, ['validate', '--strict']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^workstreams\/a\.json:1:\d+: error: colour: /m);
    const json = await millrace(folder, ['validate', '--strict', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ errors: 1, warnings: 0 });
    expect((await millrace(folderWith(one), ['validate', '--strict'])).code).toBe(0);
  });

  test('names an unknown tool as plan and run do, unless the run names the tools', async () => {
    const folder = folderWith({ 'workstreams/a.json': { id: 'ws-a', tool: 'claud', tasks: ['x'] } });
    const validated = await millrace(folder, ['validate']);
    expect(validated.code).toBe(1);
    expect(validated.stdout).toMatch(/^workstreams\/a\.json:1:\d+: error: tool: .*Did you mean "claude"\?/m);
    expect((await millrace(folder, ['validate', '--tool', 'claude'])).code).toBe(0);
    const planned = await millrace(folder, ['plan']);
    expect(planned.code).toBe(1);
    expect(planned.stdout).toContain('No tool is called "claud". Did you mean "claude"?');
    expect((await millrace(folder, ['plan', '--tool', 'claude'])).code).toBe(0);
    expect((await millrace(folder, ['run'])).code).toBe(1);
    const [row] = query(folder, 'SELECT * FROM agent_results');
    expect(row).toMatchObject({ reason: 'tool-not-found', agent_id: 'coordinator' });
    expect(planned.stdout).toContain(row?.['explanation']);
  });
});

describe('init', () => {
  test('makes a folder that runs, and never overwrites', async () => {
    const folder = temporaryFolder();
    expect((await millrace(folder, ['init'])).code).toBe(0);
    expect((await millrace(folder, [])).code).toBe(0);
    expect((await millrace(folder, ['init'])).code).toBe(2);
    const { stdout } = await millrace(folder, ['show', 'latest', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      workstreams: [{ metadata: { output: { primes: 148_933 } } }, {}],
    });
  });
});

test('several names select several workstreams; of an option that is given twice the last one counts', async () => {
  const all = ['ws-a', 'ws-b', 'ws-c'].map((id) => ({ id, steps: [{ run: 'true' }] }));
  const folder = folderWith({ 'workstreams/all.json': all });
  const { code } = await millrace(folder, ['run', 'ws-a', 'ws-c', '-j', '9', '--agents', '1', '-j', '2']);
  expect(code).toBe(0);
  expect(query(folder, 'SELECT workstream_id AS id FROM agent_results ORDER BY id')).toHaveLength(2);
  expect(query(folder, 'SELECT agents_count AS agents FROM consolidated_runs')).toEqual([{ agents: 2 }]);
});

test('help names every command, and completion prints a script', async () => {
  const { code, stdout } = await millrace(temporaryFolder(), ['--help']);
  expect(code).toBe(0);
  for (const name of [
    'run',
    'validate',
    'plan',
    'status',
    'runs',
    'show',
    'errors',
    'agents',
    'report',
    'worktrees',
    'init',
  ]) {
    expect(stdout).toMatch(new RegExp(`^ +millrace ${name}\\b`, 'm'));
  }
  const completion = await millrace(temporaryFolder(), ['completion']);
  expect(completion.stdout).toContain('###-begin-millrace-completions-###');
});

test('under GitHub Actions the summary goes to the file and failures become annotations', async () => {
  const folder = folderWith({ 'workstreams/a.json': { id: 'ws-a', steps: [{ run: 'exit 3' }] } });
  const file = join(folder, 'summary.md');
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: file };
  const { code, stdout, stderr } = await millrace(folder, ['run'], env);
  expect(code).toBe(1);
  expect(parseLines(stdout).length).toBeGreaterThan(2);
  expect(stderr).toMatch(/^::error /m);
  expect(existsSync(file)).toBe(true);
});

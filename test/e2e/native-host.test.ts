/** The native command host of an installed package, which has its source only. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const compiler = (process.env['CC'] ?? '').split(' ').find(Boolean) ?? 'cc';
const canCompile = process.platform === 'linux' && spawnSync(compiler, ['--version']).status === 0;

test.runIf(canCompile)('the build compiles it', () => {
  const programs = readdirSync(join(root, 'dist/workers/native')).filter((name) => !name.endsWith('.c'));
  expect(programs).toContainEqual(
    expect.stringMatching(new RegExp(`^command-host-[0-9a-f]{16}-${process.arch}$`)),
  );
});

test('a package has no program of this machine', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
  const [{ files }] = JSON.parse(stdout.toString()) as [{ files: { path: string }[] }];
  const native = files.map(({ path }) => path).filter((path) => path.includes('native/'));
  expect(native).toEqual(['dist/workers/native/command-host.c']);
});

describe.runIf(process.platform === 'linux')('an installed package', () => {
  let installed = '';
  beforeAll(() => {
    installed = mkdtempSync(join(tmpdir(), 'millrace-installed-'));
    cpSync(join(root, 'dist'), join(installed, 'dist'), {
      recursive: true,
      filter: (path) => !/native\/command-host-/.test(path),
    });
    cpSync(join(root, 'package.json'), join(installed, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'));
  });
  afterAll(() => rmSync(installed, { recursive: true }));

  const millrace = async (cwd: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> => {
    const child = spawn(process.execPath, [join(installed, 'dist/src/bin.js'), ...args], {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (printed += String(chunk)));
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    return printed;
  };

  const details = (env: NodeJS.ProcessEnv): Promise<string> =>
    millrace(root, ['--version', '--verbose'], env);

  /** A project of that many commands, and perhaps one more. */
  function projectWith(count: number, last = 'true'): string {
    const folder = temporaryFolder();
    const all = Array.from({ length: count }, (_, index) => ({
      id: `ws-${index}`,
      steps: [{ run: 'true' }],
    }));
    writeFiles(folder, { 'workstreams/a.json': [...all, { id: 'ws-last', steps: [{ run: last }] }] });
    return folder;
  }

  /** One whose last command ends when something in the cache has such a name. */
  const projectThatWaitsFor = (cache: string, pattern: string): string =>
    projectWith(60, `until ls ${cache}/millrace/${pattern}; do sleep 0.02; done`);

  test.runIf(canCompile)('compiles it for later runs, where no other user can write', async () => {
    const cache = temporaryFolder();
    const env = { XDG_CACHE_HOME: cache };
    expect(await details(env)).toContain('it is compiled by the first run with many commands');
    await millrace(projectThatWaitsFor(cache, `command-host-*-${process.arch}`), ['run'], env);
    const folder = join(cache, 'millrace');
    const [program = ''] = readdirSync(folder).filter((name) => name.startsWith('command-host-'));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, program)).mode & 0o777).toBe(0o700);
    expect(await details(env)).toContain(`by the native host ${join(folder, program)}.`);
    expect(await details({ ...env, MILLRACE_COMMAND_HOST: 'node' })).toContain(
      'MILLRACE_COMMAND_HOST is node',
    );
    for (const path of [join(folder, program), folder]) {
      chmodSync(path, 0o770);
      expect(await details(env)).not.toContain('started by the native host');
      chmodSync(path, 0o700);
    }
  });

  test('a compiler that fails fails nothing, is told, and is not started again by the next run', async () => {
    const cache = temporaryFolder();
    const tools = temporaryFolder();
    const calls = join(tools, 'calls');
    writeFileSync(join(tools, 'cc'), `#!/bin/sh\necho called >> ${calls}\necho no headers >&2\nexit 1\n`);
    chmodSync(join(tools, 'cc'), 0o700);
    const env = { XDG_CACHE_HOME: cache, CC: join(tools, 'cc') };
    await millrace(projectThatWaitsFor(cache, 'command-host-*.failed'), ['run'], env);
    expect(await details(env)).toContain('failed: no headers');
    await millrace(projectThatWaitsFor(cache, 'command-host-*.failed'), ['run'], env);
    expect(readFileSync(calls, 'utf8')).toBe('called\n');
  });

  test('without a folder to keep it in commands are started all the same', async () => {
    const cache = temporaryFolder();
    writeFileSync(join(cache, 'millrace'), 'a file');
    await millrace(projectWith(60), ['run'], { XDG_CACHE_HOME: cache });
    expect(existsSync(join(cache, 'millrace'))).toBe(true);
  });

  test('a program that does not run fails nothing', async () => {
    const cache = temporaryFolder();
    const source = readFileSync(join(installed, 'dist/workers/native/command-host.c'));
    const hash = createHash('sha256').update(source).digest('hex').slice(0, 16);
    const program = join(cache, 'millrace', `command-host-${hash}-${process.arch}`);
    mkdirSync(join(cache, 'millrace'), { mode: 0o700 });
    writeFileSync(program, 'not a program', { mode: 0o700 });
    const env = { XDG_CACHE_HOME: cache };
    expect(await details(env)).toContain(`by the native host ${program}.`);
    await millrace(projectWith(60), ['run'], env);
  });
});

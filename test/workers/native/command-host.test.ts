import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { entryFile } from '../../../src/engine/entry-file.ts';
import { describeCommandHost, Host, type HostProgram } from '../../conformance/command-host.ts';

const SOURCE = fileURLToPath(new URL('../../../workers/native/command-host.c', import.meta.url));
const WARNINGS = ['-std=c11', '-Wall', '-Wextra', '-Werror'];

const folder = mkdtempSync(join(tmpdir(), 'millrace-native-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Compiles the native host, or says why it can't be done here. */
function compile(name: string, flags: string[]): { program: HostProgram } | { why: string } {
  const file = join(folder, name);
  const [compiler = 'cc', ...own] = (process.env['CC'] ?? '').split(' ').filter(Boolean);
  const { status, error, stderr } = spawnSync(compiler, [...own, ...WARNINGS, ...flags, '-o', file, SOURCE]);
  if (error !== undefined) return { why: `there is no C compiler: ${error.message}` };
  if (status === 0) return { program: { file, args: [], isNative: true } };
  const said = stderr.toString();
  if (/(?:cannot|unable to) find .*(?:asan|ubsan)|no such file.*(?:asan|ubsan)/i.test(said))
    return { why: 'there is no library for the sanitizers' };
  throw new Error(`${compiler} refuses the native host: ${said}`);
}

const native = process.platform === 'linux' ? compile('plain', ['-O2']) : { why: 'it is for Linux only' };
const sanitized =
  'why' in native
    ? native
    : compile('sanitized', ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']);

function describeNative(name: string, compiled: typeof native, env?: NodeJS.ProcessEnv): void {
  if ('why' in compiled) {
    describe(name, () => test.skip(compiled.why, () => undefined));
  } else {
    describeCommandHost(name, () => (env === undefined ? compiled.program : { ...compiled.program, env }));
  }
}

describeNative('the native command host', native);

test.skipIf('why' in native)(
  'a system that allows no further process is not the fault of the program',
  async () => {
    if ('why' in native) return;
    chmodSync(folder, 0o755);
    const args = ['-c', 'ulimit -u 1; exec "$@"', 'bash', native.program.file];
    // Root has no such limit.
    const uid = process.getuid?.() === 0 ? { uid: 54_321 } : {};
    const host = await new Host({ file: 'bash', args, isNative: true, ...uid }).tied();
    expect(await host.launch(['true'])).toEqual({ type: 'not-started', code: null });
    host.close();
    expect(await host.ended).toEqual({ code: 0, signal: null });
  },
);

// A mistake in it becomes another exit code, and its report is on standard error. Leaks are looked for at its end.
describeNative('the native command host under the sanitizers', sanitized, {
  ...process.env,
  ASAN_OPTIONS: 'detect_leaks=1:exitcode=99',
  UBSAN_OPTIONS: 'print_stacktrace=1',
});
describeCommandHost('the command host for Node', () => ({
  file: process.execPath,
  args: [entryFile('command-host')],
  isNative: false,
}));

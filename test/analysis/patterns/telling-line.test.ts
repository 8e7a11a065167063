import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tellingLine } from '../../../src/analysis/patterns/telling-line.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const has = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));

/** What a shell command prints in a folder with these files. */
function outputOf(command: string, files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const modules = join(import.meta.dirname, '../../../node_modules/.bin');
  const { FORCE_COLOR: _, NODE_OPTIONS: __, ...env } = process.env;
  const { stdout, status } = spawnSync('sh', ['-c', `exec 2>&1; ${command}`], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, NO_COLOR: '1', LC_ALL: 'C', PATH: `${modules}${delimiter}${process.env['PATH']}` },
  });
  expect(status).not.toBe(0);
  return stdout;
}

describe('what real programs print', () => {
  test.each<[string, string, string, Record<string, string>, RegExp]>([
    [
      'node',
      'an exception',
      'node a.mjs',
      { 'a.mjs': 'throw new TypeError("no limit")' },
      /^TypeError: no limit$/,
    ],
    [
      'node',
      'a missing package',
      'node a.mjs',
      { 'a.mjs': 'import "nope"' },
      /^Error \[ERR_MODULE_NOT_FOUND\]: Cannot find package 'nope'/,
    ],
    [
      'node',
      'a failed assertion',
      'node a.mjs',
      { 'a.mjs': 'import assert from "node:assert"; assert.strictEqual(1 + 1, 3)' },
      /^AssertionError \[ERR_ASSERTION\]: Expected values to be strictly equal: 2 !== 3$/,
    ],
    [
      'node',
      'a failed test',
      'node --test --test-reporter=spec a.test.mjs',
      {
        'a.test.mjs':
          'import t from "node:test"; import a from "node:assert"; t("adds", () => a.equal(2, 3))',
      },
      /^AssertionError \[ERR_ASSERTION\]: 2 == 3$/,
    ],
    [
      'node',
      'an error of types',
      'tsc --noEmit a.ts',
      { 'a.ts': 'const x: number = "a";' },
      /error TS2322: Type 'string'/,
    ],
    [
      'gcc',
      'an error of a compiler',
      'gcc -c a.c',
      { 'a.c': 'int main() { return foo; }' },
      /^a\.c:1:\d+: error: .foo. undeclared/,
    ],
    [
      'gcc',
      'an error of a linker',
      'gcc a.c',
      { 'a.c': 'int f(); int main() { return f(); }' },
      /undefined reference to .f'/,
    ],
    [
      'python3',
      'the last exception of a traceback',
      'python3 a.py',
      { 'a.py': 'try:\n  {}["k"]\nexcept KeyError as e:\n  raise RuntimeError("no key") from e\n' },
      /^RuntimeError: no key$/,
    ],
    [
      'make',
      'a compiler below make',
      'make',
      { Makefile: 'all:\n\tgcc -c a.c\n', 'a.c': 'int main() { return foo; }' },
      /^a\.c:1:\d+: error: /,
    ],
    [
      'make',
      'no rule',
      'make',
      { Makefile: 'all: none.o\n' },
      /^make: \*\*\* No rule to make target .none\.o'/,
    ],
    [
      'npm',
      'a program below npm',
      'npm test',
      { 'package.json': '{"scripts":{"test":"node a.mjs"}}', 'a.mjs': 'throw new RangeError("too far")' },
      /^RangeError: too far$/,
    ],
    [
      'npm',
      'no script',
      'npm run nope',
      { 'package.json': '{"name":"a"}' },
      /^npm (?:error|ERR!) Missing script: "nope"$/,
    ],
    ['git', 'no branch', 'git init -q . && git checkout nope', {}, /^error: pathspec 'nope' did not match/],
    ['bash', 'no program', 'bash -c "echo a; nope-nope"', {}, /nope-nope: command not found$/],
    ['bash', 'an unset variable', 'bash -u a.sh', { 'a.sh': 'echo a\necho $NOPE\n' }, /unbound variable$/],
    [
      'bash',
      'a folder that is not there',
      'bash a.sh',
      { 'a.sh': 'set -e\necho a\ncd /none/such\n' },
      /No such file or directory$/,
    ],
  ])('of %s: %s', (program, _, command, files, line) => {
    if (!has(program) && program !== 'node') return;
    expect(tellingLine(outputOf(command, files))).toMatch(line);
  });
});

describe('recorded from programs that not every machine has', () => {
  test.each([
    [
      'error[E0382]: borrow of moved value: `s`',
      ' Compiling rs v0.1.0\nerror[E0382]: borrow of moved value: `s`\n --> a.rs:1:64\n  |\n1 | fn main(){ let t = s; }\n  |            ^ value moved here\n\nFor more information about this error, try `rustc --explain E0382`.\nerror: could not compile `rs` (bin "a") due to 1 previous error',
    ],
    [
      "thread 't' panicked at b.rs:3:9: assertion `left == right` failed",
      "running 1 test\ntest t ... FAILED\n\nfailures:\n\n---- t stdout ----\nthread 't' panicked at b.rs:3:9:\nassertion `left == right` failed\n  left: 2\n right: 3\n\ntest result: FAILED. 0 passed; 1 failed",
    ],
    ['connect ECONNREFUSED 10.0.0.1:5432', 'connecting\nconnect ECONNREFUSED 10.0.0.1:5432\nclosed'],
    [
      'upload: write ENOSPC after 3 MB',
      "start\nupload: write ENOSPC after 3 MB\n  errno: -28,\n  code: 'ENOSPC',\n  syscall: 'write'\n}",
    ],
    [
      '--- FAIL: TestAdd (0.00s)',
      '=== RUN   TestAdd\n    add_test.go:8: got 3, want 4\n--- FAIL: TestAdd (0.00s)\nFAIL\nFAIL\texample.com/add\t0.002s\nFAIL',
    ],
    [
      'E       assert 0 == 4',
      'F.\n=== FAILURES ===\n    def test_add():\n>       assert add(2,2) == 4\nE       assert 0 == 4\n\ntest_a.py:3: AssertionError\n1 failed, 1 passed in 0.05s',
    ],
    [
      'AssertionError: expected 2 to be 3 // Object.is equality',
      ' FAIL  sum.test.ts > sums\nAssertionError: expected 2 to be 3 // Object.is equality\n\n- Expected\n+ Received\n\n ❯ sum.test.ts:1:75\n\n Test Files  1 failed (1)\n      Tests  1 failed | 1 passed (2)',
    ],
    [
      'panic: runtime error: index out of range [5] with length 3',
      'goroutine\npanic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:5\nexit status 2',
    ],
    [
      'Caused by: java.lang.NumberFormatException: For input string: "abc"',
      'Exception in thread "main" java.lang.IllegalStateException: bad settings\n\tat A.main(A.java:1)\nCaused by: java.lang.NumberFormatException: For input string: "abc"\n\tat java.base/java.lang.Integer.parseInt(Integer.java:668)',
    ],
    [
      'npm error code ERESOLVE',
      'npm warn old lockfile\nnpm error code ERESOLVE\nnpm error ERESOLVE could not resolve\nnpm error A complete log of this run can be found in: /x',
    ],
    [
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
      '<--- Last few GCs --->\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0xb8d11b node::OOMErrorHandler()',
    ],
  ])('%s', (line, output) => {
    expect(tellingLine(output)).toBe(line);
  });
});

test('an output that says nothing of an error has no such line', () => {
  expect(tellingLine('compiling\nmake: *** [Makefile:2: all] Error 3\n')).toBeNull();
  expect(tellingLine('3 passed, 0 failed\n')).toBeNull();
  expect(tellingLine('')).toBeNull();
});

test('what a terminal shows counts, without colours and without what was written over', () => {
  expect(tellingLine('10 %\r99 % failed to fetch\r\u001b[K\u001b[31mError: \u001b[0mno route\n')).toBe(
    'Error: no route',
  );
});

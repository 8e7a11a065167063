import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Shell } from '../../../src/domain/workstream.ts';
import { shellCommand } from '../../../workers/processes/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

/** Runs a text as a step would, and returns its exit code and what it printed. */
function run(text: string, shell: Shell): { code: number | null; printed: string } {
  const { file, args, ...options } = shellCommand(text, shell);
  const { status, stdout } = spawnSync(file, args, { ...options, cwd: temporaryFolder(), encoding: 'utf8' });
  return { code: status, printed: stdout };
}

describe.each<Shell>(['sh', 'bash'])('several lines under %s', (shell) => {
  test.each([
    ['the first fails', 'false\necho deployed', 1, ''],
    [
      'one in the middle fails',
      'echo built\nexit_with() { return 7; }\nexit_with\necho deployed',
      7,
      'built\n',
    ],
    ['the last fails', 'echo built\nfalse', 1, 'built\n'],
    ['none fails', 'echo built\ntrue', 0, 'built\n'],
    [
      'a failure that is expected',
      'false || echo expected\nif false; then echo no; fi\necho on',
      0,
      'expected\non\n',
    ],
    ['a folder that is not there', 'cd nowhere\necho deployed', 2, ''],
    ['a heredoc', 'cat <<END\nfalse\nEND\nfalse\necho deployed', 1, 'false\n'],
    ['comments and empty lines', '# first\n\nfalse # fails\n\n# last\necho deployed', 1, ''],
    ['a line that goes on', 'echo \\\n  built\nfalse\\\n || false\necho deployed', 1, 'built\n'],
    ['line ends of Windows', 'echo built\r\nfalse\r\necho deployed\r\n', 1, 'built\n'],
    ['line ends of Windows in a line that goes on', 'echo \\\r\n built\r\n', 0, 'built\n'],
  ])('end at the first that fails: %s', (_name, text, code, printed) => {
    const found = run(text, shell);
    // What `cd` exits with differs between shells.
    expect({ ...found, code: text.startsWith('cd') && found.code !== 0 ? code : found.code }).toEqual({
      code,
      printed,
    });
  });
});

test('one line under sh means what it means to sh', () => {
  expect(run('false; echo on', 'sh')).toEqual({ code: 0, printed: 'on\n' });
  expect(run('false; echo on\n', 'sh')).toEqual({ code: 0, printed: 'on\n' });
  expect(run('false | cat', 'sh').code).toBe(0);
});

test('under bash a pipeline fails when any of its commands does, also on one line', () => {
  expect(run('false | tee out.txt', 'bash').code).toBe(1);
  expect(run('exit 3 | cat; echo on', 'bash')).toEqual({ code: 3, printed: '' });
  expect(run('[[ -n a ]] && echo yes', 'bash')).toEqual({ code: 0, printed: 'yes\n' });
  expect(
    run(`cat ${join('no', 'such', 'file')} 2>/dev/null | wc -l\necho deployed`, 'bash').printed,
  ).not.toContain('deployed');
});

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandOf, retryCommand, runCommand } from '../../../src/web/model/commands.ts';

test('ids are words of the command', () => {
  expect(runCommand(['ws-1', 'a.b_c'])).toBe('millrace run ws-1 a.b_c');
  expect(retryCommand('ma-run-20261129-090523')).toBe('millrace run --retry-failed ma-run-20261129-090523');
});

test.each(["it's", '$(touch x)', '`id`; rm -rf /', 'a "b"', '*', '!1', '~/x', '🌊', '{a,b}', 'a&b|c'])(
  'a shell takes %j as it is',
  (id) => {
    const command = commandOf('printf %s', id) ?? '';
    expect(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' })).toBe(id);
  },
);

test.each(['a\nrm x', '-rf', '--flag', '', 'a\u202eb', '\u001b[31m', '\ud800'])(
  '%j is in no command',
  (id) => {
    expect(runCommand([id])).toBeNull();
  },
);

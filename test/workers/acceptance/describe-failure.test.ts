import { expect, test } from 'vitest';
import { missingCommand } from '../../../workers/acceptance/describe-failure.ts';

test.each([
  ['/bin/sh: 1: frob: not found\n', 'frob'],
  ['sh: frob: not found\n', 'frob'],
  ['/bin/sh: line 1: frob: command not found\n', 'frob'],
  ['bash: line 1: ./frob.sh: No such file or directory\n', './frob.sh'],
  ['zsh:1: command not found: frob\n', 'frob'],
  ["env: 'frob': No such file or directory\n", 'frob'],
  ['env: ‘frob’: No such file or directory\n', 'frob'],
  ['> app@1.0.0 test\n> frob\n\nsh: 1: frob: not found\nnpm error code 127\n', 'frob'],
  ['', null],
  ['page not found\n', null],
])('%j', (output, command) => {
  expect(missingCommand(output)).toBe(command);
});

import { expect, test } from 'vitest';
import { commandNames } from '../../src/cli/definitions.ts';
import { isWatched, OTHER_COMMANDS } from '../../src/watch/is-watched.ts';

test('every other command is known', () => {
  expect(OTHER_COMMANDS.toSorted()).toEqual(commandNames.filter((name) => name !== 'run').toSorted());
});

test.each([[[]], [['run']], [['run', 'status']], [['-j', '8']], [['ws-a']], [['--state', 'status']]])(
  '%j is a run',
  (args) => {
    expect(isWatched(args)).toBe(true);
  },
);

test.each([[['status']], [['run', '--dry-run']], [['-n']], [['--help']], [['run', '-h']], [['--version']]])(
  '%j is none',
  (args) => {
    expect(isWatched(args)).toBe(false);
  },
);

import { expect, test } from 'vitest';
import findDuplicates from '../../../workstreams/tasks/duplicate-files.ts';
import { writeFiles } from '../../kit/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

test('adds up the bytes that one copy of each file would save', async () => {
  const workspace = temporaryFolder();
  writeFiles(workspace, {
    'node_modules/a/one': 'x'.repeat(2000),
    'node_modules/b/one': 'x'.repeat(2000),
    'node_modules/c/one': 'x'.repeat(2000),
    'node_modules/a/other': 'y'.repeat(2000),
    'node_modules/a/small': 'z'.repeat(500),
    'node_modules/b/small': 'z'.repeat(500),
  });
  const input = { files: { patterns: ['node_modules/**'], max_megabytes: 1 }, top: 10 };
  const { output } = await findDuplicates(input, makeContext({ workspace }));
  expect(output).toEqual({
    files: 6,
    megabytes: 0,
    files_with_copies: 2,
    wasted_megabytes: 0,
    most_wasteful: [
      { wasted_kb: 4, copies: 3, each_kb: 2, one: 'a/one', another: 'b/one' },
      { wasted_kb: 0.5, copies: 2, each_kb: 0.5, one: 'a/small', another: 'b/small' },
    ],
  });
});

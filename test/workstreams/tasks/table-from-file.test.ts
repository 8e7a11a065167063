import { expect, test } from 'vitest';
import tableFromFile from '../../../workstreams/tasks/table-from-file.ts';
import { writeFiles } from '../../kit/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

test('lines become rows, and what looks like a number is one', async () => {
  const workspace = temporaryFolder();
  writeFiles(workspace, { 'counts.txt': '  12 ts  -3.5\n7 json 1e3\n' });
  const input = { file: 'counts.txt', columns: ['files', 'type', 'change'], name: 'counts' };
  expect(await tableFromFile(input, makeContext({ workspace }))).toEqual({
    output: {
      counts: [
        { files: 12, type: 'ts', change: -3.5 },
        { files: 7, type: 'json', change: '1e3' },
      ],
    },
    filesModified: ['counts.txt'],
  });
});

import { expect, test } from 'vitest';
import findTypos from '../../../workstreams/tasks/likely-typos.ts';
import { writeFiles } from '../../kit/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

test('finds rare words one edit from a frequent one, and no other forms of it', async () => {
  const workspace = temporaryFolder();
  writeFiles(workspace, {
    'node_modules/a/README.md': `${'Performance is an option. '.repeat(5)} The perfomance of options is \`performence\`.`,
    'node_modules/b/README.md': 'performances, performance.js, Optoin, opton',
  });
  const input = {
    files: { patterns: ['node_modules/**/*.md'], max_megabytes: 1 },
    min_letters: 5,
    rare: 1,
    frequent: 5,
    top: 10,
  };
  const { output } = await findTypos(input, makeContext({ workspace }));
  expect(output).toEqual({
    different_words: 7,
    comparisons: 10,
    suspects: 2,
    likely_typos: [
      { word: 'perfomance', file: 'a/README.md', meant: 'performance', times: 5 },
      { word: 'opton', file: 'b/README.md', meant: 'option', times: 5 },
    ],
  });
});

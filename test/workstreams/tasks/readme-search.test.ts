import { expect, test } from 'vitest';
import searchReadmes from '../../../workstreams/tasks/readme-search.ts';
import { writeFiles } from '../../kit/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

test('finds READMEs by what their packages say about themselves', async () => {
  const workspace = temporaryFolder();
  writeFiles(workspace, {
    'node_modules/logger/README.md': '# logger\nA fast logger that writes JSON lines.',
    'node_modules/logger/package.json': { description: 'fast JSON logger' },
    'node_modules/glob/readme.md': '# glob\nMatches files by patterns.',
    'node_modules/glob/package.json': { description: 'match files by patterns' },
    'node_modules/glob/CHANGELOG.md': 'Faster patterns.',
    'node_modules/silent/README.md': 'No description, no question.',
    'node_modules/silent/package.json': {},
    'node_modules/silent/test/README.md': 'In a folder that is no package.',
    'node_modules/silent/test/package.json': 'not even JSON',
  });
  const files = { patterns: ['node_modules/**/*.md'], max_megabytes: 1 };
  const input = { files, queries: ['json logger', 'unheard'], k1: [1.2], b: [0, 0.75] };
  const { output } = await searchReadmes(input, makeContext({ workspace }));
  expect(output).toMatchObject({
    documents: 5,
    questions: 2,
    best_parameters: 'k1 = 1.2, b = 0',
    mean_reciprocal_rank: 1,
    first_hits: [
      { query: 'json logger', first: 'logger/README.md', second: null },
      { query: 'unheard', first: null, score: null, second: null },
    ],
    parameters: [
      { k1: 1.2, b: 0, mean_reciprocal_rank: 1, first_is_right: 1 },
      { k1: 1.2, b: 0.75, mean_reciprocal_rank: 1, first_is_right: 1 },
    ],
  });
});

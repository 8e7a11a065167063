import { expect, test } from 'vitest';
import rankFunctions from '../../../workstreams/tasks/function-complexity.ts';
import { writeFiles } from '../../kit/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

test('ranks functions over all files and counts what is no JavaScript', async () => {
  const workspace = temporaryFolder();
  const cases = Array.from({ length: 12 }, (_, i) => `case ${i}:`).join(' ');
  writeFiles(workspace, {
    'node_modules/a/index.js': 'function plain() {}\nfunction branch(x) {\n  if (x) return 1;\n}',
    'node_modules/b/index.mjs': `export const large = (x) => { switch (x) { ${cases} } };`,
    'node_modules/b/template.js': '<% not javascript %>',
  });
  const input = { files: { patterns: ['node_modules/**/*.{js,mjs}'], max_megabytes: 1 }, top: 2 };
  const { output, metrics } = await rankFunctions(input, makeContext({ workspace }));
  expect(output).toEqual({
    files: 3,
    not_javascript: 1,
    functions: 3,
    mean_complexity: 5.33,
    most_complex: [
      { complexity: 13, lines: 1, function: 'large', place: 'b/index.mjs:1' },
      { complexity: 2, lines: 3, function: 'branch', place: 'a/index.js:2' },
    ],
    distribution: [
      { complexity: '1 to 10', functions: 2 },
      { complexity: '11 to 20', functions: 1 },
      { complexity: '21 to 50', functions: 0 },
      { complexity: 'over 50', functions: 0 },
    ],
  });
  expect(metrics).toEqual({ mean_complexity: 5.33 });
});

import { expect, test } from 'vitest';
import findNearDuplicates from '../../../workstreams/tasks/near-duplicates.ts';
import { writeFiles } from '../../kit/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

const source = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `value${from + i} = ${from + i};`).join('\n');

test('finds files with small differences, whatever their layout, and no others', async () => {
  const workspace = temporaryFolder();
  writeFiles(workspace, {
    'a.js': source(0, 100),
    'b.js': `${source(0, 100).replaceAll(' ', '\n')}\nlater = 1;`,
    'copy.js': source(0, 100),
    'other.js': source(500, 600),
    'short.js': source(0, 5),
  });
  const input = {
    files: { patterns: ['*.js'], max_megabytes: 1 },
    min_tokens: 50,
    shingle_size: 3,
    signature_size: 128,
    rows: 4,
    min_similarity: 0.9,
    top: 10,
    seed: 1,
  };
  const { output } = await findNearDuplicates(input, makeContext({ workspace }));
  // 398 runs of three among the 400 tokens of a.js, three more in b.js.
  expect(output).toMatchObject({
    files: 4,
    possible_pairs: 6,
    compared_pairs: 3,
    identical_pairs: 1,
    near_duplicates: 2,
    closest_but_not_identical: [{ similarity: Number((398 / 401).toFixed(3)), one: 'a.js', other: 'b.js' }],
  });
});

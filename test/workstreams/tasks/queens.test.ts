import { expect, test } from 'vitest';
import solveQueens from '../../../workstreams/tasks/queens.mjs';
import { makeContext } from '../make-context.ts';

test('gives a row for each board', async () => {
  const { output } = await solveQueens({ from: 6, to: 8 }, makeContext());
  expect(output).toMatchObject({
    largest_board: '8 × 8',
    boards: [
      { queens: 6, solutions: 4 },
      { queens: 7, solutions: 40 },
      { queens: 8, solutions: 92 },
    ],
  });
});

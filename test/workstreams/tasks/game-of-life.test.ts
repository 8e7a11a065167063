import { expect, test } from 'vitest';
import growMethuselahs from '../../../workstreams/tasks/game-of-life.mjs';
import { makeContext } from '../make-context.ts';

const pi = { name: 'pi-heptomino', rows: ['OOO', 'O.O', 'O.O'], generations: 173, leaves: 55 };
const block = { name: 'block', rows: ['OO', 'OO'], generations: 4, leaves: 4 };
const picture = { width: 8, height: 8 };

test('patterns settle as known, and the last one is drawn', async () => {
  const { output } = await growMethuselahs({ patterns: [pi, block], picture }, makeContext());
  expect(output).toMatchObject({
    methuselahs: [
      { name: 'pi-heptomino', cells: 7, generations: 173, cells_at_the_end: 55 },
      { name: 'block', cells: 4, generations: 4, cells_at_the_end: 4, most_cells: 4 },
    ],
    // Cells in columns 4 and 5 and rows 4 and 5 of eight.
    the_middle_of_the_last: '⠀⠀⠀⠀\n⠀⠀⠛⠀',
  });
});

test('another number of cells is an error', async () => {
  const wrong = { ...block, leaves: 5 };
  await expect(growMethuselahs({ patterns: [wrong], picture }, makeContext())).rejects.toThrow(
    '"block" left 4 cells and not 5.',
  );
});

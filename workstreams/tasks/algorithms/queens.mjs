/**
 * Counts the ways to put n queens on an n × n board so that none attacks another one. Columns and diagonals that are
 * under attack are bits of integers: Richards, "Backtracking algorithms in MCPL using bit patterns and recursion", 1997.
 * Mirrored boards are counted once and doubled.
 * @param {number} n from 1 to 30.
 * @returns {number}
 */
export function countQueens(n) {
  const all = 2 ** n - 1;
  const half = Math.floor(n / 2);
  let count = 0;
  for (let column = 0; column < half; column += 1) count += 2 * place(all, 1 << column);
  if (n % 2 === 1) count += place(all, 1 << half);
  return count;
}

/**
 * @param {number} all the columns of the board.
 * @param {number} first the column of the first row's queen, as a bit.
 */
const place = (all, first) => countBelow(all, first, first << 1, first >> 1);

/**
 * @param {number} all
 * @param {number} columns taken by the rows above.
 * @param {number} left attacked along the diagonals to the left.
 * @param {number} right attacked along the diagonals to the right.
 * @returns {number}
 */
function countBelow(all, columns, left, right) {
  if (columns === all) return 1;
  let count = 0;
  for (let free = all & ~(columns | left | right); free !== 0; free &= free - 1) {
    const queen = free & -free;
    count += countBelow(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
  }
  return count;
}

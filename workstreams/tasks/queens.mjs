import { setImmediate } from 'node:timers/promises';
import { countQueens } from './algorithms/queens.mjs';

/** Number of solutions for boards of 0, 1, 2 … rows: https://oeis.org/A000170 */
const KNOWN = [1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365596, 2279184];

/**
 * Counts the solutions of the queens puzzle for boards of growing size and compares them with the known numbers.
 * @param {{ from: number, to: number }} input smallest and largest number of rows, at most 15.
 * @param {import('../../src/domain/step-context.ts').StepContext} context
 * @returns {Promise<import('../../src/domain/step-context.ts').ModuleResult>}
 */
export default async function solveQueens({ from, to }, context) {
  const boards = [];
  for (let rows = from; rows <= to; rows += 1) {
    context.progress((rows - from) / (to - from + 1), `${rows} × ${rows}`);
    await setImmediate();
    context.signal.throwIfAborted();
    const start = performance.now();
    const solutions = countQueens(rows);
    const milliseconds = Number((performance.now() - start).toFixed(1));
    if (solutions !== KNOWN[rows]) throw new Error(`${rows} queens do not have ${solutions} solutions.`);
    boards.push({ queens: rows, solutions, milliseconds });
  }
  context.log.info({ boards: boards.length }, 'all counts are as known');
  return { output: { largest_board: `${to} × ${to}`, boards } };
}

import { setImmediate } from 'node:timers/promises';
import { Life } from './algorithms/life.mjs';

/** Generations between two looks at the clock of the run. */
const ROUND = 50;

/**
 * A small pattern that takes long to settle.
 * @typedef {object} Methuselah
 * @property {string} name
 * @property {string[]} rows `O` is a living cell.
 * @property {number} generations until nothing but still lifes, oscillators and gliders is left.
 * @property {number} leaves number of cells that live then.
 */

/** @typedef {import('../../src/domain/step-context.ts').StepContext} StepContext */

/**
 * Lets patterns grow until they settle, each in the middle of a torus that is too large for its gliders to come round,
 * and compares how many cells are left with what is known (https://conwaylife.com/wiki/Methuselah).
 * @param {{ patterns: Methuselah[], picture: { width: number, height: number } }} input
 * @param {StepContext} context
 * @returns {Promise<import('../../src/domain/step-context.ts').ModuleResult>}
 */
export default async function growMethuselahs({ patterns, picture }, context) {
  const table = [];
  let the_middle = '';
  for (const pattern of patterns) {
    const { name, rows, generations, leaves } = pattern;
    // A glider moves by a cell in four generations.
    const size = 64 * Math.ceil((generations / 2 + 200) / 64);
    const life = new Life(size, size, cellsOf(rows, size / 2));
    const cells = life.population;
    const most_cells = await grow(life, pattern, context);
    if (life.population !== leaves)
      throw new Error(`"${name}" left ${life.population} cells and not ${leaves}.`);
    table.push({ name, cells, generations, cells_at_the_end: leaves, most_cells });
    const corner = { left: (size - picture.width) / 2, top: (size - picture.height) / 2 };
    the_middle = draw((x, y) => life.isAlive(corner.left + x, corner.top + y), picture);
  }
  context.log.info({ patterns: table.length }, 'all settled as known');
  return { output: { methuselahs: table, the_middle_of_the_last: the_middle } };
}

/**
 * @param {string[]} rows
 * @param {number} offset
 * @returns {[number, number][]}
 */
function cellsOf(rows, offset) {
  return rows.flatMap((row, y) =>
    Array.from(row).flatMap((cell, x) =>
      cell === 'O' ? /** @type {[number, number][]} */ ([[x + offset, y + offset]]) : [],
    ),
  );
}

/**
 * Gives the largest number of living cells on the way.
 * @param {Life} life
 * @param {Methuselah} pattern
 * @param {StepContext} context
 */
async function grow(life, { name, generations }, context) {
  let most = life.population;
  for (let generation = 1; generation <= generations; generation += 1) {
    life.step();
    most = Math.max(most, life.population);
    if (generation % ROUND !== 0) continue;
    context.progress(generation / generations, `${name}: generation ${generation}, ${life.population} cells`);
    await setImmediate();
    context.signal.throwIfAborted();
  }
  return most;
}

/**
 * Eight cells a character, as a Braille pattern.
 * @param {(x: number, y: number) => boolean} isAlive
 * @param {{ width: number, height: number }} size
 */
function draw(isAlive, { width, height }) {
  const dots = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
  const lines = [];
  for (let y = 0; y < height; y += 4) {
    let line = '';
    for (let x = 0; x < width; x += 2) {
      const pattern = dots.filter((_, i) => isAlive(x + (i % 2), y + Math.floor(i / 2)));
      line += String.fromCodePoint(0x2800 + pattern.reduce((sum, dot) => sum + dot, 0));
    }
    lines.push(line);
  }
  return lines.join('\n');
}

import { setImmediate } from 'node:timers/promises';
import { Life } from './algorithms/bit-life.mjs';

/**
 * The acorn, found by Charles Corderman: 7 cells that take 5206 generations to settle to 633
 * (https://conwaylife.com/wiki/Acorn).
 * @type {[number, number][]}
 */
const ACORN = [
  [1, 0],
  [3, 1],
  [0, 2],
  [1, 2],
  [4, 2],
  [5, 2],
  [6, 2],
];

/**
 * Lets the acorn grow in the middle of a torus that is too large for its gliders to come back in time.
 * @param {{ size: number, generations: number, report_every: number, picture: { width: number, height: number } }} input
 * @param {import('../../src/domain/step-context.ts').StepContext} context
 * @returns {Promise<import('../../src/domain/step-context.ts').ModuleResult>}
 */
export default async function growAcorn({ size, generations, report_every, picture }, context) {
  const middle = size / 2;
  const life = new Life(
    size,
    size,
    ACORN.map(([x, y]) => [middle + x, middle + y]),
  );
  const growth = [{ generation: 0, living: life.population }];
  for (let generation = 1; generation <= generations; generation += 1) {
    life.step();
    if (generation % report_every === 0) growth.push({ generation, living: life.population });
    if (generation % 20 !== 0) continue;
    context.progress(generation / generations, `generation ${generation}`);
    await setImmediate();
    context.signal.throwIfAborted();
  }
  context.log.info({ generations, living: life.population }, 'settled');
  const left = middle - picture.width / 2;
  const top = middle - picture.height / 2;
  const output = {
    torus: `${size} × ${size}`,
    generations,
    living: life.population,
    growth,
    the_middle: draw((x, y) => life.isAlive(left + x, top + y), picture),
  };
  return { output, metrics: { living: life.population } };
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

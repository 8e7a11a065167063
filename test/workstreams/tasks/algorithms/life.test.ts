import { expect, test } from 'vitest';
import { Life } from '../../../../workstreams/tasks/algorithms/life.mjs';
import { Random } from '../../../../workstreams/tasks/lib/random.ts';

type Cell = [number, number];

const GLIDER: Cell[] = [
  [1, 0],
  [2, 1],
  [0, 2],
  [1, 2],
  [2, 2],
];

function livingCells(life: Life, width: number, height: number): Cell[] {
  const columns = Array.from({ length: width }, (_, x) => x);
  return Array.from({ length: height }, (_, y) =>
    columns.filter((x) => life.isAlive(x, y)).map((x): Cell => [x, y]),
  ).flat();
}

/** The rules, cell by cell. */
function nextByRules(cells: readonly Cell[], width: number, height: number): Cell[] {
  const living = new Set(cells.map(([x, y]) => y * width + x));
  const next: Cell[] = [];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let count = 0;
      for (const [dx, dy] of [
        [-1, -1],
        [0, -1],
        [1, -1],
        [-1, 0],
        [1, 0],
        [-1, 1],
        [0, 1],
        [1, 1],
      ] as const) {
        if (living.has(((y + dy + height) % height) * width + ((x + dx + width) % width))) count += 1;
      }
      if (count === 3 || (count === 2 && living.has(y * width + x))) next.push([x, y]);
    }
  }
  return next;
}

test('follows the rules on a random torus', () => {
  const random = Random.fromSeed(3);
  const [width, height] = [96, 20];
  let expected: Cell[] = Array.from({ length: 600 }, () => [random.below(width), random.below(height)]);
  const life = new Life(width, height, expected);
  for (let generation = 0; generation < 30; generation += 1) {
    life.step();
    expected = nextByRules(expected, width, height);
    expect(livingCells(life, width, height)).toEqual(expected);
    expect(life.population).toBe(expected.length);
  }
});

test('a glider comes round the torus to where it was', () => {
  const life = new Life(32, 32, GLIDER);
  for (let generation = 0; generation < 4 * 32; generation += 1) life.step();
  expect(livingCells(life, 32, 32)).toEqual(GLIDER);
});

test('nothing stays nothing, and a width that is no multiple of 32 is refused', () => {
  const life = new Life(32, 1, []);
  life.step();
  expect(life.population).toBe(0);
  expect(() => new Life(33, 1, [])).toThrow('The width 33 is no multiple of 32.');
});

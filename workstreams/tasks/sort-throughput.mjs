/**
 * Measures how many random numbers different ways to sort put in order in a second. A program of its own: prints a line for
 * each way (its name, million numbers a second, milliseconds) and writes the same to a file, for a `command` step.
 *
 * Usage: node sort-throughput.mjs COUNT FILE
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { radixSort } from './algorithms/radix-sort.mjs';

const REPETITIONS = 3;

const ways = {
  'radix-sort': (/** @type {Uint32Array<ArrayBuffer>} */ numbers) => radixSort(numbers),
  'typed-array': (/** @type {Uint32Array<ArrayBuffer>} */ numbers) => numbers.set(numbers.toSorted()),
  comparator: (/** @type {Uint32Array<ArrayBuffer>} */ numbers) =>
    numbers.set(Array.from(numbers).toSorted((a, b) => a - b)),
};

const count = Number(process.argv[2]);
const file = process.argv[3];
if (!Number.isInteger(count) || count < 1 || file === undefined) {
  process.stderr.write('Usage: node sort-throughput.mjs COUNT FILE\n');
  process.exit(2);
}
const numbers = randomNumbers(count);
const expected = numbers.toSorted();
const lines = Object.entries(ways).map(([name, sort]) => {
  const best = Math.min(...Array.from({ length: REPETITIONS }, () => secondsFor(sort)));
  const line = `${name} ${(count / best / 1e6).toFixed(1)} ${(best * 1e3).toFixed(1)}\n`;
  process.stdout.write(line);
  return line;
});
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, lines.join(''));

/**
 * @param {(numbers: Uint32Array<ArrayBuffer>) => void} sort
 * @throws {Error} when the numbers are not in order afterwards.
 */
function secondsFor(sort) {
  const copy = numbers.slice();
  const start = performance.now();
  sort(copy);
  const seconds = (performance.now() - start) / 1000;
  if (Buffer.compare(Buffer.from(copy.buffer), Buffer.from(expected.buffer)) !== 0)
    throw new Error('It did not sort.');
  return seconds;
}

/**
 * The same numbers each time: Marsaglia, "Xorshift RNGs", 2003.
 * @param {number} length
 */
function randomNumbers(length) {
  let state = 2463534242;
  return Uint32Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
}

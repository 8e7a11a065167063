const RADIX = 256;

/**
 * Sorts 32-bit unsigned integers in place without comparing any two: radix sort from the least significant byte, as on
 * punched cards; Knuth, "The Art of Computer Programming", volume 3, section 5.2.5.
 * @param {Uint32Array<ArrayBuffer>} numbers
 */
export function radixSort(numbers) {
  let from = numbers;
  let to = new Uint32Array(numbers.length);
  for (let shift = 0; shift < 32; shift += 8) {
    const next = positions(from, shift);
    for (let i = 0; i < from.length; i += 1) {
      const number = from[i] ?? 0;
      const digit = (number >>> shift) & 0xff;
      const position = next[digit] ?? 0;
      to[position] = number;
      next[digit] = position + 1;
    }
    [from, to] = [to, from];
  }
}

/**
 * Where the first number with each digit goes.
 * @param {Uint32Array} numbers
 * @param {number} shift
 */
function positions(numbers, shift) {
  const counts = new Uint32Array(RADIX);
  for (let i = 0; i < numbers.length; i += 1) {
    const digit = ((numbers[i] ?? 0) >>> shift) & 0xff;
    counts[digit] = (counts[digit] ?? 0) + 1;
  }
  let smaller = 0;
  return counts.map((count) => (smaller += count) - count);
}

const MAX_PATTERN = 32;
const ASCII = 128;

/**
 * Edit distance with one machine word for a whole column of the table: Myers, "A fast bit-vector algorithm for
 * approximate string matching based on dynamic programming", 1999, in the form of Hyyrö, 2003.
 * @param pattern at most 32 ASCII characters; it is prepared once for many texts.
 * @returns a function that gives the number of insertions, deletions and substitutions from the pattern to an ASCII text.
 */
export function distanceFrom(pattern: string): (text: string) => number {
  const length = pattern.length;
  if (length > MAX_PATTERN) throw new RangeError(`"${pattern}" has more than ${MAX_PATTERN} characters.`);
  if (length === 0) return (text) => text.length;
  const positions = new Int32Array(ASCII);
  for (let i = 0; i < length; i += 1) {
    const code = pattern.charCodeAt(i);
    positions[code] = (positions[code] ?? 0) | (1 << i);
  }
  const last = 1 << (length - 1);
  return (text) => {
    let increases = -1;
    let decreases = 0;
    let distance = length;
    for (let i = 0; i < text.length; i += 1) {
      const matches = positions[text.charCodeAt(i)] ?? 0;
      const diagonal = (((matches & increases) + increases) ^ increases) | matches | decreases;
      let right = decreases | ~(diagonal | increases);
      let left = diagonal & increases;
      if ((right & last) !== 0) distance += 1;
      if ((left & last) !== 0) distance -= 1;
      right = (right << 1) | 1;
      left <<= 1;
      increases = left | ~(diagonal | right);
      decreases = right & diagonal;
    }
    return distance;
  };
}

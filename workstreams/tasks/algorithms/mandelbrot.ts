/** A large radius of escape makes the smooth count below exact enough for colours. */
const ESCAPE_SQUARED = 2 ** 16;

/**
 * How fast z → z² + c leaves the neighbourhood of 0, as a continuous count (Peitgen & Saupe, "The Science of Fractal
 * Images", 1988), so that colours have no steps. Infinity for points that stay for `maxIterations`.
 */
export function escapeTime(real: number, imaginary: number, maxIterations: number): number {
  if (isInBulb(real, imaginary)) return Infinity;
  let x = 0;
  let y = 0;
  let xSquared = 0;
  let ySquared = 0;
  for (let n = 0; n < maxIterations; n += 1) {
    y = 2 * x * y + imaginary;
    x = xSquared - ySquared + real;
    xSquared = x * x;
    ySquared = y * y;
    const squared = xSquared + ySquared;
    if (squared > ESCAPE_SQUARED) return n + 1 - Math.log2(Math.log2(squared) / 2);
  }
  return Infinity;
}

/** Whether a point is in the main cardioid or in the circle at its left, where the sequence never escapes. */
function isInBulb(x: number, y: number): boolean {
  const q = (x - 0.25) ** 2 + y * y;
  return q * (q + (x - 0.25)) <= (y * y) / 4 || (x + 1) ** 2 + y * y <= 1 / 16;
}

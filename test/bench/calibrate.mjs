/** How many rounds of programs/work.mjs's `compute` take this many milliseconds here. */
export function calibrate(wanted) {
  let iterations = 1_000_000;
  for (;;) {
    const start = performance.now();
    let x = 1;
    for (let i = 0; i < iterations; i += 1) x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
    const milliseconds = performance.now() - start;
    if (milliseconds > 100 && x >= 0) return Math.round((iterations * wanted) / milliseconds);
    iterations *= 2;
  }
}

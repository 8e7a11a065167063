/** How many rounds of programs/work.mjs's `compute` take this many milliseconds of CPU time here, whatever else there is to do. */
export function calibrate(wanted) {
  let iterations = 1_000_000;
  for (;;) {
    const start = process.cpuUsage();
    let x = 1;
    for (let i = 0; i < iterations; i += 1) x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
    const { user, system } = process.cpuUsage(start);
    const milliseconds = (user + system) / 1_000;
    if (milliseconds > 100 && x >= 0) return Math.round((iterations * wanted) / milliseconds);
    iterations *= 2;
  }
}

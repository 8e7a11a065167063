import prettyMilliseconds from 'pretty-ms';

/** Elapsed time as a clock shows it: "0s", "45s", "2m 5s", "3h 20m". Whole units, rounded down, two at most. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return whole < 1 ? '0s' : prettyMilliseconds(whole * 1000, { unitCount: 2 });
}
